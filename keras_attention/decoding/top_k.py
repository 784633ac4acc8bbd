"""The largest entries of long rows."""

import keras
from keras import ops

from keras_attention import functional
from keras_attention.tensor import Tensor

_BLOCK = 32
_NOWHERE = 2**31 - 1


def top_k(rows: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The `k` largest entries along the last axis and their places, or all if fewer.

    Among equals the first comes first. A row is cut into blocks: the largest entries
    lie in the `k` blocks with the largest maxima, and only those are sorted. Maxima are
    quick to find; a whole vocabulary sorted at each step took an eighth of a compiled
    beam search of 32 rows.
    """
    size = rows.shape[-1]
    if size is None:
        return _sorted_top_k(rows, ops.minimum(k, ops.shape(rows)[-1]))
    k = min(k, size)
    if k == 1:
        return _largest(rows)
    blocks = -(-size // _BLOCK)
    if blocks < 4 * k:
        return _sorted_top_k(rows, k)
    shape = functional.sizes(rows)[:-1]
    padding = ((0, 0),) * len(shape) + ((0, blocks * _BLOCK - size),)
    rows = ops.pad(rows, padding, constant_values=-float("inf"))
    rows = ops.reshape(rows, (*shape, blocks, _BLOCK))
    # In the order of their places, so that among equals the first comes first.
    chosen = ops.sort(_sorted_top_k(ops.amax(rows, axis=-1), k)[1], axis=-1)
    candidates = ops.take_along_axis(rows, ops.expand_dims(chosen, -1), axis=-2)
    candidates = ops.reshape(candidates, (*shape, k * _BLOCK))
    values, places = _sorted_top_k(candidates, k)
    starts = ops.take_along_axis(chosen, places // _BLOCK, axis=-1) * _BLOCK
    return values, ops.minimum(starts + places % _BLOCK, size - 1)


def _largest(rows):
    """The largest entry, the first of equals; and its place."""
    places = ops.arange(rows.shape[-1], dtype="int32")
    largest = -_least(-rows, float("inf"))
    is_largest = ops.equal(rows, largest)
    place = _least(ops.where(is_largest, places, _NOWHERE), _NOWHERE)
    # Of what is no number, none is the largest.
    return largest, ops.minimum(place, rows.shape[-1] - 1)


def _least(rows, padding):
    """The least entry along the last axis, found in lanes first, as vectors are."""
    *shape, size = functional.sizes(rows)
    lanes = min(_BLOCK, size)
    missing = -size % lanes
    if missing:
        axes = ((0, 0),) * len(shape) + ((0, missing),)
        rows = ops.pad(rows, axes, constant_values=padding)
    rows = ops.reshape(rows, (*shape, (size + missing) // lanes, lanes))
    return ops.amin(ops.amin(rows, axis=-2), axis=-1, keepdims=True)


def _sorted_top_k(rows, k):
    if keras.backend.backend() != "torch":
        return ops.top_k(rows, k)
    # PyTorch's own leaves open which of equals it takes.
    places = ops.argsort(-rows, axis=-1)[..., :k]
    return ops.take_along_axis(rows, places, axis=-1), places
