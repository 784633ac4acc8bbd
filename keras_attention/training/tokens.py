"""What the loss and the metrics count: real tokens, each with its weight."""

from typing import Any

from keras import backend, ops

Tensor = Any

PAD_ID = 0


def check_labels(labels: Tensor, logits: Tensor) -> None:
    """Raise unless labels are integers `(batch, length)` with logits for each."""
    if not backend.is_int_dtype(labels.dtype):
        raise ValueError(
            "`y_true` must be integer ids. Received: "
            f"dtype={backend.standardize_dtype(labels.dtype)}"
        )
    if len(labels.shape) + 1 != len(logits.shape):
        raise ValueError(
            "`y_pred` must have one axis more than `y_true`, the vocabulary. Received: "
            f"y_true of shape {tuple(labels.shape)}, "
            f"y_pred of shape {tuple(logits.shape)}"
        )


def token_weights(labels: Tensor, sample_weight: Tensor | None) -> Tensor:
    """float32 weights `(batch, length)`: zero for padding.

    Args:
        labels: ids `(batch, length)`.
        sample_weight: of each row `(batch,)` or `(batch, 1)`, or of each token
            `(batch, length)`; 1 when left out.
    """
    weights = ops.cast(ops.not_equal(labels, PAD_ID), "float32")
    if sample_weight is None:
        return weights
    sample_weight = ops.cast(sample_weight, "float32")
    while len(sample_weight.shape) < len(weights.shape):
        sample_weight = ops.expand_dims(sample_weight, -1)
    return weights * sample_weight


def cross_entropy(
    labels: Tensor, logits: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """float32 `(batch, length)`: how surprising each label is, in nats.

    With smoothing, a share of each label's probability is spread evenly over the
    vocabulary (Szegedy et al. 2016); the mean of the logits stands for that share, so
    no distribution is ever built.
    """
    logits = ops.cast(logits, "float32")
    indices = ops.expand_dims(ops.cast(labels, "int32"), -1)
    wanted = ops.squeeze(ops.take_along_axis(logits, indices, axis=-1), -1)
    if label_smoothing:
        mean = ops.mean(logits, axis=-1)
        wanted = (1 - label_smoothing) * wanted + label_smoothing * mean
    return ops.logsumexp(logits, axis=-1) - wanted
