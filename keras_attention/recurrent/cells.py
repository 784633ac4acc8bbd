"""Cells for recurrent layers: by name, and stacked."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_attention.checks import check_choice
from keras_attention.children import build_once, restore

Tensor = Any

CELLS = ("lstm", "gru", "simple")


def make_cell(cell: str, units: int, **kwargs: Any) -> keras.layers.Layer:
    """Keras's cell of that name: `"lstm"`, `"gru"` or `"simple"`."""
    check_choice(CELLS, cell=cell)
    make = {
        "lstm": keras.layers.LSTMCell,
        "gru": keras.layers.GRUCell,
        "simple": keras.layers.SimpleRNNCell,
    }[cell]
    return make(units, **kwargs)


def check_cell(cell: Any) -> None:
    """Raise unless `cell` is a recurrent cell, and one without dropout.

    A cell keeps what it drops until `keras.layers.RNN` resets it, which looks neither
    into `StackedCells` nor into `AttentionRNN`.
    """
    if not hasattr(cell, "state_size") or not hasattr(cell, "output_size"):
        raise ValueError(f"`cell` must be a recurrent cell. Received: cell={cell!r}")
    for part in getattr(cell, "cells", [cell]):
        rates = getattr(part, "dropout", 0), getattr(part, "recurrent_dropout", 0)
        if any(rates):
            raise ValueError(
                "`cell` must have no dropout of its own; use the `dropout` of the "
                f"layer. Received: dropout={rates[0]}, recurrent_dropout={rates[1]}"
            )


def state_sizes(cell: Any) -> list[int]:
    """The sizes of a cell's states, in one list."""
    return keras.tree.flatten(cell.state_size)


@keras.saving.register_keras_serializable("keras_attention", name="StackedCells")
class StackedCells(keras.layers.Layer):
    """Cells on top of each other, as one cell for `keras.layers.RNN` or `AttentionRNN`.

    Args:
        cells: recurrent cells without dropout of their own, the lowest first.
        residual: whether a cell's input is added to its output from the second cell on
            (Wu et al. 2016); all cells must have one width then.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, dim)`.
        states: list of tensors `(batch, size)`, the lowest cell's first.

    Returns:
        The highest output `(batch, units)` and the list of new states.

    Raises:
        ValueError: for no cells, something else than a cell, cells with dropout, or
            residual cells of different widths.

    Example:
    >>> cell = StackedCells([keras.layers.LSTMCell(4), keras.layers.GRUCell(4)])
    >>> output, states = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
    >>> tuple(output.shape), len(states)
    ((2, 4), 3)
    """

    def __init__(
        self, cells: Sequence[Any], residual: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.cells = [restore(cell) for cell in cells]
        if not self.cells:
            raise ValueError(
                f"`cells` must hold at least one cell. Received: cells={cells!r}"
            )
        for cell in self.cells:
            check_cell(cell)
        self.residual = residual
        widths = [cell.output_size for cell in self.cells]
        if residual and len(set(widths)) > 1:
            raise ValueError(
                "`cells` must have one width when `residual=True`. "
                f"Received: widths={widths}"
            )

    @property
    def state_size(self) -> list[int]:
        return [size for cell in self.cells for size in state_sizes(cell)]

    @property
    def output_size(self) -> int:
        return self.cells[-1].output_size

    def build(self, inputs_shape):
        for cell in self.cells:
            build_once(cell, inputs_shape)
            inputs_shape = (*inputs_shape[:-1], cell.output_size)

    def call(self, inputs, states, training=None):
        states = keras.tree.flatten(states)
        new_states = []
        for level, cell in enumerate(self.cells):
            count = len(state_sizes(cell))
            own, states = states[:count], states[count:]
            outputs, own = cell(inputs, own)
            new_states += keras.tree.flatten(own)
            inputs = inputs + outputs if self.residual and level else outputs
        return inputs, new_states

    def compute_output_spec(self, inputs, states, training=None):
        def spec(size):
            return keras.KerasTensor((inputs.shape[0], size), self.compute_dtype)

        return spec(self.output_size), [spec(size) for size in self.state_size]

    def get_config(self):
        return {
            **super().get_config(),
            "cells": [keras.saving.serialize_keras_object(cell) for cell in self.cells],
            "residual": self.residual,
        }

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """States of zeros."""
        return [
            keras.ops.zeros((batch_size, size), dtype=self.compute_dtype)
            for size in self.state_size
        ]
