"""Attention in one pass over outputs is what a search wrote down step by step."""

import numpy as np
import pytest
from keras import ops

from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.decoding.outputs import attend_to_outputs
from keras_attention.models import Ensemble
from tests.backends import to_numpy
from tests.small_models import MODELS, SOURCE, build


def _check(model, search):
    found = search(model, SOURCE)
    source, ids = map(ops.convert_to_tensor, (SOURCE, found.ids))
    attention = attend_to_outputs(model, source, ids)
    if found.attention is None:
        assert attention is None
    else:
        np.testing.assert_allclose(to_numpy(attention), found.attention, atol=1e-5)


@pytest.mark.parametrize("search", [Greedy(6), BeamSearch(3, 6)])
@pytest.mark.parametrize(("architecture", "options"), MODELS)
def test_attention_of_outputs_is_that_of_the_search(architecture, options, search):
    _check(build(architecture, **options), search)


@pytest.mark.slow
def test_of_an_ensemble_too():
    models = [build("transformer"), build("rnn", target_vocabulary_size=13)]
    _check(Ensemble(models), BeamSearch(2, 6))
