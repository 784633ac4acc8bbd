"""No position depends on a later one: the Jacobian is zero above its diagonal."""

import numpy as np
import pytest

from keras_attention.layers import (
    Attention,
    AttentionRNN,
    DifferentialAttention,
    LinearAttention,
    MultiHeadAttention,
    MultiHeadLatentAttention,
    SelfAttention,
    TransformerDecoder,
)
from keras_attention.models import DecoderStack
from tests.backends import jacobian
from tests.recurrent_cases import stacked_cells
from tests.tensors import normal, randomize

INPUTS, MEMORY = normal(1, 5, 6), normal(1, 7, 11, seed=1)


def _attention():
    layer = Attention("additive", units=3)
    layer.build(INPUTS.shape, INPUTS.shape)
    return layer, lambda inputs: layer(inputs, inputs, use_causal_mask=True)


def _self_attention():
    layer = SelfAttention(3, use_causal_mask=True)
    layer.build(INPUTS.shape)
    return layer, layer


def _of_heads(layer):
    layer.build(INPUTS.shape, INPUTS.shape)
    return layer, lambda inputs: layer(inputs, inputs, use_causal_mask=True)


def _multi_head_attention():
    return _of_heads(MultiHeadAttention(2, 3, num_key_value_heads=1))


def _differential_attention():
    return _of_heads(DifferentialAttention(2, 3))


def _latent_attention():
    return _of_heads(MultiHeadLatentAttention(2, 3, 5, 4))


def _linear_attention():
    return _of_heads(LinearAttention(2, 3, chunk_size=2))


def _decoder(**options):
    layer = TransformerDecoder(13, 2, **options)
    layer.build(INPUTS.shape, MEMORY.shape)
    return layer, lambda inputs: layer(inputs, MEMORY)


def _decoder_without_memory():
    layer = TransformerDecoder(13, 2)
    layer.build(INPUTS.shape)
    return layer, layer


def _decoder_stack():
    blocks = [TransformerDecoder(13, 2, normalize_first=True) for _ in range(2)]
    layer = DecoderStack(blocks)
    memory = {"sequence": MEMORY, "mask": np.ones((1, 7), "bool")}
    layer.build(INPUTS.shape, {name: part.shape for name, part in memory.items()})
    return layer, lambda inputs: layer(inputs, memory)


def _attention_rnn():
    layer = AttentionRNN(stacked_cells(), Attention("general"))
    layer.build(INPUTS.shape, MEMORY.shape)
    return layer, lambda inputs: layer(inputs, MEMORY)


@pytest.mark.parametrize(
    "make",
    [
        _attention,
        _self_attention,
        _multi_head_attention,
        _differential_attention,
        _latent_attention,
        _linear_attention,
        _decoder,
        _decoder_without_memory,
        _decoder_stack,
        _attention_rnn,
    ],
)
def test_no_position_depends_on_a_later_one(make):
    layer, run = make()
    randomize(layer)
    found = np.abs(jacobian(run, INPUTS))[0][:, :, 0].max(axis=(1, 3))  # (T, T)
    np.testing.assert_array_equal(found > 0, np.tri(5, dtype="bool"))
