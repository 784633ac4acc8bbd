"""Weights that depend on the position of the last ones, or on a predicted one.

All in float32, or in float64 for tensors of that dtype. Masked keys are passed over:
they neither count nor stop.
"""

from keras import ops

from keras_attention.functional.recurrence import run_recurrence
from keras_attention.precision import precise
from keras_attention.tensor import Tensor


def first_position(
    batch_size: int | Tensor, source: int | Tensor, dtype: str = "float32"
) -> Tensor:
    """The alignment before the first query, all of it on the first key: `(B, S)`."""
    is_first = ops.equal(ops.arange(source, dtype="int32"), 0)
    return ops.broadcast_to(ops.cast(is_first, dtype), (batch_size, source))


def monotonic_weights(
    stop: Tensor, previous: Tensor, hard: bool = False
) -> tuple[Tensor, Tensor]:
    """Where an attention that only moves forward stops, query by query.

    From the key of the last query on, each key in turn is taken with its probability;
    if none is taken, the query attends to nothing (Raffel et al. 2017, equations 8 to
    11, here with sums of logarithms so that no product of small numbers is divided by).

    Args:
        stop: probability of stopping at each key, `(batch, target, source)`; zero where
            a key may not be attended to.
        previous: weights of the query before the first, `(batch, source)`.
        hard: whether a key is taken if its probability is at least a half, and with all
            the weight; else the weights are the expected ones.

    Returns:
        Weights `(batch, target, source)`, summing to at most 1, and what the next query
        finds `(batch, source)`: the last weights of a query that might attend to
        something, as others leave the position as it was.

    Example:
    >>> stop = [[[0.1, 0.9, 0.9], [0.9, 0.1, 0.9]]]
    >>> weights, _ = monotonic_weights(stop, [[1.0, 0.0, 0.0]], hard=True)
    >>> ops.convert_to_numpy(weights).tolist()
    [[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]]
    """
    stop = ops.convert_to_tensor(stop)
    stop = ops.cast(stop, precise(stop.dtype))
    take = _first_taken if hard else _expected_taken

    def step(stop, states):
        weights = take(stop, states[0])
        return weights, [weights]

    is_asked = ops.any(ops.greater(stop, 0.0), axis=-1)  # (B, T)
    previous = ops.cast(previous, stop.dtype)
    weights, (last,) = run_recurrence(step, stop, [previous], is_asked)
    return weights, last


def _expected_taken(stop: Tensor, previous: Tensor) -> Tensor:
    # How likely it is to get from key k to key j: all between are passed over.
    passed = ops.cumsum(ops.log1p(-ops.minimum(stop, 1.0 - 1e-7)), axis=-1)
    before = passed - ops.log1p(-ops.minimum(stop, 1.0 - 1e-7))  # (B, S)
    logs = ops.expand_dims(before, 1) - ops.expand_dims(before, 2)  # (B, k, j)
    index = ops.arange(ops.shape(stop)[1], dtype="int32")
    forward = ops.less_equal(ops.expand_dims(index, 1), index)
    reach = ops.where(forward, ops.exp(ops.minimum(logs, 0.0)), 0.0)
    arriving = ops.squeeze(ops.matmul(ops.expand_dims(previous, 1), reach), 1)
    return stop * arriving


def _first_taken(stop: Tensor, previous: Tensor) -> Tensor:
    reached = ops.greater(ops.cumsum(previous, axis=-1), 0.5)
    taken = ops.logical_and(reached, ops.greater_equal(stop, 0.5))
    taken = ops.cast(taken, stop.dtype)
    return taken * ops.cast(ops.equal(ops.cumsum(taken, axis=-1), 1.0), stop.dtype)


def window_mask(center: Tensor, source: int | Tensor, window: int) -> Tensor:
    """The keys at most `window` positions from a center (Luong et al. 2015).

    Args:
        center: float `(..., target)`.
        source: number of keys.
        window: the farthest distance.

    Returns:
        Boolean `(..., target, source)`.
    """
    return ops.less_equal(ops.abs(_distance(center, source)), window)


def gaussian(center: Tensor, source: int | Tensor, window: int) -> Tensor:
    """A bell around the center, with half of `window` as its deviation.

    Args:
        center: float `(..., target)`.
        source: number of keys.
        window: twice the deviation.

    Returns:
        `(..., target, source)`, 1 at the center.
    """
    deviation = window / 2
    return ops.exp(-ops.square(_distance(center, source)) / (2 * deviation**2))


def _distance(center: Tensor, source: int | Tensor) -> Tensor:
    center = ops.convert_to_tensor(center)
    center = ops.cast(center, precise(center.dtype))
    keys = ops.cast(ops.arange(source, dtype="int32"), center.dtype)
    return keys - ops.expand_dims(center, -1)
