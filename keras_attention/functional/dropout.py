"""Dropping pairs of queries and keys, or features, from few random numbers."""

import math
from typing import Any

import keras
from keras import ops

from keras_attention.tensor import Tensor

Seeds = tuple[Tensor, Tensor]


def pair_seeds(
    batch_size: int | Tensor,
    heads: int,
    target: int | Tensor,
    source: int | Tensor,
    generator: Any,
) -> Seeds:
    """Random odd numbers, one for each query and one for each key of every head.

    Args:
        batch_size: number of rows of the batch.
        heads: number of heads.
        target: number of queries.
        source: number of keys.
        generator: a `keras.random.SeedGenerator`.

    Returns:
        int32 `(batch, heads, target)` and `(batch, heads, source)`.
    """
    shape = (batch_size, heads, target + source)
    bits = keras.random.randint(shape, -(2**31), 2**31 - 1, seed=generator)
    odd = ops.bitwise_or(bits, 1)
    return odd[..., :target], odd[..., target:]


def drop_pairs(weights: Tensor, seeds: Seeds, rate: float) -> Tensor:
    """Set weights to zero at a rate; to keep the mean, scale up what comes of them.

    Whether a pair is dropped says the product of its numbers, modulo 2^32: for odd
    numbers it is as random as they are, and on a CPU a multiplication costs a quarter
    of drawing a number for each pair. The same pair of numbers falls the same way
    wherever it is computed, so that weights computed in chunks, or again for the
    gradients, are the same.

    Args:
        weights: `(batch, heads, target, source)`.
        seeds: of `pair_seeds`.
        rate: from 0 up to, but not including, 1.

    Returns:
        Shaped as `weights`.
    """
    rows, columns = seeds
    product = ops.expand_dims(rows, 3) * ops.expand_dims(columns, 2)  # (B, N, T, S)
    return ops.where(_is_kept(product, rate), weights, 0)


def drop_features(inputs: Tensor, rate: float, generator: Any) -> Tensor:
    """Dropout (Srivastava et al. 2014) from one random number for each row and column.

    What is dropped follows from products, as in `drop_pairs`.

    Args:
        inputs: `(..., dim)`.
        rate: from 0 up to, but not including, 1.
        generator: a `keras.random.SeedGenerator`.

    Returns:
        Shaped as `inputs`; what is kept is scaled up, to keep the mean.
    """
    *outer, dim = ops.shape(inputs)
    count = math.prod(outer)
    bits = keras.random.randint((count + dim,), -(2**31), 2**31 - 1, seed=generator)
    odd = ops.bitwise_or(bits, 1)
    rows = ops.reshape(odd[:count], (*outer, 1))
    is_kept = _is_kept(rows * odd[count:], rate)
    return ops.where(is_kept, inputs * (1 / (1 - rate)), 0)


def _is_kept(product: Tensor, rate: float) -> Tensor:
    return ops.greater_equal(product, int((rate - 0.5) * 2**32))
