"""Searches that write one output at a time."""

from typing import Any

import numpy as np
from keras import ops

from keras_attention import functional
from keras_attention.decoding.beginning import Beginning, in_precision, log_softmax
from keras_attention.decoding.hypotheses import Hypotheses
from keras_attention.decoding.row_limits import RowLimits
from keras_attention.decoding.search import Search
from keras_attention.special_ids import PAD, SpecialIds
from keras_attention.tensor import Tensor


class StepwiseSearch(Search):
    """Chooses one id after the other, until every row has ended.

    A subclass has a `choose`.
    """

    def choose(self, log_probs: Tensor, chance: Any, index: int | Tensor) -> Tensor:
        """The next ids `(rows,)` by log-probabilities `(rows, vocabulary)`.

        Args:
            log_probs: of what may follow; `-inf` is impossible.
            chance: what `write` was given.
            index: number of ids before this one.
        """
        raise NotImplementedError

    def choose_scored(
        self, log_probs: Tensor, chance: Any, index: int | Tensor
    ) -> tuple[Tensor, Tensor]:
        """What `choose` chooses, and its log-probabilities `(rows,)`."""
        ids = ops.cast(self.choose(log_probs, chance, index), "int32")
        vocabulary = ops.arange(functional.size(log_probs, 1), dtype="int32")
        is_chosen = ops.equal(vocabulary, ops.expand_dims(ids, 1))
        return ids, ops.sum(ops.where(is_chosen, log_probs, 0.0), axis=1)

    def write(
        self, model: Any, beginning: Beginning, limits: RowLimits, chance: Any = None
    ) -> tuple[Hypotheses, Tensor]:
        """One output for each row of a beginning, and whether it had enough room."""
        special = SpecialIds.of(model)
        self.constraints.check_end(special.end)

        def choose(log_probs, written, is_open, index):
            log_probs = self.allow(log_probs, written["ids"], index, limits, special)
            ids, scores = self.choose_scored(log_probs, chance, index)
            written = _write(written, ids, scores, is_open, index)
            is_open = is_open & ops.not_equal(ids, special.end)
            is_open = is_open & (index + 1 < limits.max_length)
            return ids, written, is_open & (written["scores"] > -np.inf), index + 1

        def step(last, state, written, is_open, index):
            logits, state, attention = model.step(last, state, index)
            if "attention" in written:
                written = _attend(written, attention, is_open, index)
            last, *rest = choose(log_softmax(logits), written, is_open, index)
            return last, state, *rest

        written = {
            name: getattr(beginning, name)
            for name in ("ids", "lengths", "scores", "attention")
            if getattr(beginning, name) is not None
        }
        index = ops.convert_to_tensor(beginning.given, "int32")
        is_open = index < limits.max_length
        last = ops.full_like(beginning.lengths, special.start)
        rest, most = [written, is_open, index], beginning.ids.shape[1]
        if beginning.log_probs is not None:
            last, *rest = choose(beginning.log_probs, *rest)
            most -= 1
        *_, written, is_open, _ = ops.while_loop(
            lambda last, state, written, is_open, index: ops.any(is_open),
            step,
            (last, beginning.state, *rest),
            maximum_iterations=most,
        )
        written = _without_dead_ends(written)
        parts = (written.get(name) for name in Hypotheses._fields)
        found = Hypotheses(
            *(None if part is None else ops.expand_dims(part, 1) for part in parts)
        )
        return found, ops.logical_not(is_open)


def _without_dead_ends(written):
    """Empty outputs for rows in which, at some step, no id was possible."""
    is_there = written["scores"] > -np.inf
    kept = {}
    for name, part in written.items():
        axes = (-1, *[1] * (len(part.shape) - 1))
        nothing = -np.inf if name == "scores" else 0
        kept[name] = ops.where(ops.reshape(is_there, axes), part, nothing)
    return kept


def _write(written, ids, scores, is_open, index):
    """Put a step's choice into the rows that have not ended; the others stay."""
    kept = ops.expand_dims(ops.where(is_open, ids, PAD), 1)
    return {
        **written,
        "ids": functional.write_at(written["ids"], kept, index, 1),
        "lengths": written["lengths"] + ops.cast(is_open, "int32"),
        "scores": written["scores"] + ops.where(is_open, scores, 0.0),
    }


def _attend(written, attention, is_open, index):
    """Record a step's attention in the rows that are still open."""
    attention = in_precision(attention)
    kept = ops.where(ops.expand_dims(is_open, 1), attention, 0.0)
    kept = functional.write_at(written["attention"], ops.expand_dims(kept, 1), index, 1)
    return {**written, "attention": kept}
