"""One recurrent cell of three kinds."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    check_choice,
    check_positive,
    takes_numpy,
)
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.recurrent.cells import input_parts, part_shapes
from keras_attention.layers.sublayers import quantized_dtype
from keras_attention.tensor import Tensor

Draw = Callable[[int], Tensor | None]

CELLS = ("lstm", "gru", "simple")
_GATES = {"lstm": 4, "gru": 3, "simple": 1}
_STEPS = {
    "lstm": functional.lstm_step,
    "gru": functional.gru_step,
    "simple": functional.simple_step,
}


@keras.saving.register_keras_serializable("keras_attention", name="RecurrentCell")
class RecurrentCell(BaseLayer):
    """A recurrent cell whose inputs may be projected for all steps at once.

    The equations are those of `keras.layers.LSTMCell`, `GRUCell` and `SimpleRNNCell`.
    A product over a whole sequence costs less than as many small ones, and its gradient
    much less; so layers that know all inputs call `project` once and `advance` at each
    step.

    Args:
        units: width of the states.
        cell: `"lstm"` (Hochreiter and Schmidhuber 1997), `"gru"` (Cho et al. 2014) or
            `"simple"` (Elman 1990).
        layer_normalization: whether the sums of the inputs and of the hidden state are
            normalized each, and an LSTM's carry (Ba et al. 2016).
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, dim)`, or a list of such tensors, which count as joined.
        states: list of tensors `(batch, units)`: hidden and carry of an LSTM, the
            hidden state of the others.

    Returns:
        The new hidden state `(batch, units)` and the list of new states.

    Raises:
        ValueError: for an unknown cell, units that are not positive, or tensors that
            are not of two axes.

    Example:
    >>> cell = RecurrentCell(4, "gru", layer_normalization=True)
    >>> outputs = keras.layers.RNN(cell)(keras.ops.ones((2, 5, 3)))
    >>> tuple(outputs.shape)
    (2, 4)
    """

    @takes_numpy
    def __init__(
        self,
        units: int,
        cell: str = "lstm",
        layer_normalization: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(units=units)
        check_choice(CELLS, cell=cell)
        self.units = units
        self.cell = cell
        self.layer_normalization = layer_normalization

    def build(self, inputs_shape):
        shapes = part_shapes(inputs_shape)
        self._input_denses = [
            self._dense(f"input_{part}" if part else "input", shape, not part)
            for part, shape in enumerate(shapes)
        ]
        # Only a GRU's gates tell one bias from the other.
        is_gru = self.cell == "gru"
        self._recurrent_dense = self._dense(
            "recurrent", (None, self.units), is_gru, kernel_initializer="orthogonal"
        )
        self._input_norm: Any = None
        self._recurrent_norm: Any = None
        self._carry_norm: Any = None
        if self.layer_normalization:
            gates = self._recurrent_dense.units
            self._input_norm = self._norm(
                "input_norm", gates, beta_initializer=self._initial_bias
            )
            self._recurrent_norm = self._norm("recurrent_norm", gates, center=is_gru)
            if self.cell == "lstm":
                self._carry_norm = self._norm("carry_norm", self.units)

    def call(self, inputs, states, training=None):
        first, *rest = input_parts(inputs, states)
        return self.advance(self.project(first), rest, states)

    def compute_output_spec(self, inputs, states, training=None):
        batch = input_parts(inputs, states)[0].shape[0]

        def spec():
            return keras.KerasTensor((batch, self.units), self.compute_dtype)

        return spec(), [spec() for _ in self.state_size]

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "units": self.units,
            "cell": self.cell,
            "layer_normalization": self.layer_normalization,
        }

    @property
    def state_size(self) -> list[int]:
        return [self.units] * (2 if self.cell == "lstm" else 1)

    @property
    def output_size(self) -> int:
        return self.units

    def get_initial_state(self, batch_size: int | Tensor | None = None) -> list[Tensor]:
        """States of zeros."""
        return [
            ops.zeros((batch_size, size), dtype=self.compute_dtype)
            for size in self.state_size
        ]

    def draw_dropout_masks(self, recurrent: Draw, between: Draw) -> Tensor | None:
        """Factors for `advance`, drawn by `recurrent` for a width."""
        return recurrent(self.units)

    def project(self, inputs: Tensor) -> Tensor:
        """What inputs `(..., dim)` give to the gates, at any number of steps at once.

        Of inputs in several parts, this is about the first.
        """
        return self._input_denses[0](inputs)

    def advance(
        self,
        projected: Tensor,
        parts: list[Tensor],
        states: list[Tensor],
        keep: Tensor | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """One step.

        Args:
            projected: of `project`, at this step.
            parts: the further parts of the inputs, `(batch, dim)` each.
            states: list of tensors `(batch, units)`.
            keep: factors `(batch, units)` on the hidden state on its way to the gates,
                the same at each step (Gal and Ghahramani 2016).

        Returns:
            The new hidden state and the list of new states.
        """
        for dense, part in zip(self._input_denses[1:], parts, strict=True):
            projected = projected + dense(part)
        hidden = states[0]
        if keep is not None:
            hidden = hidden * ops.cast(keep, hidden.dtype)
        recurrent = self._recurrent_dense(hidden)
        if self._input_norm is not None:
            projected = self._input_norm(projected)
            recurrent = self._recurrent_norm(recurrent)
        further = () if self._carry_norm is None else (self._carry_norm,)
        states = _STEPS[self.cell](projected, recurrent, list(states), *further)
        return states[0], states

    def _dense(self, name, input_shape, use_bias, **options):
        dense = keras.layers.Dense(
            _GATES[self.cell] * self.units,
            # A normalization has a bias of its own, after it.
            use_bias=use_bias and not self.layer_normalization,
            bias_initializer="zeros" if name == "recurrent" else self._initial_bias,
            dtype=self.dtype_policy,
            name=name,
            **options,
        )
        dense.build(input_shape)
        return dense

    def _norm(self, name, width, **options):
        norm = keras.layers.LayerNormalization(
            dtype=self.dtype_policy, name=name, **options
        )
        norm.build((None, width))
        return norm

    def _initial_bias(self, shape, dtype=None):
        """Zeros, but ones for the forget gate (Jozefowicz et al. 2015)."""
        if self.cell != "lstm":
            return ops.zeros(shape, dtype)
        is_forget = ops.equal(ops.arange(shape[0], dtype="int32") // self.units, 1)
        return ops.cast(is_forget, dtype)
