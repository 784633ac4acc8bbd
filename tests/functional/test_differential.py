"""The difference of two softmax maps, by the formulas of the paper."""

import math

import numpy as np
import pytest
from keras import ops

from keras_attention import functional
from tests import oracles
from tests.backends import to_numpy
from tests.tensors import booleans, normal


@pytest.mark.parametrize("per_head", [False, True])
def test_weights_are_the_difference_of_two_softmaxes(per_head):
    scores = normal(3, 4, 5, 7)
    mask = booleans(3, 2 if per_head else 1, 5, 7, seed=1)
    mask[0, :, 2] = False
    found = functional.differential_weights(ops.convert_to_tensor(scores), 0.3, mask)
    pairs = np.broadcast_to(mask, (3, 2, 5, 7))
    first, second = (
        oracles.masked_softmax(part, pairs) for part in (scores[:, :2], scores[:, 2:])
    )
    np.testing.assert_allclose(to_numpy(found), first - 0.3 * second, atol=1e-6)
    assert not to_numpy(found)[~pairs].any()
    assert to_numpy(found).min() < 0


def test_lambda_is_what_four_vectors_make_of_its_beginning():
    vectors = [normal(5, seed=seed) / 2 for seed in range(4)]
    first_query, first_key, second_query, second_key = vectors
    expected = math.exp(oracles.dot(first_query, first_key))
    expected += 0.4 - math.exp(oracles.dot(second_query, second_key))
    found = functional.differential_lambda(vectors, 0.4)
    np.testing.assert_allclose(to_numpy(found), expected, rtol=1e-6)


@pytest.mark.parametrize(("depth", "expected"), [(1, 0.2), (2, 0.3555), (9, 0.7456)])
def test_lambda_begins_higher_in_higher_blocks(depth, expected):
    assert functional.initial_lambda(depth) == pytest.approx(expected, abs=1e-4)
