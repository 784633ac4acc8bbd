"""Where the heads of a Neural Turing Machine read and write (Graves et al. 2014).

Letters: `B` batch, `H` heads, `N` slots of the memory, `W` width of a slot. All in
float32, or in float64 for a memory of that dtype.
"""

from keras import ops

from keras_attention.functional.scores import cosine_scores
from keras_attention.precision import precise
from keras_attention.tensor import Tensor

# Weights below it count as this much, so that no logarithm is infinite.
_SMALLEST = 1e-16


def address(
    memory: Tensor,
    previous: Tensor,
    key: Tensor,
    strength: Tensor,
    gate: Tensor,
    shift: Tensor,
    sharpness: Tensor,
) -> Tensor:
    """The weights of each head on the slots: by content, then by location.

    Args:
        memory: `(batch, slots, width)`.
        previous: the last weights, `(batch, heads, slots)`.
        key: what to look for, `(batch, heads, width)`.
        strength: how decidedly, `(batch, heads, 1)`, not negative.
        gate: from 0, keep the last weights, to 1, take those by content; as `strength`.
        shift: how far to move, a distribution `(batch, heads, 2 * range + 1)` over the
            steps from `-range` to `range`.
        sharpness: exponent of the weights, at least 1; as `strength`.

    Returns:
        Weights `(batch, heads, slots)` that sum to 1.

    Example:
    >>> previous = [[[0.0, 1.0, 0.0]]]
    >>> one, zero = [[[1.0]]], [[[0.0]]]
    >>> weights = address(
    ...     [[[1.0], [1.0], [1.0]]], previous, one, one, zero, [[[0.0, 0.0, 1.0]]], one
    ... )
    >>> ops.convert_to_numpy(weights).round(3).tolist()
    [[[0.0, 0.0, 1.0]]]
    """
    parts = [
        ops.convert_to_tensor(part)
        for part in (memory, previous, key, strength, gate, shift, sharpness)
    ]
    dtype = precise(parts[0].dtype)
    memory, previous, key, strength, gate, shift, sharpness = (
        ops.cast(part, dtype) for part in parts
    )
    by_content = ops.softmax(strength * cosine_scores(key, memory), axis=-1)
    weights = gate * by_content + (1 - gate) * previous
    weights = _circular_shift(weights, shift)  # (B, H, N)
    # A power over its sum, without the power: the smallest would underflow.
    return ops.softmax(sharpness * ops.log(ops.maximum(weights, _SMALLEST)), axis=-1)


def read_memory(memory: Tensor, weights: Tensor) -> Tensor:
    """What each head reads: the mean of the slots by its weights, `(B, H, W)`."""
    return ops.matmul(weights, memory)


def write_memory(memory: Tensor, weights: Tensor, erase: Tensor, add: Tensor) -> Tensor:
    """The memory after all heads have erased, and then added.

    Args:
        memory: `(batch, slots, width)`.
        weights: `(batch, heads, slots)`.
        erase: share of each entry that goes, `(batch, heads, width)`, from 0 to 1.
        add: what comes, `(batch, heads, width)`.

    Returns:
        `(batch, slots, width)`.
    """
    kept = 1 - ops.expand_dims(weights, 3) * ops.expand_dims(erase, 2)  # (B, H, N, W)
    added = ops.matmul(ops.swapaxes(weights, 1, 2), add)
    return ops.multiply(memory, ops.prod(kept, axis=1)) + added


def _circular_shift(weights: Tensor, shift: Tensor) -> Tensor:
    reach = shift.shape[-1] // 2
    return sum(
        ops.roll(weights, step, axis=-1) * shift[..., reach + step][..., None]
        for step in range(-reach, reach + 1)
    )
