"""The beams of a search, as tensors `(batch, beams, ...)`."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_attention import functional
from keras_attention.decoding.beginning import in_precision
from keras_attention.decoding.phrases import Phrases
from keras_attention.decoding.row_limits import RowLimits
from keras_attention.decoding.top_k import top_k
from keras_attention.special_ids import PAD
from keras_attention.tensor import Tensor


class Asked(NamedTuple):
    """What is asked of the outputs of all steps.

    Attributes:
        limits: of each beam.
        max_length: `(batch, 1)`, the most ids of an output.
        is_source: `(batch, 1, source)`, no padding; or `None`.
        phrases: that outputs are to hold; or `None`.
    """

    limits: RowLimits
    max_length: Tensor
    is_source: Tensor | None
    phrases: Phrases | None = None


def count_up(*bounds: Any) -> Tensor:
    """The int32 range, where Keras's might be int64."""
    return ops.arange(*bounds, dtype="int32")


def take(tensor: Tensor, order: Tensor) -> Tensor:
    """Entries of a tensor along the last axis that `order` has."""
    axis = len(order.shape) - 1
    for _ in range(len(tensor.shape) - len(order.shape)):
        order = ops.expand_dims(order, -1)
    return ops.take_along_axis(tensor, order, axis=axis)


def put(tensor: Tensor, values: Tensor, index: int | Tensor) -> Tensor:
    """Write `(batch, beams)` into `(batch, beams, length)` at an index."""
    return functional.write_at(tensor, ops.expand_dims(values, 2), index, 2)


def repeat_for_beams(tensor: Tensor, count: int) -> Tensor:
    """`(batch, ...)` as `(batch, beams, ...)`, the same in each beam."""
    return ops.repeat(ops.expand_dims(tensor, 1), count, axis=1)


def split_by_beams(attention: Tensor, count: int) -> Tensor:
    """Attention `(rows, source)` as `(batch, beams, source)`."""
    attention = in_precision(attention)
    rows, source = ops.shape(attention)
    # JAX infers no axis beside one of nothing.
    return ops.reshape(attention, (rows // count, count, source))


def attend(
    beams: dict[str, Tensor],
    seen: dict[str, Tensor],
    attention: Tensor,
    index: int | Tensor,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Write down what beams attend to at one step, as far as it is asked for."""
    if seen:
        now = ops.expand_dims(attention, 0)
        seen = {"attention": functional.write_at(seen["attention"], now, index, 0)}
    if "coverage" in beams:
        beams = {**beams, "coverage": beams["coverage"] + attention}
    return beams, seen


def is_repeated(ids: Tensor, scores: Tensor) -> Tensor:
    """Whether an earlier beam holds the same output, `(batch, beams)`."""
    is_same = ops.all(ops.equal(ids[:, :, None], ids[:, None]), axis=-1)
    is_earlier = ops.convert_to_tensor(np.tri(ids.shape[1], k=-1, dtype="bool"))
    has_ended = ops.expand_dims(scores > -np.inf, 1)
    return ops.any(is_same & is_earlier & has_ended, axis=2)


def extensions(scores, log_probs, width, avoided):
    """The `width` best extensions of some beams, best first.

    Log-probabilities, beams and ids `(batch, width)`; -inf where there are too few.
    """
    count = log_probs.shape[1]
    # Of each beam, no more than `width` can be among the best.
    top, ids = top_k(log_probs if avoided is None else log_probs - avoided, width)
    within = ops.shape(top)[-1]
    # Of a vocabulary whose size a graph does not know, all may be missing.
    missing = max(width - count * (top.shape[-1] or 0), 0)
    total, ids = (
        ops.pad(
            ops.reshape(part, (-1, count * within)),
            ((0, 0), (0, missing)),
            constant_values=nothing,
        )
        for part, nothing in ((ops.expand_dims(scores, 2) + top, -np.inf), (ids, PAD))
    )
    best, chosen = top_k(total, width)
    ids = ops.take_along_axis(ids, chosen, axis=1)
    parents = ops.minimum(chosen // within, count - 1)
    if avoided is not None:
        off = ops.take_along_axis(ops.squeeze(avoided, 1), ids, axis=1)
        best = best + off
    return best, ops.cast(parents, "int32"), ops.cast(ids, "int32")
