"""How fast a training goes."""

import time
from typing import Any

import keras
from keras import ops

from keras_attention.argument_checks import takes_numpy
from keras_attention.tensor import Tensor
from keras_attention.training import tokens


@keras.saving.register_keras_serializable("keras_attention", name="TokenCount")
class TokenCount(keras.metrics.Metric):
    """The number of real tokens among the labels, for `TokensPerSecond`.

    Args:
        ignore_id: the label of padding.
        name: of the metric.

    Example:
    >>> import numpy as np
    >>> count = TokenCount()
    >>> float(count(np.array([[3, 4, 0], [5, 0, 0]]), np.zeros((2, 3, 7), "float32")))
    3.0
    """

    @takes_numpy
    def __init__(self, ignore_id: int = 0, name: str = "tokens") -> None:
        super().__init__(name=name, dtype="float32")
        self.ignore_id = tokens.check_ignore_id(ignore_id)
        # Two numbers, as one in float32 would lose small ones from 16 million on.
        self._millions = self.add_weight(name="millions", initializer="zeros")
        self._rest = self.add_weight(name="rest", initializer="zeros")

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Count one more batch; predictions and weights say nothing here."""
        real = ops.not_equal(y_true, self.ignore_id)
        total = self._rest + ops.sum(ops.cast(real, "float32"))
        millions = ops.floor(total / 1e6)
        self._millions.assign_add(millions)
        self._rest.assign(total - 1e6 * millions)

    def result(self) -> Any:
        """Return the count since the beginning of the epoch."""
        return 1e6 * self._millions + self._rest

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"ignore_id": self.ignore_id, "name": self.name}


class TokensPerSecond(keras.callbacks.Callback):
    """Puts the speed of an epoch so far beside its loss: real target tokens a second.

    It stands in the progress bar, the history and the files of Keras's `CSVLogger` and
    `TensorBoard`, where those come later in the list of callbacks. The time is that of
    training; of validation and other callbacks at the end of an epoch it knows nothing.

    Args:
        metric: name of the `TokenCount` among the metrics of the model, whose place in
            the logs the speed takes.
        name: of the speed in the logs.

    Raises:
        ValueError: at the first step, if there is no such metric.

    Example:
    >>> import numpy as np
    >>> from keras_attention.training import MaskedCrossEntropy
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Embedding(5, 5)])
    >>> model.compile("sgd", MaskedCrossEntropy(), metrics=[TokenCount()])
    >>> ids, options = np.array([[1, 0]]), {"callbacks": [TokensPerSecond()]}
    >>> sorted(model.fit(ids, ids, verbose=0, **options).history)
    ['loss', 'tokens_per_second']
    """

    def __init__(self, metric: str = "tokens", name: str = "tokens_per_second") -> None:
        super().__init__()
        self.metric = metric
        self.name = name
        self._begin = self._end = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._end = time.perf_counter()
        self._replace(logs)

    def on_epoch_end(self, epoch, logs=None):
        self._replace(logs)
        logs.pop(f"val_{self.metric}", None)

    def _replace(self, logs):
        if self.metric not in logs:
            raise ValueError(
                "`metric` must name a `TokenCount` among the metrics of `compile`. "
                f"Received: metric={self.metric!r}, in the logs {sorted(logs)}"
            )
        count = float(logs.pop(self.metric))
        logs[self.name] = count / max(self._end - self._begin, 1e-9)
