"""`MultiHeadAttention` against loops, Keras's layers, and itself step by step."""

import keras
import numpy as np
import pytest

from keras_attention.layers import MultiHeadAttention, RotaryEmbedding
from tests import oracles
from tests.attention_steps import stepwise
from tests.backends import compiled, to_numpy
from tests.tensors import booleans, normal, randomize, real_positions, weights_by_name

QUERY, VALUE, KEY = normal(3, 5, 11), normal(3, 7, 13, seed=1), normal(3, 7, 17, seed=2)
MASKS = {
    "query_mask": real_positions([5, 3, 4], 5),
    "value_mask": real_positions([7, 5, 0], 7),
    "key_mask": booleans(3, 7, seed=3),
    "attention_mask": booleans(3, 5, 7, seed=4),
}


def _built(layer, *shapes):
    layer.build(*(shapes or (QUERY.shape, VALUE.shape, KEY.shape)))
    return randomize(layer)


def _expected(layer, mask):
    return oracles.multi_head_attention(
        QUERY,
        VALUE,
        KEY,
        weights_by_name(layer),
        layer.num_heads,
        layer.num_key_value_heads or layer.num_heads,
        mask,
    )


def _over_heads(mask, heads=6):
    return np.repeat(mask[:, None], heads, axis=1)


def _assert_pair(found, expected):
    for part, wanted in zip(to_numpy(found), expected, strict=True):
        np.testing.assert_allclose(part, wanted, atol=2e-5)


@pytest.mark.parametrize(
    ("masks", "causal", "key_value_heads"),
    [
        *(((name,), False, 3) for name in MASKS),
        *((masks, True, 2) for masks in ((), tuple(MASKS))),
        *((tuple(MASKS), False, heads) for heads in (None, 6, 1)),
    ],
)
def test_output_and_weights(masks, causal, key_value_heads):
    options = {name: MASKS[name] for name in masks}
    layer = _built(
        MultiHeadAttention(6, 2, value_dim=3, num_key_value_heads=key_value_heads)
    )
    found = layer(
        QUERY,
        VALUE,
        KEY,
        use_causal_mask=causal,
        return_attention_scores=True,
        **options,
    )
    mask = oracles.pair_mask(3, 5, 7, causal=causal, **options)
    _assert_pair(found, _expected(layer, _over_heads(mask)))


@pytest.mark.parametrize(
    "shape", [(5, 7), (1, 7), (1, 5, 7), (3, 1, 7), (3, 6, 5, 7), (1, 6, 1, 7)]
)
def test_attention_mask_is_broadcast(shape):
    layer = _built(MultiHeadAttention(6, 2))
    mask = booleans(*shape, seed=6)
    found = layer(QUERY, VALUE, KEY, attention_mask=mask, return_attention_scores=True)
    full = mask[:, None] if mask.ndim == 3 else mask
    _assert_pair(found, _expected(layer, np.broadcast_to(full, (3, 6, 5, 7))))


@pytest.mark.parametrize("longer", ["query", "value"])
def test_causal_positions_count_from_the_first(longer):
    query, value = normal(3, 5, 11), normal(3, 2 if longer == "query" else 7, 11)
    layer = _built(MultiHeadAttention(2, 3), query.shape, value.shape)
    _, weights = layer(query, value, use_causal_mask=True, return_attention_scores=True)
    seen = to_numpy(weights) > 0
    source = value.shape[1]
    expected = oracles.pair_mask(3, 5, source, causal=True)
    np.testing.assert_array_equal(seen, _over_heads(expected, 2))


def test_an_output_of_several_axes_is_the_flat_one_in_another_shape():
    flat = _built(MultiHeadAttention(2, 3, output_shape=10))
    shaped = _built(MultiHeadAttention(2, 3, output_shape=(2, 5)))
    expected = to_numpy(flat(QUERY, VALUE, KEY)).reshape(3, 5, 2, 5)
    np.testing.assert_allclose(to_numpy(shaped(QUERY, VALUE, KEY)), expected, atol=1e-6)


def _copied_from(theirs, ours, *shapes):
    """Keras keeps the heads of a projection as an axis of their own."""
    ours.build(*shapes)
    for weight in ours.weights:
        projection, kind = weight.path.split("/")[-2:]
        copied = getattr(getattr(theirs, f"_{projection}_dense"), kind)
        weight.assign(to_numpy(copied).reshape(weight.shape))
    return ours


