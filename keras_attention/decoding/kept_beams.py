"""Beams of which each keeps the output that has ended in it."""

from typing import Any

import numpy as np
from keras import ops

from keras_attention.decoding.beams import (
    Asked,
    count_up,
    extensions,
    is_repeated,
    put,
    take,
)
from keras_attention.decoding.top_k import top_k
from keras_attention.special_ids import PAD
from keras_attention.tensor import Tensor

Beams = dict[str, Tensor]


class KeptBeams:
    """The beams of a `BeamSearch(finished="keep")`.

    Args:
        search: whose options they follow.
    """

    def __init__(self, search: Any) -> None:
        self._search = search

    def begin(self, beams: Beams, scores: Tensor, lengths: Tensor) -> Beams:
        """Beams before the first step.

        Args:
            beams: `log_probs`, `ids`, `last` and `backpointers` of what is unfinished.
            scores: `(batch, 1)`, of what was given where that is all that an output may
                be, else -inf.
            lengths: `(batch, 1)`, of what was given.
        """
        is_first = ops.equal(count_up(self._search.num_beams), 0)
        return {
            **beams,
            # Of what has ended; -inf where nothing has.
            "scores": ops.where(is_first, scores, -np.inf),
            "lengths": ops.where(is_first, lengths, 0),
        }

    def step(
        self,
        beams: Beams,
        log_probs: Tensor,
        asked: Asked,
        index: Tensor,
        end: int,
    ) -> tuple[Beams, Tensor]:
        """The beams after a step, and which of them each came from.

        Args:
            beams: before it.
            log_probs: `(batch, beams, vocabulary)`, of what may follow; of one beam at
                the first step.
            asked: of the outputs.
            index: number of ids before it.
            end: the id that ends an output.
        """
        best, parents, last = self._choose(beams, log_probs)
        search = self._search
        moved: Beams = {
            name: take(beams[name], parents)
            for name in ("ids", "backpointers", "coverage")
            if name in beams
        }
        is_new = best > -np.inf
        has_ended = is_new & (ops.equal(last, end) | (index + 1 >= asked.max_length))
        scores = search.score(best, index + 1, moved.get("coverage"), asked.is_source)
        scores = ops.where(has_ended, scores, beams["scores"])
        log_probs = ops.where(has_ended, -np.inf, best)
        # At best, what is unfinished ends without losing any probability.
        # PyTorch's `ops.max` takes no empty batch.
        reachable = search.normalize(
            ops.amax(log_probs, axis=1, keepdims=True), asked.max_length
        )
        ids = put(moved["ids"], ops.where(is_new, last, PAD), index)
        in_order = top_k(self._without_repeated(ids, scores), search.num_beams)[0]
        is_done = reachable <= search.last_wanted(in_order)
        beams = {
            **moved,
            "log_probs": ops.where(is_done, -np.inf, log_probs),
            "scores": scores,
            "ids": ids,
            "last": last,
            "lengths": ops.where(is_new, index + 1, beams["lengths"]),
            "backpointers": put(moved["backpointers"], parents, index),
        }
        return beams, parents

    def best(self, beams: Beams, count: int) -> Beams:
        """Scores, ids, lengths and backpointers of the best that have ended."""
        scores = self._without_repeated(beams["ids"], beams["scores"])
        scores, order = top_k(scores, count)
        names = ("ids", "lengths", "backpointers")
        return {"scores": scores, **{name: take(beams[name], order) for name in names}}

    def _choose(self, beams, log_probs):
        """Log-probability, parent and id of what comes into each beam.

        Where something has ended, they are -inf, the beam itself and anything.
        """
        search, count = self._search, log_probs.shape[1]
        width = search.group_size
        avoided, chosen = None, []
        for start in range(0, search.num_beams, width):
            own = slice(start, start + width)
            read = slice(0, 1) if count == 1 else own
            best, parents, ids = extensions(
                beams["log_probs"][:, read], log_probs[:, read], width, avoided
            )
            # The best extension comes into the first open beam.
            is_open = ops.isinf(beams["scores"][:, own]) & (
                count_up(own.start, own.stop) < search.open_beams
            )
            rank = ops.cumsum(ops.cast(is_open, "int32"), axis=1) - 1
            best, parents, ids = (
                ops.take_along_axis(part, ops.maximum(rank, 0), axis=1)
                for part in (best, parents + read.start, ids)
            )
            best = ops.where(is_open, best, -np.inf)
            # There is one beam to come from at first, whatever stays empty.
            itself = np.minimum(np.arange(own.start, own.stop), count - 1)
            itself = ops.convert_to_tensor(itself, "int32")
            chosen.append((best, ops.where(is_open, parents, itself), ids))
            if search.num_groups > 1:
                taken = ops.expand_dims(ops.cast(best > -np.inf, best.dtype), 2)
                vocabulary = ops.shape(log_probs)[-1]
                taken = taken * ops.one_hot(ids, vocabulary, dtype=best.dtype)
                taken = search.diversity * ops.sum(taken, axis=1, keepdims=True)
                avoided = taken if avoided is None else avoided + taken
        return [ops.concatenate(part, axis=1) for part in zip(*chosen, strict=True)]

    def _without_repeated(self, ids, scores):
        """Scores, -inf where an earlier group has ended with the same output."""
        if self._search.num_groups == 1:
            return scores
        return ops.where(is_repeated(ids, scores), -np.inf, scores)
