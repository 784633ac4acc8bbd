"""What a search keeps of its input, the same at each step."""

from typing import Any, NamedTuple, Self

import keras
from keras import ops

from keras_attention.special_ids import PAD

Tensor = Any


class Request(NamedTuple):
    """Encoded sources, and what is asked of their outputs.

    Attributes:
        model: that reads and writes.
        memory: of its `start`; the first axis of every tensor counts rows.
        branches: how many hypotheses of a row share its cache; 0 where each has its
            own.
        fewest: `(rows,)`, how many ids an output has at least; or `None`.
        most: `(rows,)`, how many it has at most.
        prefix: `(rows, prefix)`, how each output begins, padded with 0; or `None`.
        begin: `(rows, begin)`, likewise, but these ids are certain, and go first.
    """

    model: Any
    memory: Any
    branches: int
    fewest: Tensor | None
    most: Tensor
    prefix: Tensor | None
    begin: Tensor | None

    def repeat(self, count: int) -> Self:
        """The request of `count` outputs a row, next to each other."""
        memory = self.memory if self.branches else repeat_rows(self.memory, count)
        limits = self.fewest, self.most, self.prefix, self.begin
        return type(self)(
            self.model, memory, self.branches, *repeat_rows(limits, count)
        )

    def step(
        self, last: Tensor, cache: Any, index: Any, origins: Tensor | None
    ) -> tuple[Tensor, Any, Tensor | None]:
        """Logits, the new cache and attention of one step, a row for each hypothesis.

        Args:
            last: ids `(rows,)`.
            cache: of the last step.
            index: number of steps before this one.
            origins: `(batch, hypotheses, length)`, in which place each id was read.
        """
        state = {"memory": self.memory, "cache": cache}
        if not self.branches or origins is None:
            logits, state, attention = self.model.step(last, state, index)
            return logits, state["cache"], attention
        _, count, length = origins.shape
        steps = ops.reshape(ops.arange(length, dtype="int32"), (length, 1))
        places = ops.arange(self.branches, dtype="int32")
        itself = ops.reshape(places[:count], (count, 1, 1))
        visible = ops.where(
            steps < index,
            ops.equal(ops.expand_dims(origins, -1), places),
            ops.equal(steps, index) & ops.equal(itself, places),
        )
        logits, state, attention = self.model.branch(
            ops.reshape(last, (-1, count)), state, index, visible
        )
        rows = ops.shape(last)[0]
        logits, attention = (
            part if part is None else ops.reshape(part, (rows, ops.shape(part)[-1]))
            for part in (logits, attention)
        )
        return logits, state["cache"], attention

    def follow(self, cache: Any, parents: Tensor, count: int) -> Any:
        """The cache after hypotheses went on from others.

        Args:
            cache: of `count` hypotheses a row.
            parents: `(batch, hypotheses)`, from which of them each goes on.
            count: number of them.
        """
        if self.branches:
            return cache
        rows = ops.expand_dims(ops.arange(ops.shape(parents)[0], dtype="int32"), 1)
        chosen = ops.reshape(rows * count + parents, (-1,))
        return keras.tree.map_structure(
            lambda part: ops.take(part, chosen, axis=0), cache
        )

    def forced(self, index: Any) -> Tensor | None:
        """The id `(rows,)` of the prefix after `index` others, 0 for any."""
        return _at(self.prefix, index)

    def certain(self, index: Any) -> Tensor | None:
        """The id `(rows,)` that the output begins with there, 0 for any."""
        return _at(self.begin, index)


def _at(ids, index):
    """The ids of one position, 0 behind the last."""
    if ids is None:
        return None
    last = ops.shape(ids)[1] - 1
    return ops.where(
        index <= last, ops.take(ids, ops.minimum(index, last), axis=1), PAD
    )


def repeat_rows(structure: Any, count: int) -> Any:
    """Repeat each row of every tensor, copies next to each other."""
    return keras.tree.map_structure(
        lambda part: None if part is None else ops.repeat(part, count, axis=0),
        structure,
    )
