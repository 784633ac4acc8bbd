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
from keras_attention.functional import StepState
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.recurrent.cells import (
    advance,
    build_cell,
    cast_states,
    check_cell,
    check_recurrent_dropout,
    check_states,
    draw_dropout_masks,
    factors,
    initial_states,
    project_inputs,
    run_cell,
    state_dtypes,
    state_sizes,
)
from keras_attention.layers.sublayers import quantized_dtype, restore, serialize_shared
from keras_attention.tensor import Tensor


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
            self._draw_dropout_masks(batch_size) if training else None,
        )
        outputs = ops.cast(outputs, self.compute_dtype)
        outputs = self._output_dropout(outputs, training=training)
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

    def start(
        self,
        memory: Any,
        max_length: int | None = None,
        initial_state: Any = None,
        training: bool = False,
    ) -> StepState:
        """The state before the first step.

        Args:
            memory: any nested structure of tensors, for its number of rows.
            max_length: the most positions that steps read; needed in training alone.
            initial_state: as in the call.
            training: whether to draw what the steps drop: a loop on JAX cannot.
        """
        rows, constant = functional.count_rows(memory), {}
        if training:
            shape = rows, max_length, self.output_width
            ones = ops.ones(shape, self.compute_dtype)
            constant = {
                "dropout": self._draw_dropout_masks(rows),
                "outputs": self._output_dropout(ones, training=True),
            }
        return StepState(constant, self._complete(initial_state, rows))

    def step(
        self,
        inputs: Tensor,
        state: StepState,
        index: int | Tensor,
        training: bool = False,
    ) -> tuple[Tensor, StepState, None]:
        """Read the next positions.

        Args:
            inputs: `(rows, length, dim)`, one position or several.
            state: of `start`, or of the last step.
            index: number of positions read before; it counts in training alone.
            training: whether to drop, by a state that was started so.

        Returns:
            Outputs `(rows, length, units)`, the new state, and `None` for attention.
        """
        constant, recurrent = state
        masks = constant.get("dropout")
        if inputs.shape[1] == 1:
            projected = project_inputs(self.cell, inputs[:, 0])
            outputs, recurrent = advance(
                self.cell, projected, [], list(recurrent), masks
            )
            outputs = ops.expand_dims(outputs, 1)
        else:
            outputs, recurrent = run_cell(
                self.cell, inputs, list(recurrent), None, masks
            )
        outputs = ops.cast(outputs, self.compute_dtype)
        if training:
            length = ops.shape(inputs)[1]
            outputs = outputs * functional.read_at(
                constant["outputs"], index, length, 1
            )
        return outputs, StepState(constant, list(recurrent)), None

    def _draw_dropout_masks(self, rows):
        """What one sequence of training drops, the same at each of its steps."""
        between, recurrent = (
            factors(rows, rate, self._seeds, self.compute_dtype)
            for rate in (self.dropout, self.recurrent_dropout)
        )
        return draw_dropout_masks(self.cell, recurrent, between)

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
