"""Boolean masks and their combinations."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_attention import functional
from tests import oracles
from tests.backends import compiled, to_numpy
from tests.tensors import booleans

pytestmark = pytest.mark.whole("tensorflow")


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


def test_an_implicit_mask_is_read_and_set_in_compiled_functions_too():
    mask, other = booleans(3, 7), booleans(3, 7, seed=1)
    embedding = keras.layers.Embedding(2, 5, mask_zero=True)
    embedding.build()

    def run(ids, other):
        embedded = embedding(ids)
        doubled = functional.with_mask(embedded * 2.0, other)
        copy = keras.layers.Activation("linear")(doubled)
        assert functional.implicit_mask(embedded * 2.0) is None
        assert functional.implicit_mask(None) is None
        return [functional.implicit_mask(tensor) for tensor in (embedded, copy)]

    for function in (run, compiled(run)):
        ids = ops.convert_to_tensor(mask.astype("int32"))
        found = to_numpy(function(ids, ops.convert_to_tensor(other)))
        np.testing.assert_array_equal(found[0], mask)
        np.testing.assert_array_equal(found[1], other)


@pytest.mark.parametrize("dtype", ["float16", "int32"])
def test_reading_a_mask_leaves_the_tensor_as_it_is(dtype):
    def run(numbers):
        masked = functional.with_mask(numbers, numbers > 0)
        return ops.cast(functional.implicit_mask(masked), dtype), masked

    numbers = ops.convert_to_tensor(booleans(3, 7).astype(dtype))
    for found in to_numpy(compiled(run)(numbers)):
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, to_numpy(numbers))
