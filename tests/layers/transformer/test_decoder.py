"""`TransformerDecoder` against Keras's own layers, and itself step by step."""

import keras
import numpy as np
import pytest

from keras_attention.layers import TransformerDecoder
from keras_attention.models import DecoderStack
from tests.backends import compiled, to_numpy
from tests.keras_blocks import KerasBlock
from tests.tensors import booleans, normal, randomize, real_positions

INPUTS, MEMORY = normal(3, 5, 10), normal(3, 7, 11, seed=1)
GRID = [
    {},
    {"normalize_first": True},
    {"normalize_first": True, "normalization": "rms", "gated": True},
    {"num_key_value_heads": 1, "activation": "gelu"},
]


def _built(*shapes, **options):
    layer = TransformerDecoder(23, 2, **options)
    layer.build(*shapes)
    return randomize(layer)


@pytest.mark.parametrize("with_memory", [True, False])
@pytest.mark.parametrize("options", GRID, ids=str)
def test_equals_a_block_of_keras_layers(options, with_memory):
    shapes = (INPUTS.shape, MEMORY.shape) if with_memory else (INPUTS.shape,)
    layer = _built(*shapes, **options)
    block = KerasBlock(layer)
    hidden = block.sublayer(
        "self_attention_residual",
        INPUTS,
        block.attention("self_attention", use_causal_mask=True),
    )
    if with_memory:
        hidden = block.sublayer(
            "cross_attention_residual",
            hidden,
            block.attention("cross_attention", keras.ops.convert_to_tensor(MEMORY)),
        )
    expected = block.sublayer("feed_forward_residual", hidden, block.feed_forward)
    found = layer(INPUTS, *([MEMORY] if with_memory else []))
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=2e-5)


def test_masks_reach_both_attentions():
    layer = _built(INPUTS.shape, MEMORY.shape)
    masks = {
        "decoder_padding_mask": real_positions([5, 3, 2], 5),
        "decoder_attention_mask": booleans(3, 5, 5, seed=1),
        "encoder_padding_mask": real_positions([7, 5, 3], 7),
        "encoder_attention_mask": booleans(3, 5, 7, seed=2),
    }
    _, weights = layer(INPUTS, MEMORY, return_attention_scores=True, **masks)
    is_real = masks["decoder_padding_mask"]
    own = masks["decoder_attention_mask"] & np.tri(5, dtype="bool")
    allowed = {
        "self_attention": own & is_real[:, None, :] & is_real[:, :, None],
        "cross_attention": masks["encoder_attention_mask"]
        & masks["encoder_padding_mask"][:, None, :],
    }
    assert set(weights) == set(allowed)
    for name, expected in allowed.items():
        np.testing.assert_array_equal(
            to_numpy(weights[name]) > 0, np.repeat(expected[:, None], 2, axis=1)
        )


def _stepwise(layer, chunks, max_length, memory=None, run=None, **options):
    """Outputs and weights over the memory, a few positions at a time."""
    cache = layer.init_cache(3, max_length, memory)
    outputs, weights, index = [], [], 0
    for size in chunks:
        now = keras.ops.convert_to_tensor(INPUTS[:, index : index + size])
        output, step_weights, cache = (run or layer)(
            now, cache=cache, cache_index=index, **options
        )
        outputs.append(to_numpy(output))
        weights.append(to_numpy(step_weights.get("cross_attention", output[:, None])))
        index += size
    return np.concatenate(outputs, axis=1), np.concatenate(weights, axis=2)


@pytest.mark.parametrize("chunks", [[1] * 5, [2, 3]], ids=str)
@pytest.mark.parametrize("options", GRID, ids=str)
def test_steps_over_a_cache_equal_one_pass(options, chunks):
    layer = _built(INPUTS.shape, MEMORY.shape, **options)
    mask = real_positions([7, 5, 3], 7)
    expected, weights = layer(
        INPUTS, MEMORY, encoder_padding_mask=mask, return_attention_scores=True
    )
    found, found_weights = _stepwise(
        layer,
        chunks,
        7,
        MEMORY,
        encoder_padding_mask=mask,
        return_attention_scores=True,
    )
    np.testing.assert_allclose(found, to_numpy(expected), atol=2e-5)
    np.testing.assert_allclose(
        found_weights, to_numpy(weights["cross_attention"]), atol=1e-5
    )


