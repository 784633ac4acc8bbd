"""Attention by sums of features, against sums over all pairs."""

import numpy as np
import pytest
from keras import ops

from keras_attention import functional
from tests.backends import compiled, on_unknown_shapes, to_numpy
from tests.tensors import booleans, normal

BATCH, HEADS, DIM, VALUE = 3, 2, 5, 3


def parts(target, source):
    """Features of queries and keys, some keys masked, and values."""
    query, key = (
        np.exp(normal(BATCH, HEADS, length, DIM, seed=length))
        for length in (target, source)
    )
    mask = booleans(BATCH, 1, source, 1, seed=2)
    mask[0] = False
    return query, np.where(mask, key, 0), normal(BATCH, HEADS, source, VALUE, seed=3)


def by_pairs(query, key, value, causal):
    """Context and weights, pair by pair."""
    target, source = query.shape[2], key.shape[2]
    weights = np.zeros((BATCH, HEADS, target, source))
    for b, n, t in np.ndindex(BATCH, HEADS, target):
        seen = range(min(t + 1, source) if causal else source)
        products = {s: sum(query[b, n, t] * key[b, n, s]) for s in seen}
        total = sum(products.values())
        for s in seen:
            weights[b, n, t, s] = products[s] / total if total else 0.0
    return np.einsum("bnts,bnsv->bntv", weights, value), weights


def empty_state():
    return ops.zeros((BATCH, HEADS, DIM, VALUE + 1))


def test_features_are_those_of_an_elu_and_exact_below():
    inputs = np.array([-80.0, -20.0, -1.0, 0.0, 0.5, 3.0], "float32")
    expected = np.where(inputs > 0, inputs + 1, np.exp(inputs.astype("float64")))
    found = to_numpy(functional.positive_features(inputs))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    theirs = to_numpy(ops.elu(inputs)) + 1
    np.testing.assert_allclose(found, theirs, atol=1e-6)


def test_all_keys_at_once():
    query, key, value = parts(4, 7)
    state = functional.linear_state(key, ops.convert_to_tensor(value))
    found = functional.linear_attention(query, state)
    expected, weights = by_pairs(query, key, value, causal=False)
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-5)
    asked = to_numpy(functional.linear_weights(query, key))
    np.testing.assert_allclose(asked, weights, atol=1e-6)
    assert not to_numpy(found)[0].any()


@pytest.mark.parametrize("lengths", [(7, 7), (7, 4), (4, 7), (1, 1)], ids=str)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_chunks_of_any_size_are_the_sums_up_to_each_position(size, lengths):
    inputs = parts(*lengths)
    expected, weights = by_pairs(*inputs, causal=True)
    names = ("query", "key", "value")

    def run(named):
        found = functional.causal_linear_attention(
            *(named[name] for name in names), empty_state(), size
        )
        return found[0]

    named = {
        name: ops.convert_to_tensor(part, "float32")
        for name, part in zip(names, inputs, strict=True)
    }
    unknown = {
        name: (*part.shape[:2], None, part.shape[3]) for name, part in named.items()
    }
    for function in (run, compiled(run), on_unknown_shapes(run, named, unknown)):
        np.testing.assert_allclose(to_numpy(function(named)), expected, atol=1e-5)
    asked = functional.linear_weights(*inputs[:2], causal=True)
    np.testing.assert_allclose(to_numpy(asked), weights, atol=1e-6)


@pytest.mark.parametrize("cut", [0, 1, 4, 7])
def test_a_state_is_all_that_the_past_leaves(cut):
    query, key, value = map(ops.convert_to_tensor, parts(7, 7))
    whole, last = functional.causal_linear_attention(
        query, key, value, empty_state(), 3
    )
    state, found = empty_state(), []
    for part in (slice(0, cut), slice(cut, 7)):
        context, state = functional.causal_linear_attention(
            query[:, :, part], key[:, :, part], value[:, :, part], state, 3
        )
        found.append(to_numpy(context))
    np.testing.assert_allclose(
        np.concatenate(found, axis=2), to_numpy(whole), atol=1e-5
    )
    np.testing.assert_allclose(to_numpy(state), to_numpy(last), atol=1e-5)
    everything = functional.linear_state(key, value)
    np.testing.assert_allclose(to_numpy(last), to_numpy(everything), atol=1e-5)


def test_what_comes_later_is_not_rounded_into_the_past():
    query, key, value = parts(6, 6)
    huge = value.copy()
    huge[:, :, 4:] = 1e30
    found, expected = (
        to_numpy(
            functional.causal_linear_attention(
                *map(ops.convert_to_tensor, (query, key, part)), empty_state(), 2
            )[0]
        )
        for part in (huge, value)
    )
    np.testing.assert_array_equal(found[:, :, :4], expected[:, :, :4])
