"""Schedules over the steps of training."""

import math
from typing import Any

import keras
from keras import ops

from keras_attention.argument_checks import (
    check_positive,
    check_positive_number,
    takes_numpy,
)
from keras_attention.precision import precise
from keras_attention.tensor import Tensor


@keras.saving.register_keras_serializable("keras_attention", name="InverseSquareRoot")
class InverseSquareRoot(keras.optimizers.schedules.LearningRateSchedule):
    """A linear warm-up to a peak, then a fall with the inverse square root of steps.

    The shape of Vaswani et al. (2017): `peak * step / warmup_steps` up to
    `warmup_steps`, `peak * sqrt(warmup_steps / step)` from there on; the first step
    counts 1.

    Args:
        peak: the highest rate, above zero.
        warmup_steps: the number of the step that has it, at least 1.

    Call arguments:
        step: integer scalar, the number of steps before. Keras's optimizers count a
            step for each batch, also where `gradient_accumulation_steps` of them make
            one update.

    Returns:
        The rate, a scalar.

    Raises:
        ValueError: If `peak` is not a finite number above zero, or
            `warmup_steps` not a positive integer.

    Example:
    >>> schedule = InverseSquareRoot(peak=0.5, warmup_steps=4)
    >>> [float(schedule(step)) for step in (0, 3, 15)]
    [0.125, 0.5, 0.25]
    """

    @takes_numpy
    def __init__(self, peak: float, warmup_steps: int) -> None:
        number = isinstance(peak, int | float) and not isinstance(peak, bool)
        if not number or not math.isfinite(peak) or peak <= 0:
            raise ValueError(
                f"`peak` must be a finite number above 0. Received: peak={peak!r}"
            )
        check_positive(warmup_steps=warmup_steps)
        self.peak = peak
        self.warmup_steps = warmup_steps

    def __call__(self, step: int | Tensor) -> Tensor:
        """Return the learning rate of the update that follows `step` others."""
        # Keras counts from 0, and a first step without effect would be wasted
        share = (ops.cast(step, precise()) + 1.0) / self.warmup_steps
        return self.peak * ops.minimum(share, ops.rsqrt(share))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"peak": self.peak, "warmup_steps": self.warmup_steps}


@keras.saving.register_keras_serializable("keras_attention", name="InverseSigmoidDecay")
class InverseSigmoidDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A fall from 1 to 0, `k / (k + exp(step / k))`, for scheduled sampling.

    One of the three decays of Bengio et al. (2015); Keras's `PolynomialDecay` and
    `ExponentialDecay` are the others. It is at a half after `k * ln(k)` steps.

    Args:
        k: how slowly it falls, at least 1.

    Call arguments:
        step: integer scalar, the number of steps made.

    Returns:
        The probability of the true id, a scalar.

    Raises:
        ValueError: for a `k` below 1.

    Example:
    >>> schedule = InverseSigmoidDecay(k=10)
    >>> [round(float(schedule(step)), 3) for step in (0, 23, 100)]
    [0.909, 0.501, 0.0]
    """

    @takes_numpy
    def __init__(self, k: float) -> None:
        check_positive_number(k=k)
        if k < 1:
            raise ValueError(f"`k` must be at least 1. Received: k={k!r}")
        self.k = k

    def __call__(self, step: int | Tensor) -> Tensor:
        """Return the probability after `step` steps."""
        return self.k / (self.k + ops.exp(ops.cast(step, precise()) / self.k))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"k": self.k}
