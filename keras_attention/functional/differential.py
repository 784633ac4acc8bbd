"""The difference of two softmax maps (Ye et al. 2024)."""

import math
from collections.abc import Sequence

from keras import ops

from keras_attention.functional.attend import masked_softmax
from keras_attention.tensor import Tensor


def initial_lambda(depth: int) -> float:
    """Where the factor of the second map begins in a block, counted from 1.

    Example:
    >>> round(initial_lambda(1), 3), round(initial_lambda(12), 3)
    (0.2, 0.778)
    """
    return 0.8 - 0.6 * math.exp(-0.3 * (depth - 1))


def differential_lambda(vectors: Sequence[Tensor], initial: float) -> Tensor:
    """The factor of the second map: `exp(q1 · k1) - exp(q2 · k2) + initial`.

    Args:
        vectors: the learned `q1`, `k1`, `q2` and `k2`, `(dim,)` each.
        initial: of `initial_lambda`, or another.

    Returns:
        A scalar.
    """
    first_query, first_key, second_query, second_key = vectors
    first, second = (
        ops.exp(ops.sum(ops.multiply(query, key)))
        for query, key in ((first_query, first_key), (second_query, second_key))
    )
    return first - second + initial


def differential_weights(
    scores: Tensor, factor: Tensor, mask: Tensor | None = None
) -> Tensor:
    """The softmax of the first scores minus a multiple of that of the second.

    Args:
        scores: `(batch, 2 * heads, target, source)`, the first of all heads, then the
            second of all heads.
        factor: of the second map, a scalar.
        mask: boolean, broadcasting to `(batch, heads, target, source)`.

    Returns:
        Weights `(batch, heads, target, source)`, some of them negative. Those of a
        query sum to `1 - factor`, or to zero where it may attend to nothing.

    Example:
    >>> weights = differential_weights(ops.zeros((1, 2, 1, 4)), factor=0.5)
    >>> ops.convert_to_numpy(weights).tolist()
    [[[[0.125, 0.125, 0.125, 0.125]]]]
    """
    first, second = ops.split(scores, 2, axis=1)
    return masked_softmax(first, mask) - factor * masked_softmax(second, mask)
