"""Boolean masks and their combinations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_attention import functional
from tests import oracles
from tests.backends import compiled, to_numpy
from tests.tensors import booleans


@given(target=st.integers(1, 7), source=st.integers(1, 7))
def test_causal_mask_counts_from_the_first_of_each(target, source):
    expected = oracles.pair_mask(1, target, source, causal=True)[0]
    found = to_numpy(functional.causal_mask(target, source))
    assert found.dtype == bool
    np.testing.assert_array_equal(found, expected)


def test_causal_mask_of_lengths_that_are_tensors():
    found = functional.causal_mask(2, ops.shape(ops.ones((5, 7)))[1])
    np.testing.assert_array_equal(
        to_numpy(found), oracles.pair_mask(1, 2, 7, causal=True)[0]
    )


@given(present=st.tuples(*[st.booleans()] * 4), seed=st.integers(0, 10_000))
def test_pairwise_mask_allows_what_every_mask_allows(present, seed):
    shapes = {
        "query_mask": (3, 5),
        "value_mask": (3, 7),
        "key_mask": (3, 7),
        "attention_mask": (3, 5, 7),
    }
    masks = {
        name: booleans(*shape, seed=seed + index)
        for index, (name, shape) in enumerate(shapes.items())
        if present[index]
    }
    found = functional.pairwise_mask(**masks)
    if not masks:
        assert found is None
        return
    expected = oracles.pair_mask(3, 5, 7, **masks)
    np.testing.assert_array_equal(
        np.broadcast_to(to_numpy(found), expected.shape), expected
    )


def test_combined_masks_ignore_none_and_take_numbers():
    first, second = booleans(3, 5), booleans(3, 5, seed=1)
    assert functional.combine_masks(None, None) is None
    found = functional.combine_masks(first, None, second.astype("float32"))
    np.testing.assert_array_equal(to_numpy(found), first & second)


@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
def test_as_boolean(dtype):
    mask = booleans(3, 5)
    found = to_numpy(functional.as_boolean(ops.cast(mask, dtype)))
    assert found.dtype == bool
    np.testing.assert_array_equal(found, mask)


def test_masks_compile():
    mask = booleans(3, 7)

    def run(mask):
        return functional.combine_masks(
            functional.pairwise_mask(value_mask=mask), functional.causal_mask(5, 7)
        )

    expected = oracles.pair_mask(3, 5, 7, value_mask=mask, causal=True)
    np.testing.assert_array_equal(to_numpy(compiled(run)(mask)), expected)
