"""An end to trainings whose loss is no longer finite."""

import math

import keras


class FiniteLoss(keras.callbacks.Callback):
    """Stops a training with an error once its loss is infinite or not a number.

    Keras's `TerminateOnNaN` prints a line and returns as if all were well; here nothing
    after the training runs, and a `Backup` of an earlier epoch stays as it is.

    Raises:
        FloatingPointError: at the end of a step. It names the loss, the optimizer's
            step, which takes several batches where gradients are accumulated, and the
            batch of the epoch.

    Example:
    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.array([[1.0], [np.nan]])
    >>> model.fit(
    ...     x, x, batch_size=1, callbacks=[FiniteLoss()], shuffle=False, verbose=0
    ... )
    Traceback (most recent call last):
        ...
    FloatingPointError: The loss is nan at step 2, in batch 1 of epoch 0 ...
    """

    def __init__(self) -> None:
        super().__init__()
        self._epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            step = int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))
            raise FloatingPointError(
                f"The loss is {loss} at step {step}, in batch {batch} of epoch "
                f"{self._epoch} (both counted from 0). A lower learning rate or "
                "clipped gradients (`global_clipnorm`) may help"
            )
