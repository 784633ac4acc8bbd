"""`RotaryEmbedding`, called on tensors of one's own."""

import math

import numpy as np
import pytest

from keras_attention.layers import RotaryEmbedding
from tests.backends import to_numpy
from tests.tensors import normal


def turned(vectors, positions, wavelength=10_000.0):
    """Features as complex numbers, times those of their angles."""
    half = vectors.shape[-1] // 2
    numbers = vectors[..., :half] + 1j * vectors[..., half:]
    frequencies = np.array([wavelength ** (-i / half) for i in range(half)])
    numbers = numbers * np.exp(1j * positions[:, None] * frequencies)
    return np.concatenate([numbers.real, numbers.imag], axis=-1)


@pytest.mark.whole
@pytest.mark.parametrize("start", [0, 3])
@pytest.mark.parametrize("axis", [1, -2])
def test_positions_are_counted_from_the_first(start, axis):
    inputs = normal(2, 5, 8)
    layer = RotaryEmbedding(sequence_axis=axis)
    found = to_numpy(layer(inputs, start_index=start))
    np.testing.assert_allclose(found, turned(inputs, start + np.arange(5)), atol=1e-5)


def test_positions_may_be_given():
    inputs, positions = normal(2, 3, 5, 4), np.array([7, 0, 2, 2, 1])
    layer = RotaryEmbedding(max_wavelength=100, scaling_factor=2.0, sequence_axis=2)
    expected = turned(inputs, positions / 2, 100.0)
    found = to_numpy(layer(inputs, positions=positions))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    # axis 1 of the same tensor: one position for all that lies behind it
    by_axis = RotaryEmbedding(sequence_axis=1)(inputs)
    expected = turned(inputs.swapaxes(1, 2), np.arange(3)).swapaxes(1, 2)
    np.testing.assert_allclose(to_numpy(by_axis), expected, atol=1e-5)


@pytest.mark.parametrize("axis", [0, 3, -1, -4, 5])
def test_an_axis_that_holds_no_sequence_is_refused(axis):
    with pytest.raises(
        ValueError, match=f"`sequence_axis` must .*sequence_axis={axis}"
    ):
        RotaryEmbedding(sequence_axis=axis)(normal(2, 3, 5, 4))


def test_features_turn_in_pairs():
    with pytest.raises(ValueError, match="must be even"):
        RotaryEmbedding()(normal(2, 3, 5))
    assert math.isclose(
        np.linalg.norm(to_numpy(RotaryEmbedding()(normal(1, 9, 6)))),
        np.linalg.norm(normal(1, 9, 6)),
        rel_tol=1e-6,
    )
