"""Where a token stands, as a vector."""

import math
from typing import Any

from keras import ops

Tensor = Any


def sinusoidal_positions(positions: Tensor, dim: int) -> Tensor:
    """Sines and cosines of falling frequency (Vaswani et al. 2017).

    Feature `2i` is `sin(position / 10000^(2i / dim))`, feature `2i + 1` the cosine of
    the same angle.

    Args:
        positions: integer tensor of any shape.
        dim: number of features.

    Returns:
        float32, `positions.shape + (dim,)`, whatever the dtype policy: in bfloat16
        positions from 256 on would collide.

    Example:
    >>> sinusoidal_positions([0, 1], 2).numpy().round(3).tolist()
    [[0.0, 1.0], [0.8410000205039978, 0.5400000214576721]]
    """
    pairs = (dim + 1) // 2
    exponents = ops.arange(pairs, dtype="float32") * (2.0 / dim)
    angles = ops.expand_dims(ops.cast(positions, "float32"), -1) * ops.exp(
        -math.log(10_000.0) * exponents
    )
    waves = ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1)
    shape = ops.shape(waves)[:-2]
    return ops.reshape(waves, (*shape, 2 * pairs))[..., :dim]
