"""The loss of a model that predicts tokens."""

from typing import Any

import keras
from keras import ops

from keras_attention.argument_checks import (
    check_rate,
    takes_numpy,
)
from keras_attention.precision import precise
from keras_attention.tensor import Tensor
from keras_attention.training import blockwise, tokens


class _WeightedMean(keras.losses.Loss):
    """The weighted mean of values, with Keras's scaling under `tf.distribute`."""

    def __init__(self, dtype: str) -> None:
        super().__init__(
            name="weighted_mean", reduction="mean_with_sample_weight", dtype=dtype
        )

    def call(self, y_true, y_pred):
        return y_pred


@keras.saving.register_keras_serializable("keras_attention", name="MaskedCrossEntropy")
class MaskedCrossEntropy(keras.losses.Loss):
    """The mean cross-entropy of the real tokens of a batch, in nats.

    Labels are ids, predictions are logits. Padding has no part in the mean,
    neither above nor below the line: the value is the sum over real tokens
    divided by their number, or by the sum of their weights where a
    `sample_weight` is given. What is padding is read from the labels; a mask on
    the predictions is not needed and makes no difference. All is computed in
    float32, whatever the dtype of the logits, or in float64 for such logits. A
    batch without a real token has a loss of zero, and so have its gradients.

    Label smoothing is that of Szegedy et al. (2016): the label keeps a
    probability of `1 - label_smoothing`, the rest is spread evenly over the
    whole vocabulary.

    Args:
        label_smoothing: from 0 up to, but not including, 1.
        ignore_id: the label of padding.
        name: of the loss.

    Call arguments:
        y_true: integer ids `(batch, length)`, `ignore_id` where padded.
        y_pred: floating-point logits `(batch, length, vocabulary)`.
        sample_weight: weights of the rows `(batch,)` or of the tokens
            `(batch, length)`.

    Returns:
        A scalar, float32 or float64. The method `call` gives the loss of each
        token instead, `(batch, length)`, zero where padded.

    Raises:
        ValueError: If an argument lies outside its range, the labels are not
            integers, the predictions are not floating-point numbers, or the
            shapes do not agree.

    Example:
    >>> import numpy as np
    >>> loss = MaskedCrossEntropy()
    >>> labels = np.array([[3, 1, 0], [2, 0, 0]])
    >>> round(float(loss(labels, np.zeros((2, 3, 4), "float32"))), 4)
    1.3863
    """

    @takes_numpy
    def __init__(
        self,
        label_smoothing: float = 0.0,
        ignore_id: int = 0,
        name: str = "masked_cross_entropy",
    ) -> None:
        check_rate(label_smoothing=label_smoothing)
        super().__init__(
            name=name, reduction="mean_with_sample_weight", dtype=precise()
        )
        self.label_smoothing = label_smoothing
        self.ignore_id = tokens.check_ignore_id(ignore_id)

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the weighted mean over the real tokens of the batch."""
        # Keras's own `__call__` turns labels into floats and multiplies weights
        # by the mask of the predictions, so here it is given the losses only
        labels, logits = tokens.convert_labels_and_logits(y_true, y_pred)
        dtype = keras.backend.standardize_dtype(logits.dtype)
        weights = tokens.token_weights(labels, sample_weight, self.ignore_id, dtype)
        weighted_mean = _WeightedMean(dtype)
        in_bfloat16 = blockwise.logits_for_blocks(logits)
        if in_bfloat16 is not None:
            mean = blockwise.mean_cross_entropy(
                tokens.inside(labels, self.ignore_id),
                in_bfloat16,
                weights,
                self.label_smoothing,
            )
            return weighted_mean(ops.ones(1), ops.reshape(mean, (1,)))
        losses = self._losses(labels, logits)  # (B, L)
        return weighted_mean(weights, losses, sample_weight=weights)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each token, `(batch, length)`, zero where padded."""
        return self._losses(*tokens.convert_labels_and_logits(y_true, y_pred))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "label_smoothing": self.label_smoothing,
            "ignore_id": self.ignore_id,
            "name": self.name,
        }

    def _losses(self, labels: Tensor, logits: Tensor) -> Tensor:
        return tokens.token_cross_entropy(
            labels, logits, self.ignore_id, self.label_smoothing
        )