def test_steps_without_a_memory():
    layer = _built(INPUTS.shape)
    expected = to_numpy(layer(INPUTS))
    found, _ = _stepwise(layer, [2, 3], 5, return_attention_scores=True)
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_a_cached_chunk_of_embedded_ids_keeps_its_mask():
    """`mask_zero` marks the chunk, not the past that the cache holds."""
    ids = np.array([[4, 5, 6, 7, 8], [4, 5, 6, 7, 0], [4, 5, 6, 0, 0]], "int32")
    embedding = keras.layers.Embedding(11, 10, mask_zero=True)
    layer = _built(INPUTS.shape, MEMORY.shape)
    expected = to_numpy(layer(embedding(ids), MEMORY))
    cache, found = layer.init_cache(3, 7, MEMORY), []
    for start, end in ((0, 2), (2, 5)):
        output, cache = layer(
            embedding(ids[:, start:end]), cache=cache, cache_index=start
        )
        found.append(to_numpy(output))
    found = np.concatenate(found, axis=1)
    np.testing.assert_allclose(found[ids != 0], expected[ids != 0], atol=2e-5)


def test_compiled_steps():
    layer = _built(INPUTS.shape, MEMORY.shape)
    expected = to_numpy(layer(INPUTS, MEMORY))

    def step(inputs, cache, cache_index):
        return layer(
            inputs, cache=cache, cache_index=cache_index, return_attention_scores=True
        )

    run = compiled(step)
    found, _ = _stepwise(
        layer,
        [1] * 5,
        5,
        MEMORY,
        lambda inputs, cache, cache_index: run(inputs, cache, np.int32(cache_index)),
    )
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("built_with_memory", [True, False])
def test_a_memory_must_come_always_or_never(built_with_memory):
    layer = TransformerDecoder(23, 2)
    calls = [(INPUTS, MEMORY), (INPUTS,)]
    if not built_with_memory:
        calls.reverse()
    layer(*calls[0])
    with pytest.raises(ValueError, match=r"`encoder_sequence` must be .* Received: "):
        layer(*calls[1])


def test_a_cache_and_its_index_belong_together():
    layer = _built(INPUTS.shape)
    for options in ({"cache": layer.init_cache(3, 7)}, {"cache_index": 0}):
        with pytest.raises(ValueError, match="`cache` and `cache_index` belong"):
            layer(INPUTS, **options)


def test_a_mask_of_pairs_tells_the_padding_of_a_past():
    layer = _built(INPUTS.shape)
    is_real = np.array([[0, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 1, 1, 1]], "bool")
    expected = to_numpy(layer(INPUTS, decoder_padding_mask=is_real))
    past = np.pad(is_real, ((0, 0), (0, 2)))[:, None]
    found, cache = [], layer.init_cache(3, 7)
    for start, end in ((0, 2), (2, 5)):
        output, cache = layer(
            INPUTS[:, start:end],
            decoder_attention_mask=past,
            cache=cache,
            cache_index=start,
        )
        found.append(to_numpy(output))
    found = np.concatenate(found, axis=1)
    np.testing.assert_allclose(found[is_real], expected[is_real], atol=2e-5)


@pytest.mark.parametrize("options", GRID[:2], ids=str)
def test_a_block_that_is_not_causal_sees_both_sides(options):
    layer = _built(INPUTS.shape, MEMORY.shape, **options)
    block = KerasBlock(layer)
    hidden = block.sublayer(
        "self_attention_residual", INPUTS, block.attention("self_attention")
    )
    hidden = block.sublayer(
        "cross_attention_residual",
        hidden,
        block.attention("cross_attention", keras.ops.convert_to_tensor(MEMORY)),
    )
    expected = block.sublayer("feed_forward_residual", hidden, block.feed_forward)
    found = layer(INPUTS, MEMORY, use_causal_mask=False)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=2e-5)
    stack = DecoderStack([layer])
    memory = {"sequence": MEMORY, "mask": np.ones(MEMORY.shape[:2], "bool")}
    for use_causal_mask in (True, False):
        found = stack(INPUTS, memory, use_causal_mask=use_causal_mask)
        expected = layer(INPUTS, MEMORY, use_causal_mask=use_causal_mask)
        if options.get("normalize_first", False):
            expected = stack._normalize(expected)
        np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=1e-5)
    cache = layer.init_cache(3, 5, MEMORY)
    with pytest.raises(ValueError, match="`cache` .*use_causal_mask=False"):
        layer(INPUTS, cache=cache, cache_index=0, use_causal_mask=False)
