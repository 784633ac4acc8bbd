"""Properties of masks that the Transformer blocks and their stacks keep."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.layers import (
    SelfAttention,
    TransformerDecoder,
    TransformerEncoder,
)
from keras_attention.models import DecoderStack, EncoderStack
from tests.backends import to_numpy
from tests.tensors import normal, randomize

INPUTS, MEMORY = normal(3, 5, 10), normal(3, 7, 11, seed=1)
# A few lengths only: some backends compile for each.
LENGTHS = st.tuples(*[st.sampled_from([1, 3, 5])] * 3)
MEMORY_LENGTHS = st.tuples(*[st.sampled_from([1, 4, 7])] * 3)
APPENDED = st.sampled_from([0, 2])
OPTIONS = [
    {},
    {"normalize_first": True, "normalization": "rms", "gated": True},
    {"num_key_value_heads": 1},
]
every_option = pytest.mark.parametrize("variant", range(len(OPTIONS)))


@functools.cache
def _self_attention():
    layer = SelfAttention(7)
    layer.build(INPUTS.shape)
    return randomize(layer)


@functools.cache
def _encoder(variant, stacked=False):
    layer = TransformerEncoder(23, 2, **OPTIONS[variant])
    if stacked:
        layer = EncoderStack([layer, TransformerEncoder(17, 2, **OPTIONS[variant])])
    layer.build(INPUTS.shape)
    return randomize(layer)


@functools.cache
def _decoder(variant, stacked=False):
    layer = TransformerDecoder(23, 2, **OPTIONS[variant])
    if not stacked:
        layer.build(INPUTS.shape, MEMORY.shape)
        return randomize(layer)
    layer = DecoderStack([layer, TransformerDecoder(17, 2, **OPTIONS[variant])])
    layer.build(INPUTS.shape, {"sequence": MEMORY.shape, "mask": MEMORY.shape[:2]})
    return randomize(layer)


def _encode(variant, stacked, inputs, mask):
    if stacked:
        return to_numpy(_encoder(variant, True)(inputs, padding_mask=mask)["sequence"])
    return to_numpy(_encoder(variant)(inputs, padding_mask=mask))


def _decode(variant, stacked, inputs, memory, mask):
    if stacked:
        layer = _decoder(variant, True)
        return to_numpy(layer(inputs, {"sequence": memory, "mask": mask}))
    return to_numpy(_decoder(variant)(inputs, memory, encoder_padding_mask=mask))


def _padded(inputs, lengths, appended, filler):
    """Rows cut to their lengths, longer by `appended` positions, and the mask."""
    size = inputs.shape[1] + appended
    mask = np.arange(size) < np.array(lengths)[:, None]
    padded = np.full((len(inputs), size, inputs.shape[2]), filler, "float32")
    padded[:, : inputs.shape[1]] = inputs
    return np.where(mask[..., None], padded, np.float32(filler)), mask


@given(lengths=LENGTHS, appended=APPENDED, filler=st.sampled_from([0, 1e4]))
def test_self_attention_never_sees_padding(lengths, appended, filler):
    layer = _self_attention()
    padded, mask = _padded(INPUTS, lengths, appended, filler)
    found = to_numpy(layer(padded, mask=mask))
    for row, length in enumerate(lengths):
        alone = to_numpy(layer(INPUTS[row : row + 1, :length]))[0]
        np.testing.assert_allclose(found[row, :length], alone, atol=1e-4)
    assert not found[~mask].any()


@every_option
@pytest.mark.parametrize("stacked", [False, True])
@given(lengths=LENGTHS, appended=APPENDED, filler=st.sampled_from([0, 1e4, 1e30]))
def test_encoders_never_see_padding(variant, stacked, lengths, appended, filler):
    padded, mask = _padded(INPUTS, lengths, appended, filler)
    found = _encode(variant, stacked, padded, mask)
    for row, length in enumerate(lengths):
        inputs, all_real = INPUTS[row : row + 1, :length], np.ones((1, length), "bool")
        alone = _encode(variant, stacked, inputs, all_real)[0]
        np.testing.assert_allclose(found[row, :length], alone, atol=1e-4)


@every_option
@pytest.mark.parametrize("stacked", [False, True])
@given(
    lengths=MEMORY_LENGTHS,
    appended=APPENDED,
    filler=st.sampled_from([0, 1e4, 1e30]),
)
def test_decoders_never_see_padding_of_the_memory(
    variant, stacked, lengths, appended, filler
):
    padded, mask = _padded(MEMORY, lengths, appended, filler)
    found = _decode(variant, stacked, INPUTS, padded, mask)
    for row, length in enumerate(lengths):
        memory, all_real = MEMORY[row : row + 1, :length], np.ones((1, length), "bool")
        alone = _decode(variant, stacked, INPUTS[row : row + 1], memory, all_real)[0]
        np.testing.assert_allclose(found[row], alone, atol=1e-4)


@every_option
@given(lengths=LENGTHS, appended=APPENDED, filler=st.sampled_from([0, 1e30]))
def test_decoder_block_never_sees_its_own_padding(variant, lengths, appended, filler):
    layer = _decoder(variant)
    padded, mask = _padded(INPUTS, lengths, appended, filler)
    found = to_numpy(layer(padded, MEMORY, decoder_padding_mask=mask))
    for row, length in enumerate(lengths):
        alone = layer(INPUTS[row : row + 1, :length], MEMORY[row : row + 1])
        np.testing.assert_allclose(found[row, :length], to_numpy(alone)[0], atol=1e-4)


@every_option
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_blocks_stay_finite_where_nothing_may_be_attended_to(variant, dtype):
    encoder = TransformerEncoder(23, 2, dtype=dtype, **OPTIONS[variant])
    decoder = TransformerDecoder(23, 2, dtype=dtype, **OPTIONS[variant])
    nothing = np.zeros((3, 7), "bool")
    memory, weights = encoder(
        normal(3, 7, 10), padding_mask=nothing, return_attention_scores=True
    )
    output, both = decoder(
        INPUTS, memory, encoder_padding_mask=nothing, return_attention_scores=True
    )
    for part in (memory, output):
        assert np.isfinite(to_numpy(part)).all()
    assert not to_numpy(weights).any()
    assert not to_numpy(both["cross_attention"]).any()
