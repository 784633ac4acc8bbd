"""Attention over some axes of a tensor: the others become part of the batch.

`axes` are those attended over, the outer ones all others but the last (features).
"""

import math
from collections.abc import Sequence

from keras import ops

from keras_attention.tensor import Tensor


def fold(inputs: Tensor, axes: Sequence[int], trailing: int = 1) -> Tensor:
    """Arrange a tensor as `(outer, length, ...)`.

    Args:
        inputs: `(batch, ..., dim)`.
        axes: the axes that make up the length, in order.
        trailing: number of last axes that stay as they are: 1 for features, 0 for a
            mask of positions.

    Example:
    >>> tuple(fold(ops.ones((2, 3, 5, 7)), axes=(2,)).shape)
    (6, 5, 7)
    """
    rank = len(inputs.shape)
    outer = _outer(rank - trailing, axes)
    kept = range(rank - trailing, rank)
    arranged = ops.transpose(inputs, (*outer, *axes, *kept))
    sizes = ops.shape(inputs)
    rows, length = (math.prod(sizes[axis] for axis in of) for of in (outer, axes))
    return ops.reshape(arranged, (rows, length, *sizes[rank - trailing :]))


def unfold(outputs: Tensor, like: Tensor, axes: Sequence[int]) -> Tensor:
    """Arrange `(outer, length, ...)` as `like` was before `fold`, features aside."""
    sizes = ops.shape(like)
    order = [*_outer(len(sizes) - 1, axes), *axes]
    trailing = ops.shape(outputs)[2:]
    arranged = ops.reshape(outputs, (*(sizes[axis] for axis in order), *trailing))
    back = sorted(range(len(order)), key=order.__getitem__)
    kept = range(len(order), len(order) + len(trailing))
    return ops.transpose(arranged, (*back, *kept))


def unfold_weights(
    weights: Tensor, query: Tensor, value: Tensor, axes: Sequence[int]
) -> Tensor:
    """`(outer, heads, target, source)` to `(*outer, heads, *targets, *sources)`."""
    targets, sources = ops.shape(query), ops.shape(value)
    return ops.reshape(
        weights,
        (
            *(targets[axis] for axis in _outer(len(targets) - 1, axes)),
            weights.shape[1],
            *(targets[axis] for axis in axes),
            *(sources[axis] for axis in axes),
        ),
    )


def fold_pairs(
    mask: Tensor, query: Tensor, value: Tensor, axes: Sequence[int]
) -> Tensor:
    """Arrange a mask of pairs as `(outer, heads or 1, target, source)`.

    Args:
        mask: `(*outer, heads, *targets, *sources)`, where axes may be of size 1.
        query: the queries before `fold`.
        value: the values before `fold`.
        axes: the axes attended over.
    """
    targets, sources = ops.shape(query), ops.shape(value)
    outer = [targets[axis] for axis in _outer(len(targets) - 1, axes)]
    targets, sources = ([sizes[axis] for axis in axes] for sizes in (targets, sources))
    heads = mask.shape[len(outer)]
    mask = ops.broadcast_to(mask, (*outer, heads, *targets, *sources))
    sizes = (math.prod(outer), heads, math.prod(targets), math.prod(sources))
    return ops.reshape(mask, sizes)


def attended_axes(axes: tuple[int, ...] | None, rank: int) -> tuple[int, ...]:
    """The axes attended over of inputs of a rank, counted from the first.

    Raises:
        ValueError: if they are the batch's or the features', or not there.
    """
    if axes is None:
        return tuple(range(1, rank - 1))
    positive = tuple(axis % rank for axis in axes)
    if any(not 0 < axis < rank - 1 for axis in positive) or any(
        not -rank <= axis < rank for axis in axes
    ):
        raise ValueError(
            "`attention_axes` must lie between the batch and the features. Received: "
            f"attention_axes={axes} for inputs of {rank} axes"
        )
    return positive


def _outer(rank: int, axes: Sequence[int]) -> list[int]:
    return [axis for axis in range(rank) if axis not in axes]
