"""Folding axes into sequences and back."""

import itertools

import numpy as np
import pytest
from keras import ops

from keras_attention.functional import fold, unfold

pytestmark = pytest.mark.whole("tensorflow")

AXES = [
    axes for count in (1, 2, 3) for axes in itertools.permutations((1, 2, 3), count)
]


@pytest.mark.parametrize("axes", AXES)
def test_unfold_undoes_fold(axes):
    tensor = np.random.default_rng(5).normal(size=(2, 3, 5, 7, 11)).astype("float32")
    folded = fold(ops.convert_to_tensor(tensor), axes)
    length = np.prod([tensor.shape[axis] for axis in axes])
    assert tuple(folded.shape) == (tensor.size // length // 11, length, 11)
    back = unfold(folded, ops.convert_to_tensor(tensor), axes)
    np.testing.assert_array_equal(ops.convert_to_numpy(back), tensor)


def test_fold_keeps_the_order_of_the_axes():
    tensor = np.arange(2 * 3 * 5 * 7).reshape(2, 3, 5, 7)
    folded = ops.convert_to_numpy(fold(ops.convert_to_tensor(tensor), (2,)))
    for batch, outer in itertools.product(range(2), range(3)):
        np.testing.assert_array_equal(folded[batch * 3 + outer], tensor[batch, outer])


def test_a_mask_of_positions_folds_without_features():
    mask = np.random.default_rng(6).random((2, 3, 5)) > 0.5
    folded = ops.convert_to_numpy(fold(ops.convert_to_tensor(mask), (2,), trailing=0))
    np.testing.assert_array_equal(folded, mask.reshape(6, 5))
