"""Positions as sines and cosines, by themselves."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    SEQUENCE,
    check_axes,
    check_positive_number,
    takes_numpy,
)
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.precision import precise


@keras.saving.register_keras_serializable(
    "keras_attention", name="SinePositionEncoding"
)
class SinePositionEncoding(BaseLayer):
    """Sines and cosines of the positions of vectors, to be added (Vaswani et al. 2017).

    `PositionalEmbedding` adds them to tokens itself; this is for vectors of your own.

    Args:
        max_wavelength: wavelength of the slowest pair, in positions over `2 pi`.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, length, dim)`, whose values do not matter.
        start_index: position of the first vector, an integer or a scalar.
        positions: integers `(length,)` or `(batch, length)`, in place of those that
            `start_index` counts.

    Returns:
        Shaped as `inputs`.

    Raises:
        ValueError: if `max_wavelength` is not positive, or for inputs of another number
            of axes.

    Example:
    >>> vectors = keras.ops.ones((2, 5, 8))
    >>> tuple((vectors + SinePositionEncoding()(vectors)).shape)
    (2, 5, 8)
    """

    @takes_numpy
    def __init__(self, max_wavelength: float = 10_000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_positive_number(max_wavelength=max_wavelength)
        self.supports_masking = True
        self.max_wavelength = max_wavelength

    def call(self, inputs, start_index=0, positions=None):
        check_axes(SEQUENCE, inputs=inputs.shape)
        if positions is None:
            start = functional.as_position(start_index)
            positions = start + ops.arange(ops.shape(inputs)[1], dtype="int32")
        else:
            positions = functional.as_positions(positions, "positions")
        waves = functional.sinusoidal_positions(
            positions,
            inputs.shape[-1],
            precise(self.compute_dtype),
            self.max_wavelength,
        )
        return ops.broadcast_to(ops.cast(waves, inputs.dtype), ops.shape(inputs))

    def compute_output_shape(self, inputs_shape):
        check_axes(SEQUENCE, inputs=inputs_shape)
        return tuple(inputs_shape)

    def get_config(self):
        return {**super().get_config(), "max_wavelength": self.max_wavelength}
