"""The places of a beam search, as tensors `(batch, places, ...)`."""

from typing import Any

import numpy as np
from keras import backend, ops

from keras_attention import functional

Tensor = Any


def count_up(*bounds: Any) -> Tensor:
    """Whole numbers like all other ones here, where Keras's might be int64."""
    return ops.arange(*bounds, dtype="int32")


def in_dtype(places: dict[str, Tensor], dtype: Any) -> dict[str, Tensor]:
    """Places with their numbers in the dtype of the model's, from the first step on."""
    return {
        name: ops.cast(part, dtype) if backend.is_float_dtype(part.dtype) else part
        for name, part in places.items()
    }


def take(tensor: Tensor, order: Tensor) -> Tensor:
    """Entries of a tensor along the last axis that `order` has."""
    axis = len(order.shape) - 1
    for _ in range(len(tensor.shape) - len(order.shape)):
        order = ops.expand_dims(order, -1)
    return ops.take_along_axis(tensor, order, axis=axis)


def put(tensor: Tensor, values: Tensor, index: Any) -> Tensor:
    """Write `(batch, places)` into `(batch, places, length)` at an index."""
    return functional.write_at(tensor, ops.expand_dims(values, 2), index, 2)


def is_repeated(ids: Tensor, scores: Tensor) -> Tensor:
    """Whether an earlier place holds the same output, `(batch, places)`."""
    is_same = ops.all(ops.equal(ids[:, :, None], ids[:, None]), axis=-1)
    is_earlier = ops.convert_to_tensor(np.tri(ids.shape[1], k=-1, dtype="bool"))
    has_ended = ops.expand_dims(scores > -np.inf, 1)
    return ops.any(is_same & is_earlier & has_ended, axis=2)
