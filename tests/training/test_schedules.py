"""Rates and probabilities over the steps of training."""

import inspect
import math
import re

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_attention.training import InverseSigmoidDecay, InverseSquareRoot


@settings(deadline=None)
@given(st.floats(1e-6, 1e3), st.integers(1, 10_000), st.integers(0, 1_000_000))
def test_rises_to_the_peak_and_falls_with_the_root(peak, warmup_steps, step):
    rate = float(InverseSquareRoot(peak, warmup_steps)(step))
    number = step + 1
    if number <= warmup_steps:
        expected = peak * number / warmup_steps
    else:
        expected = peak * math.sqrt(warmup_steps / number)
    assert rate == pytest.approx(expected, rel=1e-5)


def test_has_the_shape_of_the_paper():
    width, warmup_steps = 512, 4000
    peak = (width * warmup_steps) ** -0.5
    schedule = InverseSquareRoot(peak, warmup_steps)
    for number in (1, 17, 4000, 4001, 100_000):
        expected = width**-0.5 * min(number**-0.5, number * warmup_steps**-1.5)
        assert float(schedule(number - 1)) == pytest.approx(expected, rel=1e-5)


def test_drives_an_optimizer():
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False)])
    schedule = InverseSquareRoot(peak=0.5, warmup_steps=2)
    model.compile(keras.optimizers.SGD(schedule), lambda y_true, y_pred: y_pred)
    model.build((None, 1))
    start = float(model.get_weights()[0][0, 0])
    ones = np.ones((5, 1), "float32")
    model.fit(ones, ones, batch_size=1, verbose=0)
    # The gradient is 1 at each of the five steps.
    taken = sum(float(schedule(step)) for step in range(5))
    assert float(model.get_weights()[0][0, 0]) == pytest.approx(start - taken, abs=1e-5)


def test_the_configuration_makes_the_same_schedule():
    schedule = InverseSquareRoot(peak=0.25, warmup_steps=7)
    config = schedule.get_config()
    assert config == {"peak": 0.25, "warmup_steps": 7}
    assert list(config) == list(inspect.signature(InverseSquareRoot).parameters)
    schedules = keras.optimizers.schedules
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is InverseSquareRoot
    assert again.get_config() == config


@pytest.mark.parametrize(
    ("peak", "warmup_steps", "message"),
    [
        (0, 7, r"`peak`.*peak=0"),
        (-0.5, 7, r"`peak`.*peak=-0\.5"),
        (math.nan, 7, r"`peak`.*peak=nan"),
        (math.inf, 7, r"`peak`.*peak=inf"),
        ("1", 7, r"`peak`.*peak='1'"),
        (True, 7, r"`peak`.*peak=True"),
        (0.5, 0, r"`warmup_steps`.*warmup_steps=0"),
        (0.5, 2.5, r"`warmup_steps`.*warmup_steps=2\.5"),
    ],
)
def test_wrong_arguments_are_refused(peak, warmup_steps, message):
    with pytest.raises(ValueError, match=message):
        InverseSquareRoot(peak, warmup_steps)


@settings(deadline=None)
@given(st.floats(1, 1e4), st.integers(0, 1_000_000))
def test_falls_with_the_inverse_of_an_exponential(k, step):
    found = float(InverseSigmoidDecay(k)(step))
    expected = k / (k + math.exp(min(step / k, 700)))
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert 0 <= found <= 1


def test_is_at_a_half_after_as_many_steps_as_it_says():
    for k in (7, 100, 2500):
        half = InverseSigmoidDecay(k)(round(k * math.log(k)))
        assert float(half) == pytest.approx(0.5, abs=0.02)


def test_never_rises():
    schedule = InverseSigmoidDecay(11.0)
    found = [float(schedule(step)) for step in (0, 1, 5, 17, 40, 100, 10_000)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == 0


def test_the_configuration_makes_the_same_decay():
    schedule = InverseSigmoidDecay(k=12.5)
    assert schedule.get_config() == {"k": 12.5}
    schedules = keras.optimizers.schedules
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is InverseSigmoidDecay
    assert again.get_config() == {"k": 12.5}


@pytest.mark.parametrize("k", [0, -3, 0.5, math.nan, math.inf, "7", True])
def test_a_wrong_k_is_refused(k):
    with pytest.raises(ValueError, match=re.escape(f"Received: k={k!r}")):
        InverseSigmoidDecay(k)
