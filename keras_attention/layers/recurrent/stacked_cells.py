"""Recurrent cells on top of each other."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from keras_attention.argument_checks import takes_numpy
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.recurrent.cells import (
    advance,
    build_cell,
    cast_states,
    check_cell,
    draw_dropout_masks,
    initial_states,
    input_parts,
    part_shapes,
    project_inputs,
    state_sizes,
)
from keras_attention.layers.sublayers import restore, serialize_shared
from keras_attention.tensor import Tensor

Draw = Callable[[int], Tensor | None]


@keras.saving.register_keras_serializable("keras_attention", name="StackedCells")
class StackedCells(BaseLayer):
    """Cells on top of each other, as one cell for `keras.layers.RNN` or `AttentionRNN`.

    Args:
        cells: recurrent cells without dropout of their own, the lowest first.
        residual: whether a cell's input is added to its output (Wu et al. 2016), from
            the cell `residual_from` on; all cells must have one width then.
        residual_from: index of the first cell that is bridged.
        share_last_part: whether the last part of inputs in parts, such as the context
            of an attention, joins the inputs of every cell (Wu et al. 2016) and not
            only those of the lowest.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, dim)`, or a list of such tensors, which count as joined.
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

    @takes_numpy
    def __init__(
        self,
        cells: Sequence[Any],
        residual: bool = False,
        residual_from: int = 1,
        share_last_part: bool = False,
        **kwargs: Any,
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
        self.residual_from = residual_from
        self.share_last_part = share_last_part
        widths = [cell.output_size for cell in self.cells]
        if residual and len(set(widths)) > 1:
            raise ValueError(
                "`cells` must have one width when `residual=True`. "
                f"Received: widths={widths}"
            )
        if residual and residual_from < 1:
            raise ValueError(
                "`residual_from` must be at least 1, as the input of the lowest cell "
                f"may have another width. Received: residual_from={residual_from}"
            )

    @property
    def state_size(self) -> list[int]:
        return [size for cell in self.cells for size in state_sizes(cell)]

    @property
    def output_size(self) -> int:
        return self.cells[-1].output_size

    def build(self, inputs_shape):
        shapes = part_shapes(inputs_shape)
        shared = list(shapes[-1:]) if self.share_last_part and len(shapes) > 1 else []
        for cell in self.cells:
            build_cell(cell, list(shapes))
            shapes = [(shapes[0][0], cell.output_size), *shared]

    def call(self, inputs, states, training=None):
        first, *rest = input_parts(inputs, states)
        given = keras.tree.flatten(states)
        states = cast_states(self, given)
        outputs, states = self.advance(self.project(first), rest, states)
        return ops.cast(outputs, self.compute_dtype), [
            ops.cast(new, old.dtype) for new, old in zip(states, given, strict=True)
        ]

    def compute_output_spec(self, inputs, states, training=None):
        batch = input_parts(inputs, states)[0].shape[0]

        def spec(size):
            return keras.KerasTensor((batch, size), self.compute_dtype)

        return spec(self.output_size), [spec(size) for size in self.state_size]

    def get_config(self):
        return {
            **super().get_config(),
            "cells": [serialize_shared(cell) for cell in self.cells],
            "residual": self.residual,
            "residual_from": self.residual_from,
            "share_last_part": self.share_last_part,
        }

    def get_initial_state(self, batch_size: int | Tensor | None = None) -> list[Tensor]:
        """The states of all cells before the first step, the lowest first."""
        return [
            state for cell in self.cells for state in initial_states(cell, batch_size)
        ]

    def draw_dropout_masks(
        self, recurrent: Draw, between: Draw
    ) -> list[dict[str, Any]]:
        """Factors for `advance`: on states and on what goes from cell to cell."""
        below = [None, *(cell.output_size for cell in self.cells[:-1])]
        return [
            {
                "recurrent": draw_dropout_masks(cell, recurrent, between),
                "input": None if width is None else between(width),
            }
            for cell, width in zip(self.cells, below, strict=True)
        ]

    def project(self, inputs: Tensor) -> Tensor:
        """As `RecurrentCell.project`, of the lowest cell."""
        return project_inputs(self.cells[0], inputs)

    def advance(
        self,
        projected: Tensor,
        parts: list[Tensor],
        states: list[Tensor],
        keep: list[dict[str, Any]] | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """One step, as `RecurrentCell.advance`.

        Args:
            projected: of `project`, at this step.
            parts: the further parts of the inputs, `(batch, dim)` each.
            states: list of tensors `(batch, size)`, the lowest cell's first.
            keep: of `draw_dropout_masks`.
        """
        shared = parts[-1:] if self.share_last_part else []
        new_states: list[Tensor] = []
        below: Any = None
        for level, cell in enumerate(self.cells):
            count = len(state_sizes(cell))
            own, states = list(states[:count]), states[count:]
            kept = {} if keep is None else keep[level]
            if level:
                if kept.get("input") is not None:
                    below = below * ops.cast(kept["input"], below.dtype)
                projected, parts = project_inputs(cell, below), shared
            outputs, own = advance(cell, projected, parts, own, kept.get("recurrent"))
            new_states += own
            if self.residual and level >= self.residual_from:
                outputs = outputs + ops.cast(below, outputs.dtype)
            below = outputs
        return below, new_states
