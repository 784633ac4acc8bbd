"""Reordering padded sequences."""

from typing import Any

from keras import ops

from keras_attention.functional.masks import as_boolean

Tensor = Any


def reverse_sequence(inputs: Tensor, mask: Tensor | None = None) -> Tensor:
    """Reverse the real positions of each row and leave its padding at the end.

    Args:
        inputs: `(batch, length, dim)`.
        mask: boolean `(batch, length)`, `True` for real positions, which come
            first in their row; `None` when all are real.

    Returns:
        Shaped as `inputs`. Reversing twice gives `inputs` again.

    Example:
    >>> rows = [[[1.0], [2.0], [0.0]]]
    >>> reverse_sequence(rows, [[True, True, False]]).numpy().ravel().tolist()
    [2.0, 1.0, 0.0]
    """
    inputs = ops.convert_to_tensor(inputs)
    if mask is None:
        return ops.flip(inputs, axis=1)
    positions = ops.arange(ops.shape(inputs)[1], dtype="int32")  # (T,)
    lengths = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)  # (B, 1)
    mirrored = ops.where(positions < lengths, lengths - 1 - positions, positions)
    return ops.take_along_axis(inputs, ops.expand_dims(mirrored, -1), axis=1)


def last_position(inputs: Tensor, mask: Tensor | None, otherwise: Tensor) -> Tensor:
    """The last real position of each row.

    Args:
        inputs: `(batch, length, dim)`.
        mask: boolean `(batch, length)`, `True` for real positions; `None` when all are
            real.
        otherwise: `(batch, dim)`, for rows without a real position.

    Returns:
        `(batch, dim)`.

    Example:
    >>> rows = [[[1.0], [2.0], [0.0]]]
    >>> last_position(rows, [[True, True, False]], [[9.0]]).numpy().tolist()
    [[2.0]]
    """
    inputs = ops.convert_to_tensor(inputs)
    if mask is None:
        return inputs[:, -1]
    positions = ops.arange(ops.shape(inputs)[1], dtype="int32")  # (T,)
    last = ops.max(ops.where(as_boolean(mask), positions, -1), axis=1)[
        :, None
    ]  # (B, 1)
    chosen = ops.expand_dims(ops.maximum(last, 0), -1)
    found = ops.take_along_axis(inputs, chosen, axis=1)[:, 0]
    return ops.where(last < 0, otherwise, found)
