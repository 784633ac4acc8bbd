"""Sines and cosines by the formula."""

import numpy as np
import pytest

from keras_attention import functional
from tests import oracles
from tests.backends import to_numpy


@pytest.mark.parametrize("dim", [1, 2, 7, 16])
def test_sinusoidal_positions_follow_the_formula(dim):
    positions = np.array([[0, 1, 2], [17, 255, 4999]])
    expected = np.array(
        [
            [[oracles.sinusoid(p, feature, dim) for feature in range(dim)] for p in row]
            for row in positions.tolist()
        ]
    )
    found = to_numpy(functional.sinusoidal_positions(positions, dim))
    assert found.dtype == np.float32
    # An angle of some thousand radians has three digits behind the point in float32.
    np.testing.assert_allclose(found, expected, atol=1e-3)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-6)


def test_far_positions_differ():
    waves = to_numpy(functional.sinusoidal_positions(np.arange(2048), 32))
    assert len(np.unique(waves, axis=0)) == 2048
