"""Splitting features into heads and back."""

from keras import ops

from keras_attention.tensor import Tensor


def split_heads(inputs: Tensor, num_heads: int) -> Tensor:
    """`(batch, length, heads * dim)` to `(batch, heads, length, dim)`."""
    batch, length, width = ops.shape(inputs)
    shape = (batch, length, num_heads, width // num_heads)
    heads = ops.reshape(inputs, shape)  # (B, T, N, H)
    return ops.transpose(heads, (0, 2, 1, 3))


def merge_heads(inputs: Tensor) -> Tensor:
    """`(batch, heads, length, dim)` to `(batch, length, heads * dim)`."""
    batch, num_heads, length, dim = ops.shape(inputs)
    merged = ops.transpose(inputs, (0, 2, 1, 3))  # (B, T, N, H)
    return ops.reshape(merged, (batch, length, num_heads * dim))


def group_queries(inputs: Tensor, num_key_value_heads: int) -> Tensor:
    """Stack the query heads that share a key head along the target axis.

    `(batch, heads, target, x)` to `(batch, key_value_heads, group * target, x)`: the
    heads of a group are further queries of one product, so keys and values are
    never repeated in memory.
    """
    batch, num_heads, target, width = ops.shape(inputs)
    group = num_heads // num_key_value_heads
    return ops.reshape(inputs, (batch, num_key_value_heads, group * target, width))


def ungroup_queries(inputs: Tensor, num_heads: int) -> Tensor:
    """Undo `group_queries`: back to `(batch, heads, target, x)`."""
    batch, num_key_value_heads, rows, width = ops.shape(inputs)
    target = rows * num_key_value_heads // num_heads
    return ops.reshape(inputs, (batch, num_heads, target, width))
