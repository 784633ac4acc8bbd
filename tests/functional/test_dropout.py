"""Dropout of pairs and features: its rate, and that none follow each other."""

import keras
import numpy as np
import pytest

from keras_attention import functional
from tests.backends import to_numpy

pytestmark = pytest.mark.whole("tensorflow")

SIZES = 2, 3, 200, 500


def _kept_pairs(rate, seed=7):
    seeds = functional.pair_seeds(*SIZES, keras.random.SeedGenerator(seed))
    ones = np.ones(SIZES, "float32")
    return to_numpy(functional.drop_pairs(ones, seeds, rate))


def _kept_features(rate, seed=7):
    generator = keras.random.SeedGenerator(seed)
    ones = np.ones(SIZES, "float32")
    kept = to_numpy(functional.drop_features(ones, rate, generator))
    np.testing.assert_allclose(kept.max(), 1 / (1 - rate), rtol=1e-6)
    return (kept > 0).astype("float32")


ways = pytest.mark.parametrize("kept_of", [_kept_pairs, _kept_features])


@ways
@pytest.mark.parametrize("rate", [0.03, 0.1, 0.5, 0.9])
def test_rate(kept_of, rate):
    kept = kept_of(rate)
    np.testing.assert_array_equal(np.unique(kept), [0, 1])
    # Five deviations of a binomial of 600,000 draws.
    deviation = np.sqrt(rate * (1 - rate) / kept.size)
    assert abs((kept == 0).mean() - rate) < 5 * deviation


@ways
def test_rows_and_columns_vary_as_independent_draws_do(kept_of):
    rate = 0.3
    dropped = (kept_of(rate) == 0).reshape(6, 200, 500)
    for axis, size in ((2, 500), (1, 200)):
        deviation = dropped.mean(axis=axis).std()
        assert deviation == pytest.approx(np.sqrt(rate * (1 - rate) / size), rel=0.1)


@ways
def test_no_two_rows_and_no_four_corners_follow_each_other(kept_of):
    rate = 0.3
    centered = ((kept_of(rate)[0, 0] == 0) - rate) / np.sqrt(rate * (1 - rate))
    correlation = centered @ centered.T / 500
    others = correlation[~np.eye(200, dtype="bool")]
    assert others.std() == pytest.approx(500**-0.5, rel=0.1)
    assert np.abs(others).max() < 6 * 500**-0.5
    corners = centered[0::2] * centered[1::2]
    corners = corners[:, 0::2] * corners[:, 1::2]
    assert abs(corners.mean()) < 5 * corners.size**-0.5


@ways
def test_heads_rows_of_a_batch_and_calls_differ(kept_of):
    kept = kept_of(0.5)
    assert not (kept[0] == kept[1]).all()
    assert not (kept[:, 0] == kept[:, 1]).all()
    assert not (kept_of(0.5, seed=8) == kept).all()
    np.testing.assert_array_equal(kept_of(0.5), kept)


def test_seeds_are_odd_and_of_every_size():
    seeds = functional.pair_seeds(*SIZES, keras.random.SeedGenerator(7))
    seeds = np.concatenate([to_numpy(part).ravel() for part in seeds])
    assert (seeds % 2 == 1).all()
    quarters = np.histogram(seeds, 4, (-(2**31), 2**31))[0] / seeds.size
    deviation = np.sqrt(0.25 * 0.75 / seeds.size)
    assert np.abs(quarters - 0.25).max() < 5 * deviation


def test_each_call_draws_anew():
    generator = keras.random.SeedGenerator(7)
    first, second = (functional.pair_seeds(*SIZES, generator) for _ in range(2))
    assert not (to_numpy(first[0]) == to_numpy(second[0])).all()
    ones = np.ones((3, 50), "float32")
    first, second = (functional.drop_features(ones, 0.5, generator) for _ in range(2))
    assert not (to_numpy(first) == to_numpy(second)).all()
