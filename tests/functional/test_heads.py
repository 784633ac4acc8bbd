"""Splitting into heads, and back."""

import numpy as np
from keras import ops

from keras_attention import functional
from tests.backends import to_numpy
from tests.tensors import normal


def test_a_head_is_a_slice_of_the_features():
    inputs = normal(3, 5, 14)
    heads = to_numpy(functional.split_heads(ops.convert_to_tensor(inputs), 2))
    assert heads.shape == (3, 2, 5, 7)
    np.testing.assert_array_equal(heads[:, 0], inputs[..., :7])
    np.testing.assert_array_equal(heads[:, 1], inputs[..., 7:])


def test_merging_undoes_splitting():
    inputs = ops.convert_to_tensor(normal(3, 5, 14))
    merged = functional.merge_heads(functional.split_heads(inputs, 7))
    np.testing.assert_array_equal(to_numpy(merged), to_numpy(inputs))
