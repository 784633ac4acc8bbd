"""Beams of which those that end give their place to the next best extension."""

import math
from typing import Any

import numpy as np
from keras import ops

from keras_attention.decoding.beams import Asked, count_up, extensions, put, take
from keras_attention.decoding.kept_beams import Beams
from keras_attention.decoding.top_k import top_k
from keras_attention.special_ids import PAD
from keras_attention.tensor import Tensor


class ReplacedBeams:
    """The beams of a `BeamSearch(finished="replace")`, likewise.

    Of twice as many extensions as there are beams, those that end among the first are
    collected, and the best that do not end are the beams of the next step.

    Args:
        search: whose options they follow.
    """

    _of_ended: tuple[str, ...] = ("ended_ids", "lengths", "ended_backpointers")

    def __init__(self, search: Any) -> None:
        self._search = search
        self._room = search.num_beams
        if search.stopping == "count":
            # The last step may end more than are wanted.
            self._room += math.ceil(search.num_beams * search.patience)

    def begin(self, beams: Beams, scores: Tensor, lengths: Tensor) -> Beams:
        """Beams before the first step; as in `KeptBeams`."""
        is_first = ops.equal(count_up(self._room), 0)
        first, back = beams["ids"][:, :1], beams["backpointers"][:, :1]
        return {
            **beams,
            # Whether the best extension of some step was an end.
            "is_first": scores > -np.inf,
            "scores": ops.where(is_first, scores, -np.inf),
            "lengths": ops.where(is_first, lengths, 0),
            "ended_ids": ops.repeat(first, self._room, axis=1),
            "ended_backpointers": ops.repeat(back, self._room, axis=1),
        }

    def step(
        self,
        beams: Beams,
        log_probs: Tensor,
        asked: Asked,
        index: Tensor,
        end: int,
    ) -> tuple[Beams, Tensor]:
        """The beams after a step, and which each came from; as in `KeptBeams`."""
        search, count = self._search, self._search.num_beams
        before = beams["log_probs"][:, : log_probs.shape[1]]
        best, parents, last = extensions(before, log_probs, 2 * count, None)
        is_end, is_cut = ops.equal(last, end), index + 1 >= asked.max_length
        if not search.force_end:
            is_end = is_end | is_cut
        has_ended = is_end & (best > -np.inf)
        # What ends beyond the beams is dropped.
        found = self._moved(
            beams, parents[:, :count], last[:, :count], index, "coverage"
        )
        score = search.score(
            best[:, :count], index + 1, found.get("coverage"), asked.is_source
        )
        is_found = has_ended[:, :count] & (count_up(count) < search.open_beams)
        score = ops.where(is_found, score, -np.inf)
        ended = self._collect(beams, score, found, index + 1)
        best, order = top_k(ops.where(has_ended, -np.inf, best), count)
        best = ops.where(count_up(count) < search.open_beams, best, -np.inf)
        parents, last = take(parents, order), take(last, order)
        ended["is_first"] = beams["is_first"] | has_ended[:, :1]
        is_done = self._is_done(best, ended, asked.max_length, index + 1)
        best = ops.where(is_done, -np.inf, best)
        moved = self._moved(beams, parents, last, index, "coverage")
        if search.force_end:
            score = search.score(
                best, index + 2, moved.get("coverage"), asked.is_source
            )
            score = ops.where(is_cut & (best > -np.inf), score, -np.inf)
            ended = {**ended, **self._collect(ended, score, moved, index + 1)}
            best = ops.where(is_cut, -np.inf, best)
        return {**moved, **ended, "log_probs": best, "last": last}, parents

    def best(self, beams: Beams, count: int) -> Beams:
        """Scores, ids, lengths and backpointers of the best that have ended."""
        scores, order = top_k(beams["scores"], count)
        return {
            "scores": scores,
            "ids": take(beams["ended_ids"], order),
            "lengths": take(beams["lengths"], order),
            "backpointers": take(beams["ended_backpointers"], order),
        }

    def _moved(self, beams, parents, last, index, *more):
        """What extensions have written, and where they came from."""
        moved = {name: take(beams[name], parents) for name in more if name in beams}
        ids, back = (take(beams[name], parents) for name in ("ids", "backpointers"))
        return {
            **moved,
            "ids": put(ids, last, index),
            "backpointers": put(back, parents, index),
        }

    def _collect(self, beams, scores, found, length):
        """The best of what had ended and of what ends now."""
        new = {
            **found,
            "scores": scores,
            "ended_ids": found["ids"],
            "lengths": ops.full_like(found["ids"][:, :, 0], length),
            "ended_backpointers": found["backpointers"],
        }
        both = {
            name: ops.concatenate([beams[name], new[name]], axis=1)
            for name in ("scores", *self._of_ended)
        }
        scores, order = top_k(both["scores"], self._room)
        kept = {name: take(both[name], order) for name in self._of_ended}
        is_there = scores > -np.inf
        ids = ops.where(ops.expand_dims(is_there, 2), kept["ended_ids"], PAD)
        lengths = ops.where(is_there, kept["lengths"], 0)
        return {**kept, "scores": scores, "ended_ids": ids, "lengths": lengths}

    def _wanted(self, beams):
        """How many are to end, rounded."""
        wanted = ops.floor(ops.cast(beams, "float32") * self._search.patience + 0.5)
        return ops.maximum(ops.cast(wanted, "int32"), 1)

    def _is_done(self, best, ended, max_length, length):
        """Whether a row looks no further, `(batch, 1)`."""
        search, scores = self._search, ended["scores"]
        if search.stopping == "count":
            count = ops.sum(ops.cast(scores > -np.inf, "int32"), axis=1, keepdims=True)
            return count >= self._wanted(search.open_beams)
        if search.stopping == "first":
            return ended["is_first"] & (search.last_wanted(scores) > -np.inf)
        if search.stopping == "current_length":
            full = ops.take(scores, search.open_beams - 1, axis=1)
            return search.normalize(best[:, :1], length) <= ops.expand_dims(full, 1)
        longest = max_length + int(search.force_end)
        return search.normalize(best[:, :1], longest) <= search.last_wanted(scores)
