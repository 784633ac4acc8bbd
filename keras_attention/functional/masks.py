"""Boolean masks, `True` where attention is allowed."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import backend, ops

from keras_attention.tensor import Tensor


def implicit_mask(tensor: Tensor | None) -> Tensor | None:
    """The mask that an earlier layer (`mask_zero`, `Masking`) left on a tensor."""
    if hasattr(tensor, "__dict__") or not ops.is_tensor(tensor):
        return getattr(tensor, "_keras_mask", None)
    return _MaskReader()(tensor)


def with_mask(tensor: Tensor, mask: Tensor) -> Tensor:
    """The tensor with an implicit mask, for the layers and losses after it."""
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


def as_boolean(mask: Tensor, name: str = "mask") -> Tensor:
    """A boolean tensor of a mask that may come as zeros and ones.

    Inside a compiled graph, where values cannot be seen, a mask of floating-point
    numbers is refused by its dtype, since it may be an additive one; of an integer one,
    1 is `True`, and `spoiled` says whether that was right.

    Args:
        mask: boolean, or numbers that are 0 or 1.
        name: of the argument, for messages.

    Raises:
        ValueError: for other numbers, such as those of an additive mask or lengths.

    Example:
    >>> ops.convert_to_numpy(as_boolean([1.0, 0.0])).tolist()
    [True, False]
    """
    if not hasattr(mask, "dtype"):
        mask = ops.convert_to_tensor(mask)
    dtype = backend.standardize_dtype(mask.dtype)
    if dtype == "bool":
        return mask
    values = visible_values(mask)
    if values is not None:
        strange = values[(values != 0) & (values != 1)]
        if strange.size:
            raise ValueError(_not_boolean(name, dtype, f"the value {strange[0]}"))
        return ops.cast(mask, "bool")
    if not backend.is_int_dtype(dtype):
        raise ValueError(_not_boolean(name, dtype, "values that a graph hides"))
    return ops.equal(mask, 1)


def spoiled(outputs: Tensor, *masks: Tensor) -> Tensor:
    """Turn outputs into NaN where a mask holds numbers other than 0 and 1.

    It is how a compiled graph, where values can only be seen by the graph itself, says
    what `as_boolean` raises elsewhere.

    Args:
        outputs: floating-point tensor.
        *masks: of integers.

    Returns:
        The outputs with their implicit mask, all of them NaN if any value is strange.

    Example:
    >>> ops.convert_to_numpy(spoiled(ops.ones(2), ops.convert_to_tensor([2, 0])))
    array([nan, nan], dtype=float32)
    """
    implicit = implicit_mask(outputs)
    for mask in masks:
        is_strange = ops.any(ops.not_equal(mask, 0) & ops.not_equal(mask, 1))
        outputs = outputs + ops.where(is_strange, ops.cast(np.nan, outputs.dtype), 0)
    return outputs if implicit is None else with_mask(outputs, implicit)


def hides_integers(mask: Any) -> bool:
    """Whether something is a tensor of integers whose values cannot be seen yet."""
    if not hasattr(mask, "dtype") or isinstance(mask, keras.KerasTensor):
        return False
    is_integer = backend.is_int_dtype(backend.standardize_dtype(mask.dtype))
    return is_integer and visible_values(mask) is None


def position_mask(inputs: Tensor, **named: Tensor | None) -> Tensor | None:
    """The mask of the positions of a tensor: explicit ones, and its implicit one.

    Args:
        inputs: `(batch, ..., dim)`.
        **named: as in `sequence_mask`.

    Returns:
        Boolean, as many axes as `inputs` but the last, or `None`.

    Raises:
        ValueError: for a mask that is not boolean, or of another shape.

    Example:
    >>> mask = position_mask(ops.ones((1, 2, 8)), padding_mask=[[1, 0]])
    >>> ops.convert_to_numpy(mask).tolist()
    [[True, False]]
    """
    implicit = implicit_mask(inputs)
    if implicit is not None:
        # Keras also puts it into an argument that was left out.
        named = {name: mask for name, mask in named.items() if mask is not implicit}
        named["mask"] = combine_masks(named.get("mask"), implicit)
    if all(mask is None for mask in named.values()):
        return None
    mask = sequence_mask(ops.shape(inputs)[:-1], **named)
    if mask is not None and any(
        size == 1 != full for size, full in zip(mask.shape, inputs.shape, strict=False)
    ):
        mask = ops.broadcast_to(mask, ops.shape(inputs)[:-1])
    return mask


def sequence_mask(shape: Sequence[Any], **named: Tensor | None) -> Tensor | None:
    """Masks of the positions of a batch of sequences, checked and combined.

    A mask of fewer axes than there are positions, such as one of the frames of a video,
    covers all that lies within each of its entries.

    Args:
        shape: `(batch, ...)`, with `None` for sizes that are not known. Where they are
            scalar tensors, a mask of another shape fails when the graph is run.
        **named: masks by the names of their arguments, or `None`.

    Returns:
        Boolean, with as many axes as `shape`, or `None`.

    Raises:
        ValueError: for a mask that is not boolean, or of another shape.
    """
    shape = tuple(shape)
    masks = []
    for name, mask in named.items():
        if mask is None:
            continue
        # Numbers of one axis are rather lengths than a mask of whole rows.
        is_boolean = (
            backend.standardize_dtype(getattr(mask, "dtype", "int32")) == "bool"
        )
        least = 1 if is_boolean else 2
        mask = as_boolean(mask, name)
        own = tuple(mask.shape)
        if not least <= len(own) <= len(shape) or not _fits(own, shape, broadcasts=1):
            raise ValueError(
                f"`{name}` must have the shape of the positions that it covers, "
                f"{shape}. Received: {name}.shape={own}"
            )
        sizes = own[1:], shape[1 : len(own)]
        if None not in sizes[1] and not all(map(_is_known, sizes[0] + sizes[1])):
            mask = ops.reshape(mask, (ops.shape(mask)[0], *sizes[1]))
        for _ in range(len(shape) - len(own)):
            mask = ops.expand_dims(mask, -1)
        masks.append(mask)
    return combine_masks(*masks)


def pair_mask(
    shape: Sequence[Any], pair_axes: int = 2, **named: Tensor | None
) -> Tensor | None:
    """A mask of pairs of positions, checked.

    Args:
        shape: what it must broadcast to, such as `(batch, target, source)`, or
            `(batch, heads, target, source)`; `None` for sizes that are not known.
        pair_axes: how many of the last axes are those of the pairs.
        **named: the mask by the name of its argument, or `None`. The axes that it lacks
            are those before the pairs, the last of them first.

    Returns:
        Boolean, with as many axes as `shape`, or `None`.

    Raises:
        ValueError: for a mask that is not boolean, or of another shape.

    Example:
    >>> mask = pair_mask((None, None, 1, 2), attention_mask=[[True, False]])
    >>> ops.convert_to_numpy(mask).tolist()
    [[[[True, False]]]]
    """
    ((name, mask),) = named.items()
    if mask is None:
        return None
    shape = tuple(shape)
    mask = as_boolean(mask, name)
    own = tuple(mask.shape)
    for rank in range(len(own), len(shape) if own else 0):
        mask = ops.expand_dims(mask, -min(rank, pair_axes) - 1)
    if len(mask.shape) != len(shape) or not _fits(mask.shape, shape):
        raise ValueError(
            f"`{name}` must broadcast to {shape}, whose last axes are the queries and "
            f"the keys. Received: {name}.shape={own}"
        )
    return mask


def combine_masks(*masks: Tensor | None) -> Tensor | None:
    """Allow only what every given mask allows; `None` allows everything.

    Args:
        *masks: boolean (or 0/1) tensors that broadcast against each other, or `None`.

    Returns:
        Their logical and, or `None` when all are `None`.

    Example:
    >>> mask = combine_masks(None, [[True, True]], [[True, False]])
    >>> ops.convert_to_numpy(mask).tolist()
    [[True, False]]
    """
    combined = None
    for mask in masks:
        if mask is None:
            continue
        mask = as_boolean(mask)
        combined = mask if combined is None else ops.logical_and(combined, mask)
    return combined


def causal_mask(
    target_length: int | Tensor, source_length: int | Tensor, index: int | Tensor = 0
) -> Tensor:
    """Let each target position see the source positions up to its own.

    Positions are counted from the first of each, as in Keras, so that padding after
    either changes nothing.

    Args:
        target_length: number of queries, an integer or a scalar tensor.
        source_length: number of keys, likewise.
        index: position of the first query, likewise.

    Returns:
        Boolean `(target, source)`.

    Example:
    >>> ops.convert_to_numpy(causal_mask(2, 3)).astype(int).tolist()
    [[1, 0, 0], [1, 1, 0]]
    """
    target = ops.expand_dims(index + ops.arange(target_length, dtype="int32"), 1)
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


def visible_values(tensor: Tensor) -> np.ndarray | None:
    """The values of a tensor, or `None` inside a graph that is being made."""
    try:
        return np.asarray(ops.convert_to_numpy(tensor))
    except (NotImplementedError, RuntimeError, TypeError, ValueError, AttributeError):
        return None


def _fits(own: Sequence[Any], shape: Sequence[Any], broadcasts: int = 99) -> bool:
    """Whether sizes match a shape, or are 1 in some of the first axes."""
    return all(
        not (_is_known(size) and _is_known(full))
        or size == full
        or (size == 1 and axis < broadcasts)
        for axis, (size, full) in enumerate(zip(own, shape, strict=False))
    )


def _is_known(size: Any) -> bool:
    """Whether a size is known before the graph is run."""
    return isinstance(size, int)


def _not_boolean(name: str, dtype: str, found: str) -> str:
    return (
        f"`{name}` must be boolean, `True` for what may be attended to; numbers may be "
        "0 and 1 alone, floating-point ones outside of compiled graphs alone. Of an "
        f"additive mask, take `{name} == 0`; of lengths, `arange(length) < "
        f"lengths[:, None]`. Received: {name} of dtype {dtype} with {found}"
    )