@pytest.mark.parametrize("causal", [False, True])
def test_equals_keras_multi_head_attention(causal):
    query, value, key = normal(3, 7, 11), VALUE, KEY
    masks = {
        "value_mask": keras.ops.convert_to_tensor(real_positions([7, 5, 3], 7)),
        "attention_mask": keras.ops.convert_to_tensor(
            booleans(3, 7, 7, seed=4) | np.eye(7, dtype="bool")
        ),
    }
    theirs = keras.layers.MultiHeadAttention(2, 3, value_dim=5, output_shape=19)
    theirs.build(query.shape, value.shape, key.shape)
    randomize(theirs)
    expected, expected_weights = theirs(
        query,
        value,
        key,
        use_causal_mask=causal,
        return_attention_scores=True,
        **masks,
    )
    ours = _copied_from(
        theirs,
        MultiHeadAttention(2, 3, value_dim=5, output_shape=19),
        query.shape,
        value.shape,
        key.shape,
    )
    found, weights = ours(
        query,
        value,
        key,
        use_causal_mask=causal,
        return_attention_scores=True,
        **masks,
    )
    # Where nothing is allowed Keras's weights are uniform, ours are zero.
    some = to_numpy(weights).any(axis=(1, 3))
    assert some.sum() > 12
    np.testing.assert_allclose(
        to_numpy(found)[some], to_numpy(expected)[some], atol=2e-5
    )
    np.testing.assert_allclose(
        to_numpy(weights).transpose(0, 2, 1, 3)[some],
        to_numpy(expected_weights).transpose(0, 2, 1, 3)[some],
        atol=1e-5,
    )


def test_equals_keras_grouped_query_attention():
    theirs = keras.layers.GroupQueryAttention(
        head_dim=3, num_query_heads=6, num_key_value_heads=2
    )
    shapes = QUERY.shape, VALUE.shape, KEY.shape
    theirs.build(*shapes)
    ours = _copied_from(
        randomize(theirs), MultiHeadAttention(6, 3, num_key_value_heads=2), *shapes
    )
    found = ours(QUERY, VALUE, KEY, return_attention_scores=True)
    expected = theirs(QUERY, VALUE, KEY, return_attention_scores=True)
    _assert_pair(found, to_numpy(expected))


