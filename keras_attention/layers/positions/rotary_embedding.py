"""Positions as rotations."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    check_axes,
    check_positive_number,
    takes_numpy,
)
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.tensor import Tensor


@keras.saving.register_keras_serializable("keras_attention", name="RotaryEmbedding")
class RotaryEmbedding(BaseLayer):
    """Turn queries and keys by their positions (Su et al. 2021).

    The score of two rotated vectors depends on their distance and not on where they
    stand. Give it to `MultiHeadAttention` or a Transformer block as `position=`, or
    call it on queries and keys of your own.

    Args:
        max_wavelength: wavelength of the slowest rotation, in positions over `2 pi`.
        scaling_factor: by which positions are divided, to reach further than in
            training (Chen et al. 2023).
        sequence_axis: axis of the positions when called.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, ..., dim)`, `dim` even.
        start_index: position of the first vector, an integer or a scalar.
        positions: positions `(length,)` in place of those counted from `start_index`.

    Returns:
        Shaped as `inputs`; angles are computed in float32, or in float64 for inputs of
        that dtype.

    Raises:
        ValueError: for numbers that are not positive, an odd `dim`, a `sequence_axis`
            that the inputs lack, or positions of another shape, such as one a row.

    Example:
    >>> tuple(RotaryEmbedding()(keras.ops.ones((2, 5, 8))).shape)
    (2, 5, 8)
    """

    @takes_numpy
    def __init__(
        self,
        max_wavelength: float = 10_000,
        scaling_factor: float = 1.0,
        sequence_axis: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive_number(
            max_wavelength=max_wavelength, scaling_factor=scaling_factor
        )
        self.supports_masking = True
        self.max_wavelength = max_wavelength
        self.scaling_factor = scaling_factor
        self.sequence_axis = sequence_axis

    def build(self, inputs_shape):
        check_axes("batch, ..., dim", inputs=inputs_shape)
        if inputs_shape[-1] % 2:
            raise ValueError(
                "The last axis of `inputs` must be even, as features turn in pairs. "
                f"Received: inputs_shape={tuple(inputs_shape)}"
            )

    def call(self, inputs, start_index=0, positions=None):
        rank = len(inputs.shape)
        check_axes("batch, ..., dim", inputs=inputs.shape)
        axis = self.sequence_axis % rank
        if not -rank < self.sequence_axis < rank or axis in (0, rank - 1):
            raise ValueError(
                "`sequence_axis` must lie between the batch and the features. "
                f"Received: sequence_axis={self.sequence_axis}, "
                f"inputs.shape={tuple(inputs.shape)}"
            )
        if positions is None:
            start = functional.as_position(start_index)
            positions = start + ops.arange(ops.shape(inputs)[axis], dtype="int32")
        else:
            positions = _checked(positions, inputs.shape[axis])
        others = len(inputs.shape) - 2 - axis
        positions = ops.reshape(positions, (-1, *[1] * others))
        return self.rotate(inputs, positions)

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "max_wavelength": self.max_wavelength,
            "scaling_factor": self.scaling_factor,
            "sequence_axis": self.sequence_axis,
        }

    def rotate(self, inputs: Tensor, positions: Tensor) -> Tensor:
        """Turn `(..., dim)` by positions that broadcast to all axes but the last."""
        return functional.rotate(
            inputs, positions, self.max_wavelength, self.scaling_factor
        )


def _checked(positions, length):
    """Positions `(length,)` as a tensor."""
    positions = ops.convert_to_tensor(positions)
    shape = tuple(positions.shape)
    if len(shape) != 1 or (None not in (shape[0], length) and shape[0] != length):
        raise ValueError(
            f"`positions` must have one axis, of length {length}. "
            f"Received: positions.shape={shape}"
        )
    return positions
