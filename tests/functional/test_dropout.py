"""Dropout of pairs: its rate, and that pairs do not follow each other."""

import keras
import numpy as np
import pytest

from keras_attention import functional
from tests.backends import to_numpy

SIZES = 2, 3, 200, 500


def _kept(rate, seed=7):
    seeds = functional.pair_seeds(*SIZES, keras.random.SeedGenerator(seed))
    ones = np.ones(SIZES, "float32")
    return to_numpy(functional.drop_pairs(ones, seeds, rate))


@pytest.mark.parametrize("rate", [0.03, 0.1, 0.5, 0.9])
def test_rate(rate):
    kept = _kept(rate)
    np.testing.assert_array_equal(np.unique(kept), [0, 1])
    # Five deviations of a binomial of 600,000 draws.
    deviation = np.sqrt(rate * (1 - rate) / kept.size)
    assert abs((kept == 0).mean() - rate) < 5 * deviation


def test_rows_and_columns_vary_as_independent_draws_do():
    rate = 0.3
    dropped = (_kept(rate) == 0).reshape(6, 200, 500)
    for axis, size in ((2, 500), (1, 200)):
        deviation = dropped.mean(axis=axis).std()
        assert deviation == pytest.approx(np.sqrt(rate * (1 - rate) / size), rel=0.1)


def test_no_two_rows_and_no_four_corners_follow_each_other():
    rate = 0.3
    centered = ((_kept(rate)[0, 0] == 0) - rate) / np.sqrt(rate * (1 - rate))
    correlation = centered @ centered.T / 500
    others = correlation[~np.eye(200, dtype="bool")]
    assert others.std() == pytest.approx(500**-0.5, rel=0.1)
    assert np.abs(others).max() < 6 * 500**-0.5
    corners = centered[0::2] * centered[1::2]
    corners = corners[:, 0::2] * corners[:, 1::2]
    assert abs(corners.mean()) < 5 * corners.size**-0.5


def test_heads_rows_of_a_batch_and_calls_differ():
    kept = _kept(0.5)
    assert not (kept[0] == kept[1]).all()
    assert not (kept[:, 0] == kept[:, 1]).all()
    generator = keras.random.SeedGenerator(7)
    first, second = (functional.pair_seeds(*SIZES, generator) for _ in range(2))
    assert not (to_numpy(first[0]) == to_numpy(second[0])).all()
    np.testing.assert_array_equal(_kept(0.5), kept)
