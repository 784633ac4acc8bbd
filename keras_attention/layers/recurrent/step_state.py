"""The states of recurrent layers that decode."""

from typing import Any, NamedTuple

import keras
from keras import ops

from keras_attention import functional

Tensor = Any


class StepState(NamedTuple):
    """What a recurrent layer keeps from one step to the next.

    Attributes:
        constant: what is the same at all steps: the projected memory, and in training
            what is dropped and added.
        recurrent: what each step replaces; a nested structure of tensors by rows.
    """

    constant: dict[str, Any]
    recurrent: Any


class AttentionState(NamedTuple):
    """What each step of an `AttentionRNN` replaces.

    Attributes:
        cell: the states of the cell.
        output: the output, where it is fed back, and nothing elsewhere.
        alignment: what the attention leaves to the next query.
    """

    cell: list[Tensor]
    output: list[Tensor]
    alignment: list[Tensor]

    def flat(self) -> list[Tensor]:
        """All of it, in this order."""
        return [*self.cell, *self.output, *self.alignment]


def expand_recurrent(state: StepState, count: int) -> StepState:
    """The state of `count` hypotheses for each row, next to each other."""
    return StepState(*functional.repeat_rows(tuple(state), count))


def reorder_recurrent(state: StepState, parents: Tensor) -> StepState:
    """The state of rows that continue others of their source, `parents (rows,)`."""
    # What is constant is the same for all hypotheses of a source.
    recurrent = functional.take_rows(state.recurrent, parents)
    return StepState(state.constant, recurrent)


def at_positions(tensor: Tensor, index: Any, length: Any) -> Tensor:
    """So many positions of `(rows, positions, ...)`, from an index on."""
    wanted = index + ops.arange(length, dtype="int32")
    return ops.take(tensor, wanted, axis=1)


def pack(structure: Any, tensors: list[Tensor]) -> Any:
    """Tensors in the form of a structure that was flattened to them."""
    return keras.tree.pack_sequence_as(structure, tensors)
