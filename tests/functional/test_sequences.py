"""Reversing what is real of each row, and what becomes of the padding."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention import functional
from tests.backends import BACKEND, to_numpy
from tests.tensors import normal, real_positions


@given(lengths=st.lists(st.integers(0, 7), min_size=1, max_size=5))
def test_real_positions_are_reversed_and_padding_stays(lengths):
    inputs = normal(len(lengths), 7, 3)
    mask = real_positions(lengths, 7)
    found = to_numpy(functional.reverse_sequence(inputs, mask))
    for row, reversed_row, length in zip(inputs, found, lengths, strict=True):
        np.testing.assert_array_equal(reversed_row[:length], row[:length][::-1])
        np.testing.assert_array_equal(reversed_row[length:], row[length:])
    again = functional.reverse_sequence(found, mask)
    np.testing.assert_array_equal(to_numpy(again), inputs)


@given(
    rows=st.lists(
        st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=4
    )
)
def test_padding_may_be_anywhere(rows):
    inputs, mask = normal(len(rows), 6, 2), np.array(rows)
    found = to_numpy(functional.reverse_sequence(inputs, mask))
    for row, reversed_row, is_real in zip(inputs, found, mask, strict=True):
        np.testing.assert_array_equal(reversed_row[is_real], row[is_real][::-1])
        np.testing.assert_array_equal(reversed_row[~is_real], row[~is_real])


def test_without_a_mask_all_is_reversed():
    inputs = normal(3, 5, 7)
    found = functional.reverse_sequence(inputs)
    np.testing.assert_array_equal(to_numpy(found), inputs[:, ::-1])


@given(
    rows=st.lists(
        st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=3
    )
)
def test_padding_becomes_zeros(rows):
    inputs = normal(len(rows), 5, 3)
    mask = np.array(rows)
    tensors = keras.ops.convert_to_tensor(inputs), keras.ops.convert_to_tensor(mask)
    found = to_numpy(functional.zero_padding(*tensors))
    np.testing.assert_array_equal(found[mask], inputs[mask])
    assert not found[~mask].any()
    assert functional.zero_padding(inputs, None) is inputs


def _write_at_each_axis():
    for axis in range(3):
        tensor, part = normal(3, 5, 7), normal(3, 5, 7, seed=1).take([0, 1], axis)
        expected = tensor.copy()
        expected[(slice(None),) * axis + (slice(1, 3),)] = part
        tensors = keras.ops.convert_to_tensor(tensor), keras.ops.convert_to_tensor(part)
        for index in (1, np.int64(1), keras.ops.convert_to_tensor(1, "int32")):
            found = to_numpy(functional.write_at(*tensors, index, axis))
            np.testing.assert_array_equal(found, expected)


def test_a_part_is_written_at_an_index():
    _write_at_each_axis()


@pytest.mark.skipif(BACKEND != "jax", reason="it has a mode for 64 bits")
def test_a_part_is_written_where_integers_have_64_bits():
    import jax

    with jax.enable_x64(True):
        _write_at_each_axis()
