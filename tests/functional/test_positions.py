"""Waves, rotations, slopes and buckets by their formulas."""

import math

import numpy as np
import pytest
from keras import ops

from keras_attention import functional
from tests import oracles
from tests.backends import to_numpy
from tests.tensors import normal

pytestmark = pytest.mark.whole("tensorflow")


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


@pytest.mark.parametrize("wavelength", [10_000.0, 50.0])
def test_rotation_turns_pairs_as_complex_numbers(wavelength):
    inputs, positions = normal(2, 3, 5, 8), np.array([0, 1, 7, 300, 4000])
    found = to_numpy(functional.rotate(inputs, positions, wavelength, 2.0))
    pairs = inputs[..., :4] + 1j * inputs[..., 4:]
    for t, position in enumerate(positions):
        for i in range(4):
            angle = position / 2.0 / wavelength ** (2 * i / 8)
            turned = pairs[:, :, t, i] * np.exp(1j * angle)
            np.testing.assert_allclose(found[:, :, t, i], turned.real, atol=1e-3)
            np.testing.assert_allclose(found[:, :, t, i + 4], turned.imag, atol=1e-3)


def test_products_of_rotated_vectors_depend_on_the_distance_alone():
    query, key = normal(1, 8), normal(1, 8, seed=1)

    def product(query_position, key_position):
        turned = functional.rotate(query, [query_position])
        other = functional.rotate(key, [key_position])
        return float(np.sum(to_numpy(turned) * to_numpy(other)))

    assert product(3, 5) == pytest.approx(product(13, 15), abs=1e-4)
    assert product(3, 5) != pytest.approx(product(5, 3), abs=1e-2)
    assert product(3, 5) != pytest.approx(product(3, 6), abs=1e-2)


def test_rotation_in_half_precision_tells_far_positions_apart():
    inputs = ops.ones((2048, 8), "bfloat16")
    turned = to_numpy(functional.rotate(inputs, np.arange(2048)))
    assert len(np.unique(turned, axis=0)) > 2000


@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        (1, [8]),
        (2, [4, 8]),
        (8, [1, 2, 3, 4, 5, 6, 7, 8]),
        # Of four heads, then those between them in the slopes of eight.
        (6, [2, 4, 6, 8, 1, 3]),
    ],
)
def test_alibi_slopes_are_those_of_the_paper(heads, expected):
    assert functional.alibi_slopes(heads) == [2.0**-power for power in expected]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    ("buckets", "farthest"), [(32, 128), (8, 20), (4, 5), (12, 30)]
)
def test_relative_buckets(buckets, farthest, bidirectional):
    distances = np.arange(-300, 301)
    found = to_numpy(
        functional.relative_buckets(distances, buckets, farthest, bidirectional)
    )
    half = buckets // 2 if bidirectional else buckets
    single = half // 2
    for distance, bucket in zip(distances.tolist(), found.tolist(), strict=True):
        ahead = bidirectional and distance > 0
        size = abs(distance) if bidirectional else max(-distance, 0)
        if size < single:
            expected = size
        else:
            share = math.log(size / single) / math.log(farthest / single)
            # The logarithm in float32 may fall on either side of a border.
            near = {
                min(single + int(share * (half - single) + bend), half - 1)
                for bend in (-1e-5, 1e-5)
            }
            assert bucket - (half if ahead else 0) in near
            continue
        assert bucket == expected + (half if ahead else 0)
