"""Scores against a loop over every pair."""

import numpy as np
import pytest
from keras import ops

from keras_attention import functional
from tests import oracles
from tests.backends import input_gradient, to_numpy
from tests.tensors import normal

pytestmark = pytest.mark.whole("tensorflow")

QUERY, KEY = normal(3, 5, 11), normal(3, 7, 11, seed=1)


def _by_pairs(score):
    scores = np.zeros((3, 5, 7))
    for b, t, s in np.ndindex(*scores.shape):
        scores[b, t, s] = score(QUERY[b, t], KEY[b, s])
    return scores


@pytest.mark.parametrize(
    ("function", "score"),
    [
        (functional.dot_scores, oracles.dot),
        (functional.scaled_dot_scores, oracles.scaled_dot),
        (functional.cosine_scores, oracles.cosine),
    ],
)
def test_scores_of_every_pair(function, score):
    found = function(ops.convert_to_tensor(QUERY), ops.convert_to_tensor(KEY))
    np.testing.assert_allclose(to_numpy(found), _by_pairs(score), atol=1e-5)


def test_additive_scores_of_every_pair():
    energy = normal(11, 1, seed=2)
    expected = _by_pairs(lambda q, k: oracles.dot(np.tanh(q + k), energy[:, 0]))
    found = functional.additive_scores(
        ops.convert_to_tensor(QUERY),
        ops.convert_to_tensor(KEY),
        lambda hidden: ops.matmul(hidden, energy),
    )
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-5)


@pytest.mark.parametrize("key_heads", [6, 3, 1])
def test_grouped_scores_share_a_key_head_among_neighbours(key_heads):
    query, key = normal(3, 6, 5, 11), normal(3, key_heads, 7, 11, seed=1)
    expected = np.zeros((3, 6, 5, 7))
    for b, n, t, s in np.ndindex(*expected.shape):
        shared = key[b, n * key_heads // 6, s]
        expected[b, n, t, s] = oracles.scaled_dot(query[b, n, t], shared)
    found = functional.grouped_scores(
        ops.convert_to_tensor(query), ops.convert_to_tensor(key)
    )
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-5)


def test_cosine_of_a_vector_of_zeros_is_zero_and_has_a_gradient():
    query = QUERY.copy()
    query[1] = 0
    scores = functional.cosine_scores(ops.convert_to_tensor(query), KEY)
    assert not to_numpy(scores)[1].any()
    assert to_numpy(scores)[0].any()
    gradient = input_gradient(
        lambda query: ops.sum(functional.cosine_scores(query, KEY)), query
    )
    assert np.isfinite(gradient).all()


def test_scaled_dot_of_long_half_precision_vectors_does_not_overflow():
    query = ops.full((1, 1, 1024), 12.0, "float16")
    # The sum of products, 147,456, is beyond the largest float16; its scaled value not.
    scores = functional.scaled_dot_scores(query, query)
    np.testing.assert_allclose(to_numpy(scores), 147_456 / 32, rtol=1e-2)


def test_the_cosine_of_short_vectors_in_float16():
    query, key = (normal(1, 3, 64, seed=seed) * 1e-6 for seed in (0, 1))
    halves = [ops.cast(part, "float16") for part in (query, key)]
    found = to_numpy(ops.cast(functional.cosine_scores(*halves), "float32"))
    expected = functional.cosine_scores(*(ops.cast(p, "float32") for p in halves))
    np.testing.assert_allclose(found, to_numpy(expected), atol=2e-3)
