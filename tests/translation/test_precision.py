"""Translators of other precisions give float32 as those of float32 do."""

import numpy as np
import pytest
import tensorflow as tf

from tests.backends import BACKEND
from tests.translators import ENGLISH, KOREAN, MODELS, make_translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="graphs are TensorFlow's"
)
# By how much log-probabilities of a few tokens may differ.
TOLERANCES = {"float64": 1e-4, "mixed_float16": 0.1, "mixed_bfloat16": 1.0}


@pytest.mark.slow
@pytest.mark.parametrize("policy", TOLERANCES)
@pytest.mark.parametrize("architecture", MODELS)
def test_a_changed_translator_gives_what_it_gave(architecture, policy):
    translate = make_translator(architecture, "words")
    changed = translate.with_precision(policy)
    assert changed.model.encoder.compute_dtype == policy.removeprefix("mixed_")
    references = list(KOREAN[: len(ENGLISH)])
    pairs = zip(
        translate.score(ENGLISH, references),
        changed.score(ENGLISH, references),
        strict=True,
    )
    for before, after in pairs:
        assert after.tokens == before.tokens
        assert after.log_probabilities.dtype == np.float32
        np.testing.assert_allclose(
            after.log_probability, before.log_probability, atol=TOLERANCES[policy]
        )
    found = changed.hypotheses(ENGLISH)
    assert len(found) == len(ENGLISH)
    if policy == "float64":
        for one, other in zip(translate.hypotheses(ENGLISH), found, strict=True):
            assert [part.text for part in one] == [part.text for part in other]
            np.testing.assert_allclose(
                [part.score for part in one], [part.score for part in other], atol=1e-4
            )


@pytest.mark.slow
@pytest.mark.parametrize("policy", TOLERANCES)
def test_it_is_exported(policy, tmp_path):
    translate = make_translator("beam", "words").with_precision(policy)
    translate.export(tmp_path / "model")
    served = tf.saved_model.load(str(tmp_path / "model")).signatures
    for name, signature in served.items():
        for key, part in signature.structured_outputs.items():
            assert part.dtype in (tf.float32, tf.int32, tf.bool, tf.string), (name, key)
    texts = tf.constant([*ENGLISH, ""])
    found = served["serving_default"](text=texts)["translation"].numpy()
    assert [text.decode() for text in found] == translate([*ENGLISH, ""])
