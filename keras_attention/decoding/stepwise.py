"""Searches that write one output at a time."""

from typing import Any

import numpy as np
from keras import ops

from keras_attention import functional
from keras_attention.decoding.hypotheses import Hypotheses
from keras_attention.decoding.request import Request
from keras_attention.decoding.search import Search
from keras_attention.special_ids import END, PAD, START

Tensor = Any


class StepwiseSearch(Search):
    """Chooses an id after the other, until every row has ended.

    A subclass has a `choose`.
    """

    def choose(self, log_probs: Tensor, chance: Any, index: Any) -> Tensor:
        """The next ids `(rows,)` by log-probabilities `(rows, vocabulary)`.

        Args:
            log_probs: of what may follow; `-inf` is impossible.
            chance: what `write` was given.
            index: number of steps before this one.
        """
        raise NotImplementedError

    def write(self, request: Request, cache: Any, chance: Any = None) -> Hypotheses:
        """One output for each row of a request."""
        rows = ops.shape(request.most)[0]
        written = {
            "ids": ops.full((rows, self.max_length), PAD, dtype="int32"),
            "lengths": ops.zeros((rows,), "int32"),
        }
        is_open = ops.ones((rows,), "bool")
        last = ops.full((rows,), START, dtype="int32")

        def step(last, cache, written, is_open, index):
            log_probs, cache, attention = self.read(
                request, last, cache, written["ids"], index
            )
            if "scores" not in written:
                scores = ops.zeros((rows,), log_probs.dtype)
                written = {**written, "scores": scores}
            ids = ops.cast(self.choose(log_probs, chance, index), "int32")
            if attention is not None and "attention" not in written:
                shape = (rows, self.max_length, ops.shape(attention)[-1])
                written = {**written, "attention": ops.zeros(shape, attention.dtype)}
            written = _write(written, ids, log_probs, attention, is_open, index)
            is_open = is_open & ops.not_equal(ids, END) & (index + 1 < request.most)
            is_open = is_open & (written["scores"] > -np.inf)
            return ids, cache, written, is_open, index + 1

        # One step outside the loop shows what the model gives, and in which dtype.
        index = ops.convert_to_tensor(0, "int32")
        *_, written, _, _ = ops.while_loop(
            lambda last, cache, written, is_open, index: ops.any(is_open),
            step,
            step(last, cache, written, is_open, index),
            maximum_iterations=self.max_length - 1,
        )
        written = _without_dead_ends(written)
        parts = (written.get(name) for name in Hypotheses._fields)
        return Hypotheses(
            *(None if part is None else ops.expand_dims(part, 1) for part in parts)
        )


def _without_dead_ends(written):
    """Nothing is left of a row where nothing could follow any more."""
    is_there = written["scores"] > -np.inf
    kept = {}
    for name, part in written.items():
        axes = (-1, *[1] * (len(part.shape) - 1))
        nothing = -np.inf if name == "scores" else 0
        kept[name] = ops.where(ops.reshape(is_there, axes), part, nothing)
    return kept


def _write(written, ids, log_probs, attention, is_open, index):
    """Put a step's choice into the rows that have not ended; the others stay."""
    chosen = ops.take_along_axis(log_probs, ops.expand_dims(ids, 1), axis=1)[:, 0]
    kept = ops.expand_dims(ops.where(is_open, ids, PAD), 1)
    result = {
        "ids": functional.write_at(written["ids"], kept, index, 1),
        "lengths": written["lengths"] + ops.cast(is_open, "int32"),
        "scores": written["scores"] + ops.where(is_open, chosen, 0.0),
    }
    if attention is not None:
        kept = ops.where(ops.expand_dims(is_open, 1), attention, 0.0)
        result["attention"] = functional.write_at(
            written["attention"], ops.expand_dims(kept, 1), index, 1
        )
    return result
