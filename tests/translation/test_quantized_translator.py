"""A Translator with integer kernels: near to what it was, smaller, and portable."""

import numpy as np
import pytest

from keras_attention import Translator
from keras_attention.models import Ensemble
from tests.backends import BACKEND
from tests.translators import ENGLISH, KOREAN, make_model, make_translator

pytestmark = [
    pytest.mark.usefixtures("frozen_heap"),
    pytest.mark.skipif(
        BACKEND != "tensorflow", reason="a Translator runs on TensorFlow only"
    ),
]
ARCHITECTURES = ("transformer", "recurrent")


def log_probabilities(translate):
    return np.concatenate(
        [score.log_probabilities for score in translate.score(ENGLISH, KOREAN)]
    )


def relative_error(found, expected):
    return np.sqrt(np.mean((found - expected) ** 2)) / np.std(expected)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_was_translated_before_is_translated_anew(architecture):
    translate = make_translator(architecture)
    translate(ENGLISH)
    before = log_probabilities(translate)
    translate.quantize()
    after = log_probabilities(translate)
    assert 0 < relative_error(after, before) < 0.1
    assert len(translate(ENGLISH)) == len(ENGLISH)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_is_loaded_and_exported_as_it_is(architecture, tmp_path):
    translate = make_translator(architecture)
    translate.quantize()
    expected = translate(ENGLISH)
    translate.save(tmp_path / "saved")
    assert Translator.load(tmp_path / "saved")(ENGLISH) == expected
    translate.export(tmp_path / "exported", check=list(ENGLISH))


@pytest.mark.slow
def test_each_model_of_an_ensemble_is_quantized():
    one = make_translator("transformer")
    tokenizers = one.source_tokenizer, one.target_tokenizer
    sizes = [tokenizer.vocabulary_size for tokenizer in tokenizers]
    other = make_model("recurrent", *sizes)
    both = Translator(Ensemble([one.model, other]), *tokenizers, one.search)
    before = log_probabilities(both)
    both.quantize()
    kernels = [
        [v.dtype for v in model.variables if v.path.endswith("kernel")]
        for model in both.model.models
    ]
    assert all("int8" in dtypes for dtypes in kernels)
    assert 0 < relative_error(log_probabilities(both), before) < 0.1


def test_it_is_done_once():
    translate = make_translator()
    translate.quantize()
    with pytest.raises(ValueError, match="already quantized"):
        translate.quantize()
