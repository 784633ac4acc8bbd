"""Monotonic and local alignments against the recurrences of their papers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention import functional
from tests.backends import to_numpy

pytestmark = pytest.mark.whole("tensorflow")


def _expected_weights(stop, previous):
    """The sum over all paths, key by key (Raffel et al. 2017, equation 9)."""
    weights = np.zeros_like(stop)
    for t in range(len(stop)):
        arriving = 0.0
        for j in range(stop.shape[1]):
            passing = arriving * (1 - stop[t, j - 1]) if j else 0.0
            arriving = passing + previous[j]
            weights[t, j] = stop[t, j] * arriving
        if stop[t].any():
            previous = weights[t]
    return weights


def _decided(stop, position):
    weights = np.zeros_like(stop)
    for t in range(len(stop)):
        if not stop[t].any():
            continue
        if position is not None:
            taken = [j for j in range(position, stop.shape[1]) if stop[t, j] >= 0.5]
            position = taken[0] if taken else None
        if position is not None:
            weights[t, position] = 1.0
    return weights


def _probabilities(seed, masked):
    random = np.random.default_rng(seed)
    stop = random.uniform(size=(3, 5, 7))
    # Certain ones too.
    stop = np.where(random.uniform(size=stop.shape) < 0.1, 1.0, stop)
    if masked:
        stop[0, 2] = 0.0
        stop[1, :, 5:] = 0.0
        stop[2, :, ::2] = 0.0
    return stop.astype("float32")


@given(seed=st.integers(0, 10_000), masked=st.booleans())
def test_expected_weights_are_those_of_the_recurrence(seed, masked):
    stop = _probabilities(seed, masked)
    start = to_numpy(functional.first_position(3, 7))
    np.testing.assert_array_equal(start, np.eye(7)[[0, 0, 0]])
    found = to_numpy(functional.monotonic_weights(stop, start)[0])
    for row in range(3):
        expected = _expected_weights(stop[row].astype("float64"), start[row])
        np.testing.assert_allclose(found[row], expected, atol=1e-5)


@given(seed=st.integers(0, 10_000), masked=st.booleans())
def test_hard_weights_take_the_first_key_from_the_last(seed, masked):
    stop = _probabilities(seed, masked)
    start = functional.first_position(3, 7)
    found = to_numpy(functional.monotonic_weights(stop, start, hard=True)[0])
    for row in range(3):
        np.testing.assert_array_equal(found[row], _decided(stop[row], 0))


def test_steps_from_the_last_weights_equal_one_pass():
    stop = _probabilities(3, True)
    start = functional.first_position(3, 7)
    expected = to_numpy(functional.monotonic_weights(stop, start)[0])
    previous = to_numpy(start)
    for t in range(5):
        found = to_numpy(functional.monotonic_weights(stop[:, t : t + 1], previous)[0])
        np.testing.assert_allclose(found[:, 0], expected[:, t], atol=1e-6)
        previous = np.where(stop[:, t].any(axis=-1)[:, None], found[:, 0], previous)


def test_long_memories_stay_exact():
    """A product of a thousand small numbers is not divided by."""
    stop = np.full((1, 3, 1000), 0.5, "float32")
    stop[:, :, 990:] = 0.9
    start = to_numpy(functional.first_position(1, 1000))
    found = to_numpy(functional.monotonic_weights(stop, start)[0])
    expected = _expected_weights(stop[0].astype("float64"), start[0])
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


@pytest.mark.parametrize("window", [1, 2, 3])
def test_window_and_bell(window):
    center = np.array([[0.0, 2.5, 9.0]])
    near = to_numpy(functional.window_mask(center, 7, window))
    bell = to_numpy(functional.gaussian(center, 7, window))
    for t, s in np.ndindex(3, 7):
        distance = abs(s - center[0, t])
        assert near[0, t, s] == (distance <= window)
        expected = np.exp(-(distance**2) / (2 * (window / 2) ** 2))
        assert bell[0, t, s] == pytest.approx(expected, abs=1e-6)
