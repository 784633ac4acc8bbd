"""The largest entries of long rows."""

from typing import Any

from keras import ops

Tensor = Any
_BLOCK = 32


def top_k(rows: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The `k` largest entries along the last axis and their places, as `ops.top_k`.

    A row is cut into blocks: the largest entries lie in the `k` blocks with the largest
    maxima, and only those are sorted. Maxima are quick to find; a whole vocabulary
    sorted at each step took an eighth of a compiled beam search of 32 rows.
    """
    size = rows.shape[-1]
    blocks = -(-size // _BLOCK)
    if blocks < 4 * k:
        return ops.top_k(rows, k)
    shape = ops.shape(rows)[:-1]
    padding = ((0, 0),) * len(shape) + ((0, blocks * _BLOCK - size),)
    rows = ops.pad(rows, padding, constant_values=-float("inf"))
    rows = ops.reshape(rows, (*shape, blocks, _BLOCK))
    # In the order of their places, so that among equals the first comes first.
    chosen = ops.sort(ops.top_k(ops.max(rows, axis=-1), k)[1], axis=-1)
    candidates = ops.take_along_axis(rows, ops.expand_dims(chosen, -1), axis=-2)
    values, places = ops.top_k(ops.reshape(candidates, (*shape, k * _BLOCK)), k)
    starts = ops.take_along_axis(chosen, places // _BLOCK, axis=-1) * _BLOCK
    return values, ops.minimum(starts + places % _BLOCK, size - 1)
