"""A Translator that an earlier version saved loads, and translates as it did there."""

import numpy as np
import pytest

from keras_attention import Translator
from tests.backends import BACKEND
from tests.earlier_version import VERSIONS, names, read_settings, unpack

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="a Translator runs on TensorFlow only"
)


@pytest.mark.parametrize(
    ("version", "name"),
    [(version, name) for version in VERSIONS for name in names(version, "translators")],
)
def test_it_translates_as_it_did(version, name, tmp_path):
    folder = unpack(version, tmp_path) / "translators" / name
    expected = read_settings(folder)
    translate, texts = Translator.load(folder / "translator"), expected["texts"]
    ids = translate.source_tokenizer.tokenize(texts).to_list()
    assert ids == expected["ids"]
    found = translate.hypotheses(texts)
    assert [[one.text for one in some] for some in found] == expected["hypotheses"]
    scores = [one.score for some in found for one in some]
    np.testing.assert_allclose(scores, np.concatenate(expected["scores"]), atol=1e-3)
    log_probs = [one.log_probability for one in translate.score(texts, texts)]
    np.testing.assert_allclose(log_probs, expected["log_probabilities"], rtol=1e-4)
