"""Splitting features into heads and back."""

from typing import Any

from keras import ops

Tensor = Any


def split_heads(inputs: Tensor, num_heads: int) -> Tensor:
    """`(batch, length, heads * dim)` to `(batch, heads, length, dim)`."""
    dim = inputs.shape[-1] // num_heads
    length = inputs.shape[1] if inputs.shape[1] is not None else ops.shape(inputs)[1]
    heads = ops.reshape(inputs, (-1, length, num_heads, dim))  # (B, T, N, H)
    return ops.transpose(heads, (0, 2, 1, 3))


def merge_heads(inputs: Tensor) -> Tensor:
    """`(batch, heads, length, dim)` to `(batch, length, heads * dim)`."""
    _, num_heads, length, dim = inputs.shape
    length = length if length is not None else ops.shape(inputs)[2]
    merged = ops.transpose(inputs, (0, 2, 1, 3))  # (B, T, N, H)
    return ops.reshape(merged, (-1, length, num_heads * dim))


def group_queries(inputs: Tensor, num_key_value_heads: int) -> Tensor:
    """Stack the query heads that share a key head along the target axis.

    `(batch, heads, target, x)` to `(batch, key_value_heads, group * target, x)`: the
    heads of a group are further queries of one product, so keys and values are
    never repeated in memory.
    """
    _, num_heads, target, width = ops.shape(inputs)
    group = num_heads // num_key_value_heads
    return ops.reshape(inputs, (-1, num_key_value_heads, group * target, width))


def ungroup_queries(inputs: Tensor, num_heads: int) -> Tensor:
    """Undo `group_queries`: back to `(batch, heads, target, x)`."""
    _, num_key_value_heads, rows, width = ops.shape(inputs)
    target = rows * num_key_value_heads // num_heads
    return ops.reshape(inputs, (-1, num_heads, target, width))
