"""Boolean masks, `True` where attention is allowed."""

from typing import Any

import keras
from keras import backend, ops

Tensor = Any


def implicit_mask(tensor: Tensor | None) -> Tensor | None:
    """The mask that an earlier layer (`mask_zero`, `Masking`) left on a tensor."""
    if hasattr(tensor, "__dict__") or not ops.is_tensor(tensor):
        return getattr(tensor, "_keras_mask", None)
    return _MaskReader()(tensor)


def with_mask(tensor: Tensor, mask: Tensor) -> Tensor:
    """The tensor with an implicit mask, for the layers and losses behind it."""
    if hasattr(tensor, "__dict__"):
        tensor._keras_mask = mask
        return tensor
    return _MaskWriter(mask)(tensor)


# Keras keeps a mask as an attribute of its tensor. What JAX traces takes no attributes,
# and its masks are kept where only the call of a layer reads and writes them.


class _MaskReader(keras.layers.Layer):
    def __init__(self) -> None:
        super().__init__(autocast=False, name="mask_reader")

    def call(self, inputs, mask=None):
        return mask

    def compute_mask(self, inputs, previous_mask):
        return None


class _MaskWriter(keras.layers.Layer):
    def __init__(self, mask: Tensor) -> None:
        super().__init__(autocast=False, name="mask_writer")
        self.mask = mask

    def call(self, inputs):
        return inputs

    def compute_mask(self, inputs, previous_mask):
        return self.mask


def as_boolean(mask: Tensor) -> Tensor:
    """A boolean tensor of a mask that may come as zeros and ones."""
    if hasattr(mask, "dtype") and backend.standardize_dtype(mask.dtype) == "bool":
        return mask
    return ops.cast(mask, "bool")


def combine_masks(*masks: Tensor | None) -> Tensor | None:
    """Allow only what every given mask allows; `None` allows everything.

    Args:
        *masks: boolean (or 0/1) tensors that broadcast against each other, or `None`.

    Returns:
        Their logical and, or `None` when all are `None`.

    Example:
    >>> combine_masks(None, [[True, True]], [[True, False]]).numpy().tolist()
    [[True, False]]
    """
    combined = None
    for mask in masks:
        if mask is None:
            continue
        mask = as_boolean(mask)
        combined = mask if combined is None else ops.logical_and(combined, mask)
    return combined


def causal_mask(target_length: Any, source_length: Any) -> Tensor:
    """Let each target position see the source positions up to its own.

    Positions are counted from the first of each, as in Keras, so that padding behind
    either changes nothing.

    Args:
        target_length: number of queries, an integer or a scalar tensor.
        source_length: number of keys, likewise.

    Returns:
        Boolean `(target, source)`.

    Example:
    >>> causal_mask(2, 3).numpy().astype(int).tolist()
    [[1, 0, 0], [1, 1, 0]]
    """
    target = ops.expand_dims(ops.arange(target_length, dtype="int32"), 1)
    source = ops.expand_dims(ops.arange(source_length, dtype="int32"), 0)
    return ops.less_equal(source, target)  # (T, S)


def pairwise_mask(
    query_mask: Tensor | None = None,
    value_mask: Tensor | None = None,
    key_mask: Tensor | None = None,
    attention_mask: Tensor | None = None,
) -> Tensor | None:
    """Join the masks of positions with a mask of pairs of positions.

    Args:
        query_mask: `(batch, target)`; a masked query attends to nothing.
        value_mask: `(batch, source)`; a masked value is never attended to.
        key_mask: `(batch, source)`, likewise.
        attention_mask: broadcasts against `(batch, target, source)`.

    Returns:
        Boolean, broadcasting against `(batch, target, source)`, or `None`.
    """
    columns = combine_masks(value_mask, key_mask)
    return combine_masks(
        None if query_mask is None else ops.expand_dims(query_mask, -1),  # (B, T, 1)
        None if columns is None else ops.expand_dims(columns, -2),  # (B, 1, S)
        attention_mask,
    )