@pytest.mark.parametrize("chunks", [[1] * 5, [2, 3], [5], [4, 1]], ids=str)
@pytest.mark.parametrize("key_value_heads", [None, 1])
def test_steps_over_a_cache_equal_one_causal_pass(chunks, key_value_heads):
    layer = _built(
        MultiHeadAttention(2, 3, num_key_value_heads=key_value_heads),
        QUERY.shape,
        QUERY.shape,
    )
    expected = to_numpy(layer(QUERY, QUERY, use_causal_mask=True))
    for max_length in (5, 11):
        found = stepwise(layer, QUERY, chunks, max_length)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_compiled_steps_take_the_index_as_a_tensor():
    layer = _built(MultiHeadAttention(2, 3), QUERY.shape, QUERY.shape)
    expected = to_numpy(layer(QUERY, QUERY, use_causal_mask=True))

    def step(query, value, cache, cache_index):
        return layer(query, value, cache=cache, cache_index=cache_index)

    run = compiled(step)
    found = stepwise(
        layer,
        QUERY,
        [1] * 5,
        7,
        lambda query, value, cache, cache_index: run(
            query, value, cache, np.int32(cache_index)
        ),
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_cache_is_not_changed_in_place():
    layer = _built(MultiHeadAttention(2, 3), QUERY.shape, QUERY.shape)
    cache = layer.init_cache(3, 5)
    layer(QUERY, QUERY, cache=cache, cache_index=0)
    for part in to_numpy(cache).values():
        assert not part.any()


def test_a_projected_memory_serves_in_place_of_the_memory():
    layer = _built(MultiHeadAttention(2, 3, value_dim=5))
    mask = MASKS["value_mask"]
    expected = layer(QUERY, VALUE, KEY, value_mask=mask, return_attention_scores=True)
    memory = layer.project_memory(VALUE, KEY)
    found = layer(QUERY, cache=memory, value_mask=mask, return_attention_scores=True)
    _assert_pair(found, to_numpy(expected))


def test_masks_cover_the_length_of_the_cache():
    layer = _built(MultiHeadAttention(2, 3), QUERY.shape, QUERY.shape)
    mask = real_positions([4, 5, 3], 5)
    expected = to_numpy(layer(QUERY, QUERY, value_mask=mask, use_causal_mask=True))
    found, _ = layer(
        QUERY, QUERY, value_mask=mask, cache=layer.init_cache(3, 5), cache_index=0
    )
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_heads": 0}, "`num_heads` must be .* Received: num_heads=0"),
        ({"key_dim": -3}, "`key_dim` must be .* Received: key_dim=-3"),
        ({"value_dim": 0}, "`value_dim` must be .* Received: value_dim=0"),
        ({"dropout": 2}, "`dropout` must be .* Received: dropout=2"),
        (
            {"output_shape": (5, 0)},
            r"`output_shape`: it must be .* Received: output_shape=\(5, 0\)",
        ),
        ({"output_shape": ()}, r"`output_shape`: .* Received: output_shape=\(\)"),
        ({"sliding_window": 0}, "`sliding_window` must .*: sliding_window=0"),
        ({"chunk_size": 1.5}, "`chunk_size` must .*: chunk_size=1.5"),
        ({"soft_cap": 0}, "`soft_cap` must .*: soft_cap=0"),
        ({"position": "rotary"}, "`position` must .*: position='rotary'"),
        (
            {"position": RotaryEmbedding()},
            "`key_dim` must be even.* Received: key_dim=3",
        ),
        (
            {"flash_attention": True, "dropout": 0.1},
            "Dropout .* flash_attention=True, dropout=0.1",
        ),
        (
            {"flash_attention": True, "soft_cap": 3.0},
            "`flash_attention` .* flash_attention=True, soft_cap=3.0",
        ),
        (
            {"num_key_value_heads": 0},
            "`num_key_value_heads` must be .* Received: num_key_value_heads=0",
        ),
        (
            {"num_key_value_heads": 4},
            "`num_key_value_heads` must divide `num_heads`.* "
            "Received: num_key_value_heads=4, num_heads=6",
        ),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        MultiHeadAttention(**{"num_heads": 6, "key_dim": 3, **options})


def test_key_and_value_of_unlike_lengths_are_refused():
    message = r"`key` and `value` .*key.shape=\(3, 5, 11\), value.shape=\(3, 7, 13\)"
    with pytest.raises(ValueError, match=message):
        MultiHeadAttention(2, 3)(QUERY, VALUE, QUERY)


@pytest.mark.parametrize(
    "theirs",
    [
        keras.layers.MultiHeadAttention(2, 3, value_dim=5, output_shape=6),
        keras.layers.MultiHeadAttention(
            2, 4, use_gate=True, use_bias=False, sliding_window=3, name="gated"
        ),
        keras.layers.GroupQueryAttention(3, 6, 2),
    ],
)
def test_from_keras_takes_arguments_and_weights(theirs):
    with pytest.raises(ValueError, match="`layer` must be built"):
        MultiHeadAttention.from_keras(theirs)
    theirs.build(QUERY.shape, VALUE.shape, KEY.shape)
    randomize(theirs)
    ours = MultiHeadAttention.from_keras(theirs)
    assert ours.name == theirs.name
    # Asked for its weights, since without them Keras's layer fails on JAX where values
    # are wider than keys.
    options = {"return_attention_scores": True}
    _assert_pair(
        ours(QUERY, VALUE, KEY, **options),
        to_numpy(theirs(QUERY, VALUE, KEY, **options)),
    )


def test_from_keras_refuses_other_layers():
    with pytest.raises(ValueError, match="`layer` must be a .*layer=<Dense"):
        MultiHeadAttention.from_keras(keras.layers.Dense(3))


def test_weights_of_a_fused_attention_are_refused():
    layer = _built(MultiHeadAttention(2, 3, flash_attention=True))
    with pytest.raises(ValueError, match="return_attention_scores=True, flash_att"):
        layer(QUERY, VALUE, KEY, return_attention_scores=True)
