"""What a search keeps of its input, the same at each step."""

from typing import Any, NamedTuple, Self

import keras
from keras import ops

from keras_attention.decoding.hypotheses import Steppable
from keras_attention.ids import PAD

Tensor = Any


class Request(NamedTuple):
    """Encoded sources, and what is asked of their outputs.

    Attributes:
        model: that reads and writes.
        memory: of its `start`; the first axis of every tensor counts rows.
        fewest: `(rows,)`, how many ids an output has at least; or `None`.
        most: `(rows,)`, how many it has at most.
        prefix: `(rows, prefix)`, how each output begins, padded with 0; or `None`.
    """

    model: Steppable
    memory: Any
    fewest: Tensor | None
    most: Tensor
    prefix: Tensor | None

    def repeat(self, count: int) -> Self:
        """The request of `count` outputs a row, next to each other."""
        return type(self)(
            self.model,
            *(
                repeat_rows(part, count)
                for part in (self.memory, self.fewest, self.most, self.prefix)
            ),
        )

    def forced(self, index: Any) -> Tensor | None:
        """The id `(rows,)` that must be written after `index` others, 0 for any."""
        if self.prefix is None:
            return None
        last = ops.shape(self.prefix)[1] - 1
        ids = ops.take(self.prefix, ops.minimum(index, last), axis=1)
        return ops.where(index <= last, ids, PAD)


def repeat_rows(structure: Any, count: int) -> Any:
    """Repeat each row of every tensor, copies next to each other."""
    return keras.tree.map_structure(
        lambda part: None if part is None else ops.repeat(part, count, axis=0),
        structure,
    )


def take_rows(structure: Any, rows: Tensor) -> Any:
    """Some rows of every tensor, in any order."""
    return keras.tree.map_structure(
        lambda part: ops.take(part, rows, axis=0), structure
    )
