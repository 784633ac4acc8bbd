"""What the loss and the metrics know of each token: is it real, is it predicted.

Glossary of shapes: B batch, L length, V vocabulary.
"""

from typing import Any

import keras
from keras import ops

from keras_attention.precision import precise
from keras_attention.tensor import Tensor

_SMALLEST = 1e-30  # float32 has full precision down to 1.2e-38


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


def convert_labels_and_logits(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Return int32 labels and precise logits, after checking that they agree.

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
    return ops.cast(labels, "int32"), ops.cast(logits, precise(dtype))


def token_weights(
    labels: Tensor, sample_weight: Tensor, ignore_id: int, dtype: str = "float32"
) -> Tensor:
    """Return weights `(batch, length)`: zero where a label is padding.

    The labels alone decide what is padding; a mask that Keras left on the
    predictions says the same once more, or speaks of other positions.

    Args:
        labels: integer ids `(batch, length)`.
        sample_weight: `None`, or weights `(batch,)`, `(batch, 1)` or
            `(batch, length)`.
        ignore_id: the label that pads.
        dtype: of the weights.

    Raises:
        ValueError: If `sample_weight` has another shape.
    """
    real = ops.not_equal(labels, ignore_id)  # (B, L)
    if sample_weight is None:
        return ops.cast(real, dtype)
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
    return ops.where(real, ops.cast(weight, dtype), 0.0)


def token_cross_entropy(
    labels: Tensor, logits: Tensor, ignore_id: int, label_smoothing: float = 0.0
) -> Tensor:
    """Return the cross-entropy of every token in nats: zero where a label is padding.

    With smoothing, the label keeps a probability of `1 - label_smoothing` and
    the rest is spread evenly over the whole vocabulary, the label included
    (Szegedy et al. 2016).

    Args:
        labels: integer ids `(batch, length)`.
        logits: of `convert_labels_and_logits`.
        ignore_id: the label that pads; it may lie outside the vocabulary.
        label_smoothing: from 0 up to, but not including, 1.

    Returns:
        `(batch, length)`, in the dtype of the logits.
    """
    real = ops.not_equal(labels, ignore_id)  # (B, L)
    losses = _cross_entropy(inside(labels, ignore_id), logits, label_smoothing)
    return ops.where(real, losses, 0.0)


def inside(labels: Tensor, ignore_id: int) -> Tensor:
    """Return the labels, with an id of the vocabulary where one is padding."""
    return ops.where(ops.equal(labels, ignore_id), ops.zeros_like(labels), labels)


def _cross_entropy(labels: Tensor, logits: Tensor, label_smoothing: float) -> Tensor:
    """Cross-entropy `(B, L)`, with a gradient that takes few passes over the logits.

    What a backend derives by itself computes the exponentials twice, and that of the
    label's logit is a second tensor of the size of the logits.
    """
    shape, vocabulary = ops.shape(labels), logits.shape[-1]
    index = ops.reshape(labels, (-1, 1))
    share = label_smoothing / vocabulary  # of each id, whatever the label

    @ops.custom_gradient
    def compute(logits):
        probabilities = ops.softmax(logits)  # (BL, V)
        logit, probability = (
            ops.take_along_axis(values, index, axis=-1)  # (BL, 1)
            for values in (logits, probabilities)
        )
        losses = negative_log(probability, logit, logits, probabilities)
        if label_smoothing:
            mean = ops.mean(logits, axis=-1, keepdims=True)
            losses = losses + label_smoothing * (logit - mean)

        def gradient(*args, upstream=None):
            weight = args[0] if upstream is None else upstream  # (BL, 1)
            slopes = (probabilities - share) * weight  # (BL, V)
            at_label = (probability - share - (1.0 - label_smoothing)) * weight
            rows = ops.reshape(ops.arange(ops.shape(index)[0], dtype="int32"), (-1, 1))
            at = ops.concatenate([rows, index], axis=-1)
            return ops.scatter_update(slopes, at, ops.squeeze(at_label, -1))

        return losses, gradient

    return ops.reshape(compute(ops.reshape(logits, (-1, vocabulary))), shape)


def negative_log(
    probability: Tensor, logit: Tensor, logits: Tensor, probabilities: Tensor
) -> Tensor:
    """Return the negative logarithm of a softmax `(BL, 1)`, of probabilities of 0 too.

    Where float32 has lost one, the way is from the largest of its row, which takes two
    more passes.
    """
    return ops.cond(
        ops.all(probability > _SMALLEST),
        lambda: -ops.log(probability),
        lambda: (
            ops.max(logits, axis=-1, keepdims=True)
            - logit
            - ops.log(ops.max(probabilities, axis=-1, keepdims=True))
        ),
    )


def _agree(first: Any, second: Any) -> bool:
    """Whether two shapes may be equal, unknown sizes being equal to any."""
    return len(first) == len(second) and all(
        one is None or other is None or one == other
        for one, other in zip(first, second, strict=True)
    )
