"""Searches that write one output at a time."""

from typing import Any

import numpy as np
from keras import ops

from keras_attention import functional
from keras_attention.decoding.beginning import Beginning, in_precision, log_softmax
from keras_attention.decoding.hypotheses import Hypotheses
from keras_attention.decoding.row_limits import RowLimits
from keras_attention.decoding.search import Search
from keras_attention.decoding.steps import step_until_ended
from keras_attention.special_ids import PAD, SpecialIds
from keras_attention.tensor import Tensor

_WRITTEN = Hypotheses._fields


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
        self,
        model: Any,
        beginning: Beginning,
        limits: RowLimits,
        chance: Any = None,
        departures: int = 0,
    ) -> tuple[Hypotheses, Tensor]:
        """One output for each row of a beginning, and whether it had enough room.

        With a `chance`, of what is drawn by lot, which stays the same for a row when
        others leave; see `step_until_ended` for departures.
        """
        special = SpecialIds.of(model)
        self.constraints.check_end(special.end)

        def choose(log_probs, written, given, index):
            limits, chance = given
            log_probs = self.allow(log_probs, written["ids"], index, limits, special)
            ids, scores = self.choose_scored(log_probs, chance, index)
            is_open, written = written["is_open"], _write(written, ids, scores, index)
            is_open = is_open & ops.not_equal(ids, special.end)
            is_open = is_open & (index + 1 < limits.max_length)
            return {**written, "is_open": is_open & (written["scores"] > -np.inf)}

        def step(state, written, given, index):
            logits, state, attention = model.step(written["last"], state, index)
            if "attention" in written:
                written = _attend(written, attention, index)
            return state, choose(log_softmax(logits), written, given, index)

        index = ops.convert_to_tensor(beginning.given, "int32")
        written = {
            **{name: getattr(beginning, name) for name in _WRITTEN},
            "last": ops.full_like(beginning.lengths, special.start),
            "is_open": index < limits.max_length,
        }
        written = {name: part for name, part in written.items() if part is not None}
        if beginning.log_probs is not None:
            written = choose(beginning.log_probs, written, (limits, chance), index)
            index = index + 1
        written = step_until_ended(
            step,
            lambda written: written["is_open"],
            beginning.state,
            written,
            (limits, chance),
            index,
            beginning.ids.shape[1],
            departures,
        )
        found = {
            name: ops.expand_dims(part, 1)
            for name, part in _without_dead_ends(written).items()
        }
        is_done = ops.logical_not(written["is_open"])
        return Hypotheses(*(found.get(name) for name in _WRITTEN)), is_done


def _without_dead_ends(written):
    """Empty outputs for rows in which, at some step, no id was possible."""
    is_there = written["scores"] > -np.inf
    kept = {}
    for name in [name for name in _WRITTEN if name in written]:
        part = written[name]
        axes = (-1, *[1] * (len(part.shape) - 1))
        nothing = -np.inf if name == "scores" else 0
        kept[name] = ops.where(ops.reshape(is_there, axes), part, nothing)
    return kept


def _write(written, ids, scores, index):
    """Put a step's choice into the rows that have not ended; the others stay."""
    is_open = written["is_open"]
    kept = ops.expand_dims(ops.where(is_open, ids, PAD), 1)
    return {
        **written,
        "last": ids,
        "ids": functional.write_at(written["ids"], kept, index, 1),
        "lengths": written["lengths"] + ops.cast(is_open, "int32"),
        "scores": written["scores"] + ops.where(is_open, scores, 0.0),
    }


def _attend(written, attention, index):
    """Record a step's attention in the rows that are still open."""
    is_open = ops.expand_dims(written["is_open"], 1)
    kept = ops.where(is_open, in_precision(attention), 0.0)
    kept = functional.write_at(written["attention"], ops.expand_dims(kept, 1), index, 1)
    return {**written, "attention": kept}
