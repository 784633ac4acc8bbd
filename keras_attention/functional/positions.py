"""Where a token stands, as a vector."""

import math
from typing import Any

import numpy as np
from keras import ops

from keras_attention.precision import precise
from keras_attention.tensor import Tensor


def sinusoidal_positions(
    positions: Tensor,
    dim: int,
    dtype: str = "float32",
    max_wavelength: float = 10_000.0,
) -> Tensor:
    """Sines and cosines of falling frequency (Vaswani et al. 2017).

    Feature `2i` is `sin(position / max_wavelength^(2i / dim))`, feature `2i + 1` the
    cosine of the same angle.

    Args:
        positions: integer tensor of any shape.
        dim: number of features.
        dtype: float32 or float64; in bfloat16 positions from 256 on would collide.
        max_wavelength: the wavelength of the slowest pair, over `2 pi`.

    Returns:
        `positions.shape + (dim,)`.

    Example:
    >>> ops.convert_to_numpy(sinusoidal_positions([0, 1], 2)).round(3).tolist()
    [[0.0, 1.0], [0.8410000205039978, 0.5400000214576721]]
    """
    pairs = (dim + 1) // 2
    exponents = ops.arange(pairs, dtype=dtype) * (2.0 / dim)
    angles = ops.expand_dims(ops.cast(positions, dtype), -1) * ops.exp(
        -math.log(max_wavelength) * exponents
    )
    waves = ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1)
    shape = ops.shape(waves)[:-2]
    return ops.reshape(waves, (*shape, 2 * pairs))[..., :dim]


def as_position(index: int | Tensor, name: str = "start_index") -> Any:
    """An index that int32 positions can be added to; NumPy's integers are int64.

    Args:
        index: an integer, or a scalar tensor.
        name: of the argument, for messages.

    Raises:
        ValueError: for a tensor with axes, such as one position a row.
    """
    if isinstance(index, int):
        return index
    index = ops.cast(index, "int32")
    if len(index.shape):
        raise ValueError(
            f"`{name}` must be one integer for all rows. "
            f"Received: {name}.shape={tuple(index.shape)}"
        )
    return index


def as_positions(positions: Any, name: str) -> Tensor | None:
    """Integer positions of all rows, `(length,)`, or by row, `(batch, length)`.

    Args:
        positions: such integers, or `None`.
        name: of the argument, for messages.

    Raises:
        ValueError: for a tensor of other axes.
    """
    if positions is None:
        return None
    positions = ops.cast(positions, "int32")
    if len(positions.shape) not in (1, 2):
        raise ValueError(
            f"`{name}` must be of shape (length,) or (batch, length). "
            f"Received: {name}.shape={tuple(positions.shape)}"
        )
    return positions


def rotate(
    inputs: Tensor,
    positions: Tensor,
    max_wavelength: float = 10_000.0,
    scaling_factor: float = 1.0,
) -> Tensor:
    """Turn each pair of features by an angle that grows with the position.

    The product of a rotated query and a rotated key depends on their distance alone
    (Su et al. 2021). Feature `i` is paired with feature `i + dim / 2`; their angle is
    `position / scaling_factor / max_wavelength^(2i / dim)`.

    Args:
        inputs: `(..., length, dim)`, `dim` even.
        positions: integers or floats, broadcasting to `inputs.shape[:-1]`.
        max_wavelength: the wavelength of the slowest pair, over `2 pi`.
        scaling_factor: by which positions are divided, to reach further than in
            training.

    Returns:
        Shaped as `inputs`, in its dtype; angles are computed in float32, or in float64
        for inputs of that dtype.

    Example:
    >>> ops.convert_to_numpy(rotate([[1.0, 0.0]], positions=[1])).round(2).tolist()
    [[0.5400000214576721, 0.8399999737739563]]
    """
    inputs = ops.convert_to_tensor(inputs)
    half, dtype = inputs.shape[-1] // 2, precise(inputs.dtype)
    frequencies = max_wavelength ** -(np.arange(half) / half) / scaling_factor
    positions = ops.expand_dims(ops.cast(positions, dtype), -1)
    angles = positions * frequencies.astype(dtype)  # (..., length, dim / 2)
    sine, cosine = ops.sin(angles), ops.cos(angles)
    first, second = ops.split(ops.cast(inputs, dtype), 2, axis=-1)
    rotated = ops.concatenate(
        [first * cosine - second * sine, second * cosine + first * sine], axis=-1
    )
    return ops.cast(rotated, inputs.dtype)


def alibi_slopes(num_heads: int, bias_max: float = 8.0) -> list[float]:
    """How fast each head loses sight of what is far (Press et al. 2022).

    The slopes fall geometrically from `2^(-bias_max / num_heads)` to `2^-bias_max`. A
    number of heads that is no power of two takes every other slope of the next power
    for those it has more than the power below.

    Example:
    >>> alibi_slopes(4)
    [0.25, 0.0625, 0.015625, 0.00390625]
    """
    power = 2 ** (num_heads.bit_length() - 1)
    slopes = [2.0 ** (-bias_max * (head + 1) / power) for head in range(power)]
    between = [2.0 ** (-bias_max * (head + 0.5) / power) for head in range(power)]
    return slopes + between[: num_heads - power]


def relative_buckets(
    distances: Tensor,
    num_buckets: int = 32,
    max_distance: int = 128,
    bidirectional: bool = True,
) -> Tensor:
    """Group distances: near ones alone, far ones in ever wider buckets.

    Half of the buckets of a direction hold one distance each, the other half share the
    distances up to `max_distance` on a logarithmic scale; all that is farther falls in
    the last (Raffel et al. 2020).

    Args:
        distances: integers of any shape, position of the key minus that of the query.
        num_buckets: number of buckets, of both directions together.
        max_distance: distance from which on everything is one bucket.
        bidirectional: whether keys after the query have buckets of their own; else
            they share that of distance zero.

    Returns:
        int32 from 0 to `num_buckets - 1`, shaped as `distances`.

    Example:
    >>> ops.convert_to_numpy(relative_buckets([-200, -3, 0, 3], 8, 16)).tolist()
    [3, 2, 0, 6]
    """
    distances = ops.cast(distances, "int32")
    first = 0
    if bidirectional:
        num_buckets //= 2
        first = num_buckets * ops.cast(ops.greater(distances, 0), "int32")
        distances = ops.abs(distances)
    else:
        distances = ops.maximum(-distances, 0)
    single = num_buckets // 2
    far = ops.cast(ops.maximum(distances, single), "float32") / single
    steps = ops.log(far) / math.log(max_distance / single) * (num_buckets - single)
    shared = ops.minimum(single + ops.cast(steps, "int32"), num_buckets - 1)
    return first + ops.where(ops.less(distances, single), distances, shared)
