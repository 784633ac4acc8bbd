"""Softmax under a mask, and the sum that it weighs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_attention import functional
from tests import oracles
from tests.backends import compiled, input_gradient, to_numpy
from tests.tensors import booleans, normal

pytestmark = pytest.mark.whole("tensorflow")

SEEDS = st.integers(0, 10_000)
DTYPES = ("float32", "float16", "bfloat16")
ROUNDING = {"float32": 1e-6, "float16": 1e-3, "bfloat16": 8e-3}


@given(seed=SEEDS, dtype=st.sampled_from(DTYPES), per_row=st.booleans())
def test_masked_softmax_is_that_of_the_allowed_entries(seed, dtype, per_row):
    scores = to_numpy(ops.cast(normal(3, 5, 7, seed=seed), dtype)).astype("float32")
    mask = booleans(3, 1 if per_row else 5, 7, seed=seed + 1)
    mask[0, 0] = False
    weights = functional.masked_softmax(ops.cast(scores, dtype), mask)
    expected = oracles.masked_softmax(scores, np.broadcast_to(mask, scores.shape))
    np.testing.assert_allclose(to_numpy(weights), expected, atol=ROUNDING[dtype])
    assert not to_numpy(weights)[~np.broadcast_to(mask, scores.shape)].any()


def test_masked_softmax_without_a_mask_allows_everything():
    scores = normal(3, 5)
    expected = oracles.masked_softmax(scores, np.ones((3, 5), "bool"))
    np.testing.assert_allclose(
        to_numpy(functional.masked_softmax(scores)), expected, atol=1e-6
    )


@pytest.mark.parametrize("masked", [np.inf, -np.inf, np.nan, 3e38, -3e38])
@pytest.mark.parametrize("rest", [0.0, 3e38, -3e38])
def test_masked_scores_have_no_influence(masked, rest):
    scores = np.array([[masked, rest, rest - 1]], "float32")
    weights = to_numpy(functional.masked_softmax(scores, [[False, True, True]]))
    same = functional.masked_softmax(scores[:, 1:])
    np.testing.assert_allclose(weights, [[0, *to_numpy(same)[0]]], atol=1e-7)


def test_scores_of_minus_infinity_leave_masked_ones_without_weight():
    weights = functional.masked_softmax([[-np.inf, 5.0, 7.0]], [[True, False, False]])
    assert not to_numpy(weights).any()


def test_a_single_entry_gets_all_the_weight_without_a_warning():
    scores, mask = normal(3, 5, 1), booleans(3, 5, 1)
    weights = functional.masked_softmax(scores)
    np.testing.assert_array_equal(to_numpy(weights), np.ones((3, 5, 1)))
    np.testing.assert_array_equal(
        to_numpy(functional.masked_softmax(scores, mask)), mask
    )


def test_zeros_and_ones_are_a_mask():
    scores, mask = normal(3, 5), booleans(3, 5, seed=2)
    np.testing.assert_array_equal(
        to_numpy(functional.masked_softmax(scores, mask.astype("int32"))),
        to_numpy(functional.masked_softmax(scores, mask)),
    )


def test_gradient_is_finite_where_nothing_is_allowed():
    scores, factors = normal(3, 5), normal(3, 5, seed=3)
    mask = np.array([[True] * 5, [False] * 5, [True] + [False] * 4])
    gradient = input_gradient(
        lambda scores: ops.sum(
            ops.multiply(functional.masked_softmax(scores, mask), factors)
        ),
        scores,
    )
    assert np.isfinite(gradient).all()
    assert gradient[0].any()
    assert not gradient[1].any()


@pytest.mark.parametrize(("heads", "key_value_heads"), [(1, 1), (6, 6), (6, 2), (6, 1)])
def test_attend_sums_the_values_by_their_weights(heads, key_value_heads):
    weights = normal(3, heads, 5, 7)
    values = normal(3, key_value_heads, 7, 11, seed=1)
    expected = np.zeros((3, heads, 5, 11))
    for b, n, t, s in np.ndindex(*weights.shape):
        group = n // (heads // key_value_heads)
        expected[b, n, t] += weights[b, n, t, s] * values[b, group, s]
    tensors = ops.convert_to_tensor(weights), ops.convert_to_tensor(values)
    for run in (functional.attend, compiled(functional.attend)):
        np.testing.assert_allclose(to_numpy(run(*tensors)), expected, atol=1e-5)


def test_attend_without_heads():
    weights, values = normal(3, 5, 7), normal(3, 7, 11, seed=1)
    expected = np.einsum("bts,bsd->btd", weights, values)
    found = functional.attend(
        ops.convert_to_tensor(weights), ops.convert_to_tensor(values)
    )
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-5)


def test_an_overflow_of_float16_is_no_nan():
    scores = np.array([[np.inf, 0, np.inf], [-np.inf, -np.inf, 3]], "float16")
    weights = to_numpy(functional.masked_softmax(scores))
    np.testing.assert_allclose(weights, [[0.5, 0, 0.5], [0, 0, 1]])
