"""What `AttentionRNN` keeps from one step to the next."""

from typing import Any, NamedTuple

import keras

from keras_attention.tensor import Tensor


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


def pack(structure: Any, tensors: list[Tensor]) -> Any:
    """Tensors in the form of a structure that was flattened to them."""
    return keras.tree.pack_sequence_as(structure, tensors)
