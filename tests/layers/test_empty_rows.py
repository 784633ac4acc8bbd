"""A query with nothing to attend to: zeros and finite gradients on every path."""

import functools

import numpy as np
import pytest
from keras import ops

from keras_attention.layers import (
    AlibiBias,
    Attention,
    DifferentialAttention,
    LinearAttention,
    MultiHeadAttention,
    MultiHeadLatentAttention,
    RelativePositionBias,
    RotaryEmbedding,
    SelfAttention,
)
from tests.backends import compiled, gradients, to_numpy
from tests.tensors import normal, randomize

pytestmark = pytest.mark.whole("tensorflow")

INPUTS = normal(3, 5, 8)
# A row without any real position, a query without, and a row that has all.
MASK = np.array([[False] * 5, [True, True, False, True, False], [True] * 5])
heads = functools.partial(MultiHeadAttention, 2, 4)
PATHS = {
    "dot": Attention,
    "additive": lambda **options: Attention("additive", units=3, **options),
    "self": lambda **options: SelfAttention(4, **options),
    "plain": heads,
    "grouped": functools.partial(heads, num_key_value_heads=1),
    "chunks": functools.partial(heads, chunk_size=2),
    "window": functools.partial(heads, sliding_window=2),
    "window in chunks": functools.partial(heads, sliding_window=2, chunk_size=2),
    "cap": functools.partial(heads, soft_cap=3.0),
    "norm and gate": functools.partial(heads, query_key_norm=True, use_gate=True),
    "rotary": lambda **options: heads(position=RotaryEmbedding(), **options),
    "alibi": lambda **options: heads(position=AlibiBias(), chunk_size=2, **options),
    "relative": lambda **options: heads(
        position=RelativePositionBias(8, 16), **options
    ),
    "differential": functools.partial(DifferentialAttention, 2, 4),
    "latent": functools.partial(MultiHeadLatentAttention, 2, 4, 6, 2),
    # which drops no weights
    "linear": lambda dtype, dropout: LinearAttention(2, 4, dtype=dtype),
}


@functools.cache
def _layer(path, precision, dropout):
    layer = PATHS[path](dtype=precision, dropout=dropout)
    shapes = [INPUTS.shape] * (1 if path == "self" else 2)
    layer.build(*shapes)
    return randomize(layer)


def _call(path, layer, inputs, **options):
    if path == "self":
        return layer(inputs, mask=MASK, **options)
    return layer(inputs, inputs, query_mask=MASK, value_mask=MASK, **options)


def _nothing(layer):
    """The output of a context of zeros."""
    bias = [w for w in layer.weights if w.path.endswith("output/bias")]
    return to_numpy(bias[0].value) if bias else 0.0


@pytest.mark.parametrize("how", ["eager", "training", "compiled"])
@pytest.mark.parametrize("precision", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("path", PATHS)
def test_zeros(path, precision, how):
    training = how == "training"
    layer = _layer(path, precision, 0.3 if training else 0.0)

    def run(inputs):
        return _call(path, layer, inputs, training=training)

    output = to_numpy((compiled(run) if how == "compiled" else run)(INPUTS))
    assert np.isfinite(output).all()
    np.testing.assert_allclose(output[~MASK] - _nothing(layer), 0, atol=2e-2)
    assert np.abs(output[MASK] - _nothing(layer)).max() > 0.1
    if how == "eager":
        _, weights = _call(path, layer, INPUTS, return_attention_scores=True)
        weights = to_numpy(weights)
        assert not np.moveaxis(weights, -2, 1)[~MASK].any()


@pytest.mark.parametrize("path", [path for path in PATHS if path != "self"])
def test_no_keys_are_nothing_to_attend_to(path):
    layer = _layer(path, "float32", 0.0)
    output = to_numpy(layer(INPUTS, INPUTS[:, :0]))
    np.testing.assert_allclose(output - _nothing(layer), np.zeros((3, 5, 8)), atol=1e-6)
    _, weights = layer(INPUTS, INPUTS[:, :0], return_attention_scores=True)
    assert weights.shape[-2:] == (5, 0)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("path", PATHS)
def test_gradients_are_finite(path, precision):
    layer = _layer(path, precision, 0.3)

    def loss():
        output = _call(path, layer, INPUTS, training=True)
        return ops.sum(ops.square(ops.cast(output, "float32")))

    found = gradients(loss, layer.trainable_weights)
    assert all(np.isfinite(gradient).all() for gradient in found)
