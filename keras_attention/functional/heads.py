"""Splitting features into heads and back."""

from keras import ops

from keras_attention.functional.shapes import sizes
from keras_attention.tensor import Tensor


def split_heads(inputs: Tensor, num_heads: int) -> Tensor:
    """`(batch, length, heads * dim)` to `(batch, heads, length, dim)`."""
    batch, length, width = sizes(inputs)
    dim = width // num_heads
    if inputs.shape[1] == 1:  # as in every step of a decoder
        return ops.reshape(inputs, (batch, num_heads, 1, dim))
    heads = ops.reshape(inputs, (batch, length, num_heads, dim))  # (B, T, N, H)
    return ops.transpose(heads, (0, 2, 1, 3))


def merge_heads(inputs: Tensor) -> Tensor:
    """`(batch, heads, length, dim)` to `(batch, length, heads * dim)`."""
    batch, num_heads, length, dim = sizes(inputs)
    if inputs.shape[2] != 1:
        inputs = ops.transpose(inputs, (0, 2, 1, 3))  # (B, T, N, H)
    return ops.reshape(inputs, (batch, length, num_heads * dim))


def group_queries(inputs: Tensor, num_key_value_heads: int) -> Tensor:
    """Stack the query heads that share a key head along the target axis.

    `(batch, heads, target, x)` to `(batch, key_value_heads, group * target, x)`: the
    heads of a group are further queries of one product, so keys and values are
    never repeated in memory.
    """
    batch, num_heads, target, width = sizes(inputs)
    is_inferred = isinstance(target, int) and target == -1
    joined = target if is_inferred else num_heads // num_key_value_heads * target
    return ops.reshape(inputs, (batch, num_key_value_heads, joined, width))


def ungroup_queries(inputs: Tensor, num_heads: int) -> Tensor:
    """Undo `group_queries`: back to `(batch, heads, target, x)`."""
    batch, num_key_value_heads, rows, width = ops.shape(inputs)
    target = rows * num_key_value_heads // num_heads
    return ops.reshape(inputs, (batch, num_heads, target, width))
