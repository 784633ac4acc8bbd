"""Metrics of a model that predicts tokens.

Their states are sums over tokens, so batches of any sizes and lengths count by
their real tokens.
"""

from typing import Any

import keras
from keras import ops

from keras_attention.argument_checks import takes_numpy
from keras_attention.precision import precise
from keras_attention.tensor import Tensor
from keras_attention.training import blockwise, tokens


class _TokenMean(keras.metrics.Metric):
    """The mean over real tokens of what `_values` says of each."""

    def __init__(self, ignore_id: int, name: str) -> None:
        super().__init__(name=name, dtype=precise())
        self.ignore_id = tokens.check_ignore_id(ignore_id)
        self._mean = keras.metrics.Mean(name="mean", dtype=precise())

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Count one more batch.

        Args:
            y_true: integer ids `(batch, length)`.
            y_pred: logits `(batch, length, vocabulary)`.
            sample_weight: weights `(batch,)` or `(batch, length)`.
        """
        labels, logits = tokens.convert_labels_and_logits(y_true, y_pred)
        dtype = keras.backend.standardize_dtype(logits.dtype)
        weights = tokens.token_weights(labels, sample_weight, self.ignore_id, dtype)
        values = self._values(labels, logits)  # (B, T)
        # flat, since of two axes Keras's mean would average rows first
        self._mean.update_state(ops.reshape(values, (-1,)), ops.reshape(weights, (-1,)))

    def _values(self, labels: Tensor, logits: Tensor) -> Tensor:
        raise NotImplementedError

    def result(self) -> Tensor:
        """Return the mean, 0 before the first real token."""
        return self._mean.result()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"ignore_id": self.ignore_id, "name": self.name}


@keras.saving.register_keras_serializable("keras_attention", name="MaskedAccuracy")
class MaskedAccuracy(_TokenMean):
    """The fraction of real tokens to which the model gives the highest logit.

    What is padding is read from the labels, as in `MaskedCrossEntropy`. With a
    `sample_weight`, tokens count by their weights.

    Args:
        ignore_id: the label of padding.
        name: of the metric.

    Raises:
        ValueError: If `ignore_id` is not an integer; on update, if labels,
            logits and weights do not agree.

    Example:
    >>> import numpy as np
    >>> accuracy = MaskedAccuracy()
    >>> logits = np.eye(5, dtype="float32")[[[3, 1, 4, 2]]]
    >>> float(accuracy(np.array([[3, 4, 0, 0]]), logits))
    0.5
    """

    @takes_numpy
    def __init__(self, ignore_id: int = 0, name: str = "masked_accuracy") -> None:
        super().__init__(ignore_id, name)

    def _values(self, labels: Tensor, logits: Tensor) -> Tensor:
        return ops.equal(ops.cast(ops.argmax(logits, axis=-1), labels.dtype), labels)


@keras.saving.register_keras_serializable("keras_attention", name="Perplexity")
class Perplexity(_TokenMean):
    """The exponential of the mean cross-entropy of the real tokens of all batches.

    The cross-entropy is that of `MaskedCrossEntropy` without label smoothing, so
    models trained with different smoothing compare. With a `sample_weight`,
    tokens count by their weights.

    Args:
        ignore_id: the label of padding.
        name: of the metric.

    Raises:
        ValueError: If `ignore_id` is not an integer; on update, if labels,
            logits and weights do not agree.

    Example:
    >>> import numpy as np
    >>> perplexity = Perplexity()
    >>> value = perplexity(np.array([[3, 4, 0]]), np.zeros((1, 3, 7), "float32"))
    >>> round(float(value), 4)
    7.0
    """

    @takes_numpy
    def __init__(self, ignore_id: int = 0, name: str = "perplexity") -> None:
        super().__init__(ignore_id, name)

    def _values(self, labels: Tensor, logits: Tensor) -> Tensor:
        in_bfloat16 = blockwise.logits_for_blocks(logits)
        if in_bfloat16 is None:
            return tokens.token_cross_entropy(labels, logits, self.ignore_id)
        ids = tokens.inside(labels, self.ignore_id)
        losses = blockwise.token_cross_entropy(ids, in_bfloat16)
        return ops.where(ops.not_equal(labels, self.ignore_id), losses, 0.0)

    def result(self) -> Tensor:
        """Return the perplexity, 1 before the first real token."""
        return ops.exp(self._mean.result())
