"""What the loss and the metrics say of each token: is it real, how well is it told.

Glossary of shapes: B batch, L length, V vocabulary.
"""

from typing import Any

import keras
from keras import ops


def check_ignore_id(ignore_id: Any) -> int:
    """Return `ignore_id`, which must be an integer.

    Raises:
        ValueError: If it is none.
    """
    if isinstance(ignore_id, bool) or not isinstance(ignore_id, int):
        raise ValueError(
            f"`ignore_id` must be an integer. Received: ignore_id={ignore_id!r}"
        )
    return ignore_id


def convert_labels_and_logits(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return int32 labels and float32 logits, after checking that they agree.

    Args:
        y_true: integer ids `(batch, length)`.
        y_pred: floating-point logits `(batch, length, vocabulary)`.

    Raises:
        ValueError: If a rank, a size or a dtype is not as above.
    """
    labels, logits = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    for name, tensor, rank, axes in (
        ("y_true", labels, 2, "(batch, length)"),
        ("y_pred", logits, 3, "(batch, length, vocabulary)"),
    ):
        if len(tensor.shape) != rank:
            raise ValueError(
                f"`{name}` must have shape {axes}. "
                f"Received: {name}.shape={tuple(tensor.shape)}"
            )
    dtype = keras.backend.standardize_dtype(labels.dtype)
    # Keras builds a model under `tf.distribute` on the mean of the replicas'
    # labels, which is symbolic float64 whatever they are
    averaged = dtype == "float64" and not hasattr(labels, "numpy")
    if not keras.backend.is_int_dtype(dtype) and not averaged:
        raise ValueError(
            f"`y_true` must hold integer ids. Received: y_true.dtype={dtype}"
        )
    dtype = keras.backend.standardize_dtype(logits.dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(
            f"`y_pred` must hold floating-point logits. Received: y_pred.dtype={dtype}"
        )
    if not _agree(labels.shape, logits.shape[:2]):
        raise ValueError(
            "`y_true` and `y_pred` must have one batch size and one length. "
            f"Received: y_true.shape={tuple(labels.shape)}, "
            f"y_pred.shape={tuple(logits.shape)}"
        )
    return ops.cast(labels, "int32"), ops.cast(logits, "float32")


def token_weights(labels: Any, sample_weight: Any, ignore_id: int) -> Any:
    """Return float32 weights `(batch, length)`: zero where a label is padding.

    The labels alone decide what is padding; a mask that Keras left on the
    predictions says the same once more, or speaks of other positions.

    Args:
        labels: integer ids `(batch, length)`.
        sample_weight: `None`, or weights `(batch,)`, `(batch, 1)` or
            `(batch, length)`.
        ignore_id: the label that pads.

    Raises:
        ValueError: If `sample_weight` has another shape.
    """
    real = ops.not_equal(labels, ignore_id)  # (B, L)
    if sample_weight is None:
        return ops.cast(real, "float32")
    weight = ops.convert_to_tensor(sample_weight)
    shape = tuple(weight.shape)
    per_row = len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
    expected = labels.shape[:1] if per_row else labels.shape
    if len(shape) not in (1, 2) or not _agree(shape[: len(expected)], expected):
        raise ValueError(
            "`sample_weight` must have shape (batch,) or (batch, length). Received: "
            f"sample_weight.shape={shape}, y_true.shape={tuple(labels.shape)}"
        )
    if len(shape) == 1:
        weight = ops.expand_dims(weight, 1)
    # not a product: a weight of padding may be anything, NaN included
    return ops.where(real, ops.cast(weight, "float32"), 0.0)


def token_cross_entropy(
    labels: Any, logits: Any, ignore_id: int, label_smoothing: float = 0.0
) -> Any:
    """Return the cross-entropy of every token in nats: zero where a label is padding.

    With smoothing, the label keeps a probability of `1 - label_smoothing` and
    the rest is spread evenly over the whole vocabulary, the label included
    (Szegedy et al. 2016).

    Args:
        labels: integer ids `(batch, length)`.
        logits: float32 `(batch, length, vocabulary)`.
        ignore_id: the label that pads; it may lie outside the vocabulary.
        label_smoothing: from 0 up to, but not including, 1.

    Returns:
        float32 `(batch, length)`.
    """
    real = ops.not_equal(labels, ignore_id)  # (B, L)
    inside = ops.where(real, labels, ops.zeros_like(labels))
    losses = _cross_entropy(inside, logits, label_smoothing)
    return ops.where(real, losses, 0.0)


def _cross_entropy(labels: Any, logits: Any, label_smoothing: float) -> Any:
    """Cross-entropy `(B, L)`, with a gradient that takes few passes over the logits.

    What a backend derives by itself computes the exponentials twice, and that of the
    label's logit is a second tensor of the size of the logits.
    """
    vocabulary = logits.shape[-1]
    index = ops.expand_dims(labels, -1)  # (B, L, 1)

    @ops.custom_gradient
    def compute(logits):
        largest = ops.max(logits, axis=-1, keepdims=True)
        powers = ops.exp(logits - largest)  # (B, L, V)
        total = ops.sum(powers, axis=-1, keepdims=True)
        expected = ops.take_along_axis(logits, index, axis=-1)  # (B, L, 1)
        if label_smoothing:
            mean = ops.mean(logits, axis=-1, keepdims=True)
            expected = (1.0 - label_smoothing) * expected + label_smoothing * mean
        losses = ops.squeeze(largest + ops.log(total) - expected, -1)

        def gradient(*args, upstream=None):
            weight = ops.expand_dims(args[0] if upstream is None else upstream, -1)
            slopes = powers * (weight / total)  # (B, L, V)
            if label_smoothing:
                slopes = slopes - weight * (label_smoothing / vocabulary)
            asked = (1.0 - label_smoothing) * weight
            return _add_at(slopes, labels, -ops.squeeze(asked, -1))

        return losses, gradient

    return compute(logits)


def _add_at(values: Any, index: Any, summand: Any) -> Any:
    """Add to one number of each row: `(B, L, V)`, both others `(B, L)`."""
    flat = ops.reshape(values, (-1, values.shape[-1]))
    index = ops.reshape(index, (-1, 1))
    rows = ops.expand_dims(ops.arange(ops.shape(flat)[0], dtype=index.dtype), -1)
    chosen = ops.squeeze(ops.take_along_axis(flat, index, axis=-1), -1)
    places = ops.concatenate([rows, index], axis=-1)
    flat = ops.scatter_update(flat, places, chosen + ops.reshape(summand, (-1,)))
    return ops.reshape(flat, ops.shape(values))


def _agree(first: Any, second: Any) -> bool:
    """Whether two shapes may be equal, unknown sizes being equal to any."""
    return len(first) == len(second) and all(
        one is None or other is None or one == other
        for one, other in zip(first, second, strict=True)
    )
