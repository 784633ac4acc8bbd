"""Losses."""

from typing import Any

import keras
from keras import ops

from keras_attention.training.tokens import check_labels, cross_entropy, token_weights


@keras.saving.register_keras_serializable("keras_attention", name="MaskedCrossEntropy")
class MaskedCrossEntropy(keras.losses.Loss):
    """Mean cross-entropy of the real tokens of a batch, in float32.

    Labels of 0 are padding: they neither count nor matter, with or without a mask on
    the predictions. A batch without a real token has a loss of 0.

    Args:
        label_smoothing: share of each label's probability that is spread evenly over
            the vocabulary (Szegedy et al. 2016).
        name: of the loss.
        **kwargs: of `keras.losses.Loss`.

    Call arguments:
        y_true: integer ids `(batch, length)`.
        y_pred: logits `(batch, length, vocabulary)`.
        sample_weight: of each row `(batch,)` or each token `(batch, length)`; the mean
            is then a weighted one.

    Raises:
        ValueError: for a share that is not from 0 to 1, labels that are not integers,
            or predictions without an axis for the vocabulary.

    Example:
    >>> loss = MaskedCrossEntropy()
    >>> logits = np.zeros((1, 2, 4), "float32")
    >>> round(float(loss(np.array([[3, 0]]), logits)), 4)  # log 4; the 0 is padding
    1.3863
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        name: str = "masked_cross_entropy",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                "`label_smoothing` must be at least 0 and below 1. "
                f"Received: label_smoothing={label_smoothing}"
            )
        self.label_smoothing = label_smoothing

    def __call__(self, y_true, y_pred, sample_weight=None):
        # Keras would divide by all positions, and take the mask into account twice.
        losses = self.call(y_true, y_pred)
        weights = token_weights(ops.convert_to_tensor(y_true), sample_weight)
        return ops.divide_no_nan(ops.sum(losses * weights), ops.sum(weights))

    def call(self, y_true, y_pred):
        """Cross-entropy of each position `(batch, length)`, padding included."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        check_labels(y_true, y_pred)
        return cross_entropy(y_true, y_pred, self.label_smoothing)

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
