"""A time limit for trainings."""

import math
import time

import keras

from keras_attention.argument_checks import check_positive_number


class TimeLimit(keras.callbacks.Callback):
    """Ends a training after the first epoch that passes a number of minutes.

    The time counts from the beginning of the first `fit` that has this callback.

    Args:
        minutes: how long to train; the epoch that passes them is trained to its end.

    Raises:
        ValueError: unless `minutes` is positive.

    Example:
    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, limit = np.ones((1, 1)), TimeLimit(minutes=1e-9)
    >>> model.fit(x, x, epochs=3, callbacks=[limit], verbose=0).epoch
    [0]
    """

    def __init__(self, minutes: float) -> None:
        super().__init__()
        check_positive_number(minutes=minutes)
        self.minutes = minutes
        self._started = math.inf

    def on_train_begin(self, logs=None):
        self._started = min(self._started, time.monotonic())

    def on_epoch_end(self, epoch, logs=None):
        if time.monotonic() - self._started > 60 * self.minutes:
            self.model.stop_training = True
