"""What is asked of the outputs of each row."""

from typing import Any, NamedTuple, Self

import keras
from keras import backend, ops

from keras_attention import functional
from keras_attention.special_ids import PAD
from keras_attention.tensor import Tensor


class RowLimits(NamedTuple):
    """How long the outputs of each row may be, and what they begin with.

    Attributes:
        min_length: `(rows,)`, the fewest ids, the end included; or `None` for any.
        max_length: `(rows,)`, the most.
        prefix: `(rows, prefix)`, the ids that each output begins with, padded with 0;
            or `None`.
        prompt: likewise; these ids are certain, and go before those of the prefix.
    """

    min_length: Tensor | None
    max_length: Tensor
    prefix: Tensor | None
    prompt: Tensor | None

    def repeat(self, count: int) -> Self:
        """The limits of `count` outputs a row, next to each other."""
        return type(self)(*functional.repeat_rows(tuple(self), count))

    def forced(self, index: int | Tensor) -> Tensor | None:
        """The id `(rows,)` of the prefix after `index` others, 0 for any."""
        return _at(self.prefix, index)

    def certain(self, index: int | Tensor) -> Tensor | None:
        """The id `(rows,)` of the prompt there, 0 for any."""
        return _at(self.prompt, index)

    def given(self, length: int) -> Tensor | None:
        """The ids `(rows, length)` that outputs begin with, 0 for any."""
        parts = [
            functional.fit_length(part, length)
            for part in (self.prompt, self.prefix)
            if part is not None
        ]
        if not parts:
            return None
        first, last = parts[0], parts[-1]
        return ops.where(ops.equal(first, PAD), last, first)


def source_mask(source: Any) -> Tensor | None:
    """Which positions `(rows, source)` of a source are no padding; `None` if unknown.

    Args:
        source: ids `(rows, source)`, padded with 0; or anything else, of which a
            boolean `source_mask` in a dictionary says so.
    """
    if isinstance(source, dict):
        return source.get("source_mask")
    is_tensor = not keras.tree.is_nested(source)
    if is_tensor and len(source.shape) == 2 and backend.is_int_dtype(source.dtype):
        return ops.not_equal(source, PAD)
    return None


def source_lengths(source: Any) -> Tensor:
    """How many positions each source has, `(rows,)`, without its padding."""
    mask = source_mask(source)
    if mask is not None:
        return ops.sum(ops.cast(mask, "int32"), axis=1)
    rows, *sizes = ops.shape(keras.tree.flatten(source)[0])
    return ops.full((rows,), sizes[0] if sizes else 1, "int32")


def count_given(given: Tensor) -> Tensor:
    """How many of the first ids `(rows, length)` are given in every row."""
    in_all = ops.all(ops.not_equal(given, PAD), axis=0)
    is_short = ops.cumsum(ops.cast(ops.logical_not(in_all), "int32"))
    return ops.sum(ops.cast(ops.equal(is_short, 0), "int32"))


def _at(ids, index):
    """The ids of one position, 0 after the last."""
    if ids is None:
        return None
    last = ops.shape(ids)[1] - 1
    return ops.where(
        index <= last, ops.take(ids, ops.minimum(index, last), axis=1), PAD
    )
