"""A recurrent layer around any cell."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    SEQUENCE,
    check_axes,
    check_rate,
    takes_numpy,
)
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.recurrent.cells import (
    advance,
    build_cell,
    cast_states,
    check_cell,
    check_recurrent_dropout,
    check_states,
    draw_keep,
    factors,
    initial_states,
    project_inputs,
    run_cell,
    state_dtypes,
    state_sizes,
)
from keras_attention.layers.sublayers import quantized_dtype, restore, serialize_shared

Tensor = Any


@keras.saving.register_keras_serializable("keras_attention", name="CellRNN")
class CellRNN(BaseLayer):
    """Reads a sequence with a cell, as `keras.layers.RNN` does.

    Unlike that, it projects the inputs of all steps at once where the cell can, drops
    inside of stacked cells, and gives single steps.

    Args:
        cell: a recurrent cell without dropout of its own, such as `StackedCells`.
        dropout: rate at which outputs, and what goes from cell to cell of a stack, are
            dropped in training.
        recurrent_dropout: rate at which hidden states are dropped in training on their
            way to the gates, the same units at each step (Gal and Ghahramani 2016).
        seed: integer seed of the dropout.
        go_backwards: whether the sequence is read from its end, and the outputs come
            in that order, as `keras.layers.Bidirectional` needs it.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, length, dim)`.
        initial_state: list of tensors `(batch, size)`; what the cell begins with when
            left out, zeros for most cells.
        return_state: whether to return the last states too.
        training: whether to drop.
        mask: boolean `(batch, length)`, combined with the mask on `inputs`. Where it is
            `False`, the states stay as they are, and outputs are zeros.

    Returns:
        Outputs `(batch, length, units)`; with `return_state` followed by the list of
        the last states.

    Raises:
        ValueError: for something that is not a cell, a cell with dropout, inputs of
            another number of axes, states of another shape, or a mask that is not
            boolean or does not fit.

    Example:
    >>> from keras_attention.layers import RecurrentCell, StackedCells
    >>> cells = StackedCells([RecurrentCell(4), RecurrentCell(4, "gru")])
    >>> tuple(CellRNN(cells, dropout=0.1)(keras.ops.ones((2, 5, 3))).shape)
    (2, 5, 4)
    """

    # What `keras.layers.Bidirectional` asks of a layer.
    return_sequences = True
    return_state = False
    stateful = False

    @takes_numpy
    def __init__(
        self,
        cell: Any,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        go_backwards: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.cell = restore(cell)
        check_cell(self.cell)
        check_rate(dropout=dropout, recurrent_dropout=recurrent_dropout)
        check_recurrent_dropout(self.cell, recurrent_dropout)
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.go_backwards = go_backwards
        self._output_dropout = keras.layers.Dropout(
            dropout, seed=seed, dtype=self.dtype_policy
        )
        self._seeds = keras.random.SeedGenerator(seed)

    def build(self, inputs_shape):
        check_axes(SEQUENCE, inputs=inputs_shape)
        build_cell(self.cell, [(inputs_shape[0], inputs_shape[-1])])

    def call(
        self,
        inputs,
        initial_state=None,
        return_state=False,
        training=None,
        mask=None,
    ):
        check_axes(SEQUENCE, inputs=inputs.shape)
        batch_size = ops.shape(inputs)[0]
        mask = functional.position_mask(inputs, mask=mask)
        if self.go_backwards:
            inputs = ops.flip(inputs, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        outputs, state = run_cell(
            self.cell,
            inputs,
            self._complete(initial_state, batch_size),
            mask,
            self.draw_keep(inputs) if training else None,
        )
        outputs = ops.cast(outputs, self.compute_dtype)
        outputs = self.drop_outputs(outputs, training)
        return (outputs, state) if return_state else outputs

    def compute_output_spec(
        self, inputs, initial_state=None, return_state=False, *args, **kwargs
    ):
        check_axes(SEQUENCE, inputs=inputs.shape)
        batch, length, _ = inputs.shape

        outputs = keras.KerasTensor(
            (batch, length, self.cell.output_size), self.compute_dtype
        )
        if not return_state:
            return outputs
        sizes, dtypes = state_sizes(self.cell), state_dtypes(self.cell)
        return outputs, [
            keras.KerasTensor((batch, size), dtype)
            for size, dtype in zip(sizes, dtypes, strict=True)
        ]

    def compute_mask(self, inputs, previous_mask=None):
        # Keras hands over the mask given to the call in place of the implicit one.
        mask = functional.position_mask(inputs, mask=previous_mask)
        if mask is None or not self.go_backwards:
            return mask
        return ops.flip(mask, axis=1)

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "cell": serialize_shared(self.cell),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
            "go_backwards": self.go_backwards,
        }

    @property
    def output_width(self) -> int:
        """Width of the outputs."""
        return self.cell.output_size

    def get_initial_state(self, rows: Tensor) -> list[Tensor]:
        """States before the first step, for as many rows as a tensor has."""
        return self._complete(None, ops.shape(rows)[0])

    def drop_outputs(self, outputs: Tensor, training: bool | None) -> Tensor:
        """The dropout that a call applies behind its steps."""
        return self._output_dropout(outputs, training=training)

    def step(
        self, inputs: Tensor, state: list[Tensor], keep: Any = None
    ) -> tuple[Tensor, list[Tensor]]:
        """One step: inputs `(batch, dim)` to the output and the new states.

        `keep` is what is dropped at all steps, of `draw_keep`.
        """
        projected = project_inputs(self.cell, inputs)
        outputs, state = advance(self.cell, projected, [], list(state), keep)
        return ops.cast(outputs, self.compute_dtype), state

    def draw_keep(self, rows: Tensor) -> Any:
        """What one sequence of training drops, for as many rows as a tensor has."""
        between, recurrent = (
            factors(ops.shape(rows)[0], rate, self._seeds, self.compute_dtype)
            for rate in (self.dropout, self.recurrent_dropout)
        )
        return draw_keep(self.cell, recurrent, between)

    def _complete(self, state, batch_size):
        if state is None:
            return initial_states(self.cell, batch_size)
        sizes, state = state_sizes(self.cell), keras.tree.flatten(state)
        if len(state) != len(sizes):
            raise ValueError(
                f"`initial_state` must hold the {len(sizes)} states of the cell. "
                f"Received: {len(state)} tensors"
            )
        check_states(state, batch_size, sizes)
        return cast_states(self.cell, state)
