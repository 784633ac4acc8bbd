"""Models and searches where there is nothing to read: no rows, or sources of none."""

import numpy as np
import pytest

from keras_attention.decoding import BeamSearch, Greedy, Sampling
from tests.backends import to_numpy
from tests.small_models import SOURCE, TARGET, TARGET_VOCABULARY, build

MODELS = {
    "transformer": ("transformer", {"num_layers": 1}),
    "relative": ("transformer", {"num_layers": 1, "positions": "relative"}),
    "rnn": ("rnn", {}),
    "no attention": ("rnn", {"attention": None, "reverse_source": True}),
}
SEARCHES = [Greedy(4), BeamSearch(2, 4), Sampling(4, seed=1)]
each_model = pytest.mark.parametrize("name", MODELS)
each_source = pytest.mark.parametrize("source", [SOURCE[:0], SOURCE[:, :0]])


def _build(name):
    architecture, options = MODELS[name]
    return build(architecture, **options)


@each_model
def test_a_model_gives_logits_of_what_there_is(name):
    model = _build(name)
    for source, target in (
        (SOURCE[:0], TARGET[:0]),
        (SOURCE[:, :0], TARGET),
        (SOURCE, TARGET[:, :0]),
    ):
        logits = to_numpy(model({"source": source, "target": target}))
        assert logits.shape == (*target.shape, TARGET_VOCABULARY)
        assert np.isfinite(logits).all()


@each_model
@each_source
@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: type(search).__name__)
def test_a_search_finds_something_for_each_row(name, source, search):
    found = search(_build(name), source)
    rows, count, length = found.ids.shape
    assert (rows, length) == (len(source), 4)
    assert found.scores.shape == (rows, count)
    assert np.isfinite(found.scores).all()
    if name != "no attention":
        assert found.attention.shape == (rows, count, 4, source.shape[1])
