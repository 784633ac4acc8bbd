"""Padded sequences: reversed, and zero where they are padding."""

from typing import Any

from keras import ops

from keras_attention.functional.masks import as_boolean
from keras_attention.tensor import Tensor


def reverse_sequence(inputs: Tensor, mask: Tensor | None = None) -> Tensor:
    """Reverse the real positions of each row and leave its padding where it is.

    Args:
        inputs: `(batch, length, dim)`.
        mask: boolean `(batch, length)`, `True` for real positions; `None` when all are
            real.

    Returns:
        Shaped as `inputs`. Reversing twice gives `inputs` again.

    Example:
    >>> rows = [[[1.0], [2.0], [0.0]]]
    >>> found = reverse_sequence(rows, [[True, True, False]])
    >>> ops.convert_to_numpy(found).ravel().tolist()
    [2.0, 1.0, 0.0]
    """
    inputs = ops.convert_to_tensor(inputs)
    if mask is None:
        return ops.flip(inputs, axis=1)
    mask = as_boolean(mask)
    length = ops.shape(inputs)[1]
    positions = ops.arange(length, dtype="int32")  # (T,)
    real_first = ops.argsort(ops.where(mask, positions, length + positions), axis=1)
    # how many real ones come after each: the place of its mirror image among them
    behind = ops.flip(ops.cumsum(ops.cast(ops.flip(mask, 1), "int32"), 1), 1) - 1
    mirrored = ops.take_along_axis(real_first, ops.maximum(behind, 0), axis=1)
    mirrored = ops.where(mask, mirrored, positions)
    return ops.take_along_axis(inputs, ops.expand_dims(mirrored, -1), axis=1)


def zero_padding(inputs: Tensor, mask: Tensor | None) -> Tensor:
    """Zeros where a position is padding.

    Args:
        inputs: `(batch, length, dim)`.
        mask: boolean `(batch, length)`, `True` for real positions; `None` when all are
            real.

    Returns:
        Shaped as `inputs`.
    """
    if mask is None:
        return inputs
    return ops.where(
        ops.expand_dims(as_boolean(mask), -1), inputs, ops.zeros_like(inputs)
    )


def at_least_one(size: Any) -> Any:
    """A size, or 1 for none; a tensor if it is known to a graph only when it runs."""
    return ops.maximum(size, 1) if ops.is_tensor(size) else max(size, 1)


def pad_to_one(tensor: Tensor, axis: int) -> Tensor:
    """Add a position of zeros to an axis of length zero."""
    if tensor.shape[axis]:
        return tensor
    sizes = list(ops.shape(tensor))
    sizes[axis] = at_least_one(sizes[axis]) - sizes[axis]
    missing = ops.zeros(sizes, tensor.dtype)
    return ops.concatenate([tensor, missing], axis=axis)


def fit_length(tensor: Tensor, length: int) -> Tensor:
    """Cut the second axis to a length, or fill it up with zeros.

    Args:
        tensor: `(batch, any, ...)`.
        length: that of the result, `(batch, length, ...)`.
    """
    tensor = tensor[:, :length]
    batch, size, *rest = ops.shape(tensor)
    missing = ops.zeros((batch, length - size, *rest), tensor.dtype)
    joined = ops.concatenate([tensor, missing], axis=1)
    return ops.reshape(joined, (batch, length, *rest))  # which a graph may not know


def write_at(tensor: Tensor, part: Tensor, index: int | Tensor, axis: int) -> Tensor:
    """Write a part into a tensor along one axis, from an index on.

    Args:
        tensor: of any shape.
        part: shaped as `tensor`, but for a shorter `axis`.
        index: an integer or a scalar tensor; `part` must fit after it.
        axis: not negative.

    Returns:
        Shaped as `tensor`.
    """
    # All of one type: JAX takes no other, and Python's integers may be int64 there.
    start = [ops.convert_to_tensor(0, "int32")] * len(tensor.shape)
    start[axis] = ops.cast(index, "int32")
    return ops.slice_update(tensor, start, part)


def read_at(
    tensor: Tensor, index: int | Tensor, length: int | Tensor, axis: int
) -> Tensor:
    """A slice of a tensor along one axis, from an index on.

    Args:
        tensor: of any shape.
        index: an integer or a scalar tensor.
        length: how many, likewise.
        axis: not negative.

    Returns:
        Shaped as `tensor`, but for `axis`.
    """
    return ops.take(tensor, index + ops.arange(length, dtype="int32"), axis=axis)
