"""Properties of masks that every attention layer of the common calling form keeps."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_attention.layers import Attention, MultiHeadAttention
from tests import oracles
from tests.backends import gradients, to_numpy
from tests.tensors import booleans, normal, randomize, weights_by_name

MAKERS = {
    "dot": functools.partial(Attention, "dot"),
    "scaled_dot": functools.partial(Attention, "scaled_dot"),
    "general": functools.partial(Attention, "general"),
    "additive": functools.partial(Attention, "additive", units=5),
    "cosine": functools.partial(Attention, "cosine"),
    "multi_head": functools.partial(MultiHeadAttention, 2, 3),
    "grouped": functools.partial(MultiHeadAttention, 4, 3, num_key_value_heads=2),
}
QUERY = normal(3, 5, 11)
KEY, VALUE = normal(3, 7, 11, seed=1), normal(3, 7, 13, seed=2)
# A few numbers of positions only: some backends compile for each.
KEPT = st.tuples(st.permutations(range(7)), st.sampled_from([1, 4, 7])).map(
    lambda drawn: np.array(drawn[0]) < drawn[1]
)
SEEDS = st.integers(0, 10_000)
DTYPES = ("float32", "mixed_float16", "mixed_bfloat16")
ROUNDING = {"float32": 1e-5, "mixed_float16": 4e-3, "mixed_bfloat16": 3e-2}
every_layer = pytest.mark.parametrize("name", list(MAKERS))


@functools.cache
def _layer(name, dtype="float32", dropout=0.0):
    layer = MAKERS[name](dtype=dtype, dropout=dropout, seed=5)
    layer.build(QUERY.shape, VALUE.shape, KEY.shape)
    return randomize(layer)


def _call(layer, query=QUERY, value=VALUE, key=KEY, **options):
    """Output and weights `(B, N, T, S)`, one head for layers without heads."""
    output, weights = to_numpy(
        layer(query, value, key, return_attention_scores=True, **options)
    )
    return output, weights if weights.ndim == 4 else weights[:, None]


def _nothing(layer):
    """The output of a context of zeros."""
    return weights_by_name(layer).get("output/bias", 0.0)


@every_layer
@given(kept=KEPT)
def test_masking_equals_deleting(name, kept):
    layer = _layer(name)
    mask = np.broadcast_to(kept, (3, 7))
    output, weights = _call(layer, value_mask=mask)
    expected, rest = _call(layer, value=VALUE[:, kept], key=KEY[:, kept])
    np.testing.assert_allclose(output, expected, atol=1e-5)
    np.testing.assert_allclose(weights[..., kept], rest, atol=1e-5)
    assert not weights[..., ~kept].any()


@pytest.mark.parametrize("name", ["dot", "additive", "grouped"])
@pytest.mark.parametrize("dtype", DTYPES)
@given(seed=SEEDS)
def test_weights_sum_to_one_or_to_zero(name, dtype, seed):
    layer = _layer(name, dtype)
    masks = {
        "query_mask": booleans(3, 5, seed=seed),
        "value_mask": booleans(3, 7, seed=seed + 1),
        "attention_mask": booleans(3, 5, 7, seed=seed + 2),
    }
    masks["value_mask"][0] = False
    output, weights = _call(layer, **masks)
    allows_any = oracles.pair_mask(3, 5, 7, **masks).any(axis=-1)
    sums = np.broadcast_to(allows_any[:, None], weights.shape[:-1])
    np.testing.assert_allclose(weights.sum(axis=-1), sums, atol=3 * ROUNDING[dtype])
    assert not weights[~sums].any()
    np.testing.assert_allclose(
        output[~allows_any] - _nothing(layer), 0, atol=ROUNDING[dtype]
    )


@pytest.mark.parametrize("name", ["cosine", "additive", "grouped"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_are_finite_where_nothing_may_be_attended_to(name, dtype):
    layer = _layer(name, dtype)
    mask = np.array([[True] * 7, [False] * 7, [False] * 6 + [True]])

    def loss():
        output = layer(QUERY, VALUE, KEY, value_mask=mask)
        return ops.sum(ops.square(ops.cast(output, "float32")))

    for gradient in gradients(loss, layer.trainable_weights):
        assert np.isfinite(gradient).all()


@every_layer
@given(extreme=st.sampled_from([1e30, -1e30]), kept=KEPT)
def test_masked_keys_and_values_may_be_any_number(name, extreme, kept):
    layer = _layer(name)
    mask = np.broadcast_to(kept, (3, 7))
    expected = _call(layer, value_mask=mask)
    value, key = VALUE.copy(), KEY.copy()
    value[:, ~kept], key[:, ~kept] = extreme, -extreme
    found = _call(layer, value=value, key=key, value_mask=mask)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, atol=1e-5)


@pytest.mark.parametrize("name", ["general", "additive", "multi_head"])
def test_masked_keys_and_values_leave_gradients_alone(name):
    layer = _layer(name)
    mask = np.broadcast_to(np.arange(7) < 4, (3, 7))

    def gradients_with(number):
        value, key = VALUE.copy(), KEY.copy()
        value[:, 4:], key[:, 4:] = number, number

        def loss():
            return ops.sum(ops.square(layer(QUERY, value, key, value_mask=mask)))

        return gradients(loss, layer.trainable_weights)

    for found, expected in zip(gradients_with(1e30), gradients_with(0), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["dot", "scaled_dot", "cosine"])
def test_masked_values_may_be_the_largest_of_their_dtype(name, dtype):
    layer = _layer(name, dtype)
    kind = dtype.removeprefix("mixed_")
    largest = {"float16": 65504.0}.get(kind, 3.3e38)
    mask = np.broadcast_to(np.arange(7) < 4, (3, 7))
    value, key = VALUE.copy(), KEY.copy()
    value[:, 4:], key[:, 5:] = largest, -largest
    found = _call(layer, value=value, key=key, value_mask=mask)
    expected = _call(layer, value_mask=mask)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, atol=ROUNDING[dtype])


@every_layer
@given(targets=st.sampled_from([0, 2]), sources=st.sampled_from([0, 3]))
def test_appended_padding_changes_nothing(name, targets, sources):
    layer = _layer(name)

    def pad(inputs, count):
        padding = normal(3, count, inputs.shape[-1], seed=7) * 100
        return np.concatenate([inputs, padding], axis=1)

    expected, weights = _call(layer)
    output, found = _call(
        layer,
        pad(QUERY, targets),
        pad(VALUE, sources),
        pad(KEY, sources),
        query_mask=np.broadcast_to(np.arange(5 + targets) < 5, (3, 5 + targets)),
        value_mask=np.broadcast_to(np.arange(7 + sources) < 7, (3, 7 + sources)),
    )
    np.testing.assert_allclose(output[:, :5], expected, atol=1e-5)
    np.testing.assert_allclose(found[..., :5, :7], weights, atol=1e-5)
    assert not found[..., 5:, :].any()
    assert not found[..., 7:].any()


@every_layer
@given(order=st.permutations(range(7)), seed=SEEDS)
def test_permuting_the_memory_permutes_the_weights(name, order, seed):
    layer, mask = _layer(name), booleans(3, 7, seed=seed)
    expected, weights = _call(layer, value_mask=mask)
    output, permuted = _call(
        layer, value=VALUE[:, order], key=KEY[:, order], value_mask=mask[:, order]
    )
    np.testing.assert_allclose(output, expected, atol=1e-5)
    np.testing.assert_allclose(permuted, weights[..., order], atol=1e-5)


@every_layer
@given(
    causal=st.booleans(),
    present=st.tuples(*[st.booleans()] * 4),
    dropout=st.booleans(),
    with_scores=st.booleans(),
    seed=SEEDS,
)
def test_masks_hold_in_every_combination(
    name, causal, present, dropout, with_scores, seed
):
    layer = _layer(name, dropout=0.4 if dropout else 0.0)
    shapes = {
        "query_mask": (3, 5),
        "value_mask": (3, 7),
        "key_mask": (3, 7),
        "attention_mask": (3, 5, 7),
    }
    masks = {
        mask: booleans(*shape, seed=seed + index)
        for index, (mask, shape) in enumerate(shapes.items())
        if present[index]
    }
    allowed = oracles.pair_mask(3, 5, 7, causal=causal, **masks)
    found = layer(
        QUERY,
        VALUE,
        KEY,
        return_attention_scores=with_scores,
        training=dropout,
        use_causal_mask=causal,
        **masks,
    )
    output = to_numpy(found[0] if with_scores else found)
    # No value that is out of sight of all queries of a row moves its outputs.
    unseen = ~allowed.any(axis=1)
    assert np.isfinite(output).all()
    np.testing.assert_allclose(
        output[~allowed.any(axis=-1)] - _nothing(layer), 0, atol=1e-5
    )
    if with_scores:
        weights = to_numpy(found[1])
        heads = weights if weights.ndim == 4 else weights[:, None]
        for head in range(heads.shape[1]):
            assert not heads[:, head][~allowed].any()
            assert (heads[:, head][allowed] > 0).all()
    if not dropout:
        value = np.where(unseen[..., None], np.float32(1e30), VALUE)
        again = layer(QUERY, value, KEY, use_causal_mask=causal, **masks)
        np.testing.assert_allclose(to_numpy(again), output, atol=1e-5)
