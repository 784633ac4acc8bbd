"""Learning rates over time."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_attention", name="InverseSquareRoot")
class InverseSquareRoot(keras.optimizers.schedules.LearningRateSchedule):
    """Rises to a peak in a straight line, then falls with the root of the step.

    The shape of Vaswani et al. (2017): `peak * step / warmup_steps` up to
    `warmup_steps`, `peak * sqrt(warmup_steps / step)` from there on; the first step
    counts 1.

    Args:
        peak: the highest learning rate.
        warmup_steps: number of the step that has it.

    Raises:
        ValueError: for a peak or a number that is not positive.

    Example:
    >>> schedule = InverseSquareRoot(peak=0.5, warmup_steps=4)
    >>> [float(schedule(step)) for step in (0, 3, 15)]
    [0.125, 0.5, 0.25]
    """

    def __init__(self, peak: float, warmup_steps: int) -> None:
        if not peak > 0:
            raise ValueError(f"`peak` must be positive. Received: peak={peak!r}")
        if not warmup_steps > 0:
            raise ValueError(
                "`warmup_steps` must be positive. "
                f"Received: warmup_steps={warmup_steps!r}"
            )
        super().__init__()
        self.peak = peak
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        # Keras counts from 0, and a first step without effect would be wasted.
        share = (ops.cast(step, "float32") + 1.0) / self.warmup_steps
        return self.peak * ops.minimum(share, ops.rsqrt(share))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"peak": self.peak, "warmup_steps": self.warmup_steps}
