"""A copy in another precision has the same weights and no trace of the old one."""

import keras
import numpy as np
import pytest

from keras_attention.convert import change_precision
from keras_attention.layers import MultiHeadAttention
from keras_attention.models import (
    Ensemble,
    Seq2Seq,
    language_model,
    rnn_seq2seq,
    transformer,
)
from tests.backends import to_numpy
from tests.tensors import randomize

SIZES = {"num_layers": 1, "num_heads": 2, "embedding_dim": 8, "intermediate_dim": 16}
MODELS = {
    "transformer": lambda: transformer(9, 9, tie_embeddings=True, **SIZES),
    "rotary, RMS, learned table": lambda: transformer(
        9, 9, positions="rotary", normalization="rms", **SIZES
    ),
    "recurrent": lambda: rnn_seq2seq(9, 9, embedding_dim=8, units=8, attention="dot"),
    "language model": lambda: language_model(9, **SIZES),
}
IDS = np.array([[2, 5, 6, 7], [2, 8, 4, 0]])


def inputs_of(model):
    return {"source": IDS, "target": IDS} if isinstance(model, Seq2Seq) else IDS


@pytest.mark.parametrize("kind", MODELS)
def test_outputs_are_those_of_a_model_made_in_that_precision(kind):
    keras.config.set_dtype_policy("mixed_bfloat16")
    trained = MODELS[kind]()
    keras.config.set_dtype_policy("float32")
    randomize(trained)
    plain = MODELS[kind]()
    for own, weight in zip(plain.weights, trained.weights, strict=True):
        own.assign(weight)
    changed = change_precision(trained, "float32")
    for layer in changed._flatten_layers(include_self=False):
        assert layer.compute_dtype == "float32", layer.path
    found, expected = (to_numpy(m(inputs_of(m))) for m in (changed, plain))
    np.testing.assert_array_equal(found, expected)
    assert trained.weights[0] is not changed.weights[0]


def test_it_saves_and_loads(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = MODELS["transformer"]()
    keras.config.set_dtype_policy("float32")
    changed = change_precision(model, "float32")
    changed.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = to_numpy(changed(inputs_of(changed)))
    np.testing.assert_array_equal(to_numpy(loaded(inputs_of(loaded))), expected)


def test_an_own_policy_of_a_part_goes_too():
    model = transformer(
        9, 9, attention=lambda: MultiHeadAttention(2, 4, dtype="bfloat16"), **SIZES
    )
    changed = change_precision(model, "float32")
    kinds = {layer.compute_dtype for layer in changed._flatten_layers()}
    assert kinds == {"float32"}


@pytest.mark.filterwarnings("ignore:Layer .* `quantize` method")
@pytest.mark.filterwarnings("ignore:`model.quantize")
def test_what_cannot_be_changed_is_refused(frozen_heap):
    model = MODELS["transformer"]()
    with pytest.raises(ValueError, match="policy of floats.*dtype='int8_from_float32'"):
        change_precision(model, "int8_from_float32")
    with pytest.raises(ValueError, match="`Seq2Seq` or a `LanguageModel`"):
        change_precision(Ensemble([model, model]), "float32")
    model.quantize("int8")
    with pytest.raises(ValueError, match="must not be quantized"):
        change_precision(model, "float32")
