"""Beams whose outputs hold given phrases."""

from typing import Any

import numpy as np
from keras import ops

from keras_attention.decoding.beams import Asked, count_up, is_repeated, take
from keras_attention.decoding.kept_beams import Beams
from keras_attention.decoding.phrases import Words
from keras_attention.decoding.replaced_beams import ReplacedBeams
from keras_attention.decoding.top_k import top_k
from keras_attention.tensor import Tensor

_MISSING = 1e4  # by how much an output comes later for each phrase that it lacks
_LATE = 1e3  # and for each that begins where it might have ended


class PhraseBeams(ReplacedBeams):
    """The beams of a search for outputs with phrases in them (Post and Vilar 2018).

    Each beam is extended by its most probable ids and by the first id of every phrase
    that it lacks; a beam inside a phrase continues it. Extensions are sorted into
    banks, by the number of missing phrases and by the progress in the current one, and
    the banks share the beams. An output with a phrase missing cannot end before the
    last step; there, outputs with fewer missing come first.

    Where the end is the most probable id, a beam with a phrase missing starts one or is
    dropped; once this has happened to as many beams as the search has, it holds for all
    of them. A phrase that starts this way is late: its output ranks below all others,
    and none starts late once an output has ended in time.

    Args:
        search: whose options they follow.
        count: number of phrases of a source, at most.
        words: that phrases may neither continue nor leave to be continued; or `None`.
    """

    _of_ended = (*ReplacedBeams._of_ended, "penalty")

    def __init__(self, search: Any, count: int, words: Words | None = None) -> None:
        super().__init__(search)
        self._count = count
        self._words = words

    def begin(self, beams: Beams, scores: Tensor, lengths: Tensor) -> Beams:
        """Beams before the first step; as in `KeptBeams`."""
        begun = super().begin(beams, scores, lengths)
        none = ops.zeros_like(beams["last"])
        holds = ops.repeat(ops.expand_dims(none, 2), self._count, axis=2)
        return {
            **begun,
            # The node of the phrase that has begun, and how many of its ids are there.
            "nodes": none,
            "depths": none,
            "holds": ops.cast(holds, "bool"),
            "late": none,
            # How many beams of a source lacked a phrase where they might have ended.
            "over": none[:, :1],
            "penalty": ops.zeros_like(begun["scores"]),
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
        search = self._search
        wanted: Any = asked.phrases
        is_cut = index + 1 >= asked.max_length
        best, found, over = self._extend(beams, log_probs, wanted, is_cut, end)
        missing = _count(wanted.is_wanted)[:, None] - _count(found["holds"])
        late = ops.cast(found["late"], best.dtype)
        penalty = _MISSING * ops.cast(missing, best.dtype) + _LATE * late
        is_end = ops.equal(found["last"], end)
        has_ended = (is_end & (missing <= 0)) | is_cut
        has_ended = has_ended & (best > -np.inf)

        order = top_k(ops.where(has_ended, best - penalty, -np.inf), search.num_beams)[
            1
        ]
        ended = self._at(beams, {**found, "penalty": penalty}, order, index)
        scores = search.score(
            take(ops.where(has_ended, best, -np.inf), order),
            index + 1,
            ended.get("coverage"),
            asked.is_source,
        )
        is_open = count_up(search.num_beams) < search.open_beams
        scores = ops.where(is_open, scores - ended["penalty"], -np.inf)
        kept = self._collect(beams, scores, ended, index + 1)
        kept["is_first"] = beams["is_first"]

        going_on = ops.where(has_ended | is_end, -np.inf, best)
        order = self._share(
            going_on - _LATE * late,
            self._banks(missing, found["depths"], wanted.ids.shape[1]),
        )
        moved = self._at(beams, found, order, index)
        going_on = take(going_on, order)
        is_done = self._is_done(going_on, kept, asked.max_length, index + 1)
        if search.finished == "keep":
            ended_in_time = _count(_is_in_time(kept))[:, None]
            is_done = is_done | (ended_in_time >= search.open_beams)
        going_on = ops.where(is_done, -np.inf, going_on)
        moved = {**moved, **kept, "over": over, "log_probs": going_on}
        return moved, take(found["parents"], order)

    def best(self, beams: Beams, count: int) -> Beams:
        """Scores, ids, lengths and backpointers of the best that have ended."""
        # One output may hold a phrase at several places.
        is_again = is_repeated(beams["ended_ids"], beams["scores"])
        beams = {**beams, "scores": ops.where(is_again, -np.inf, beams["scores"])}
        found = super().best(beams, count)
        order = top_k(beams["scores"], count)[1]
        return {**found, "scores": found["scores"] + take(beams["penalty"], order)}

    def _extend(self, beams, log_probs, wanted, is_cut, end):
        """Log-probabilities of extensions `(batch, extensions)`, and what they are.

        And how many beams lacked a phrase where they might have ended, so far.
        """
        search, count = self._search, log_probs.shape[1]
        own = {
            name: beams[name][:, :count]
            for name in ("log_probs", "nodes", "depths", "holds", "late", "last")
        }
        before = ops.expand_dims(own["log_probs"], 2)
        lacks = ops.logical_not(own["holds"]) & ops.expand_dims(wanted.is_wanted, 1)
        is_whole = take(wanted.is_end, own["nodes"])
        edges = self._edges(own, lacks, is_whole, wanted)
        of_phrases = before + ops.take_along_axis(log_probs, edges["last"], axis=2)
        of_phrases = ops.where(edges.pop("is_useful"), of_phrases, -np.inf)
        if self._words is not None:
            is_closed = is_whole & ops.take(self._words.is_open, own["last"])
            is_closed = ops.expand_dims(is_closed, 2) & self._words.goes_on
            log_probs = ops.where(is_closed, -np.inf, log_probs)

        # A phrase that has begun is continued, unless a rule of the search forbids it.
        is_start, is_there = edges.pop("is_start"), of_phrases > -np.inf
        is_bound = ops.any(is_there & ops.logical_not(is_start), axis=2)
        is_bound = is_bound & ops.logical_not(is_whole)
        can_start = ops.any(is_there & is_start, axis=2)
        is_over = ops.equal(ops.amax(log_probs, axis=2), log_probs[:, :, end])
        is_over = is_over & (own["log_probs"] > -np.inf) & ops.logical_not(is_bound)
        is_over = is_over & ops.any(lacks, axis=2)
        over = beams["over"] + ops.expand_dims(_count(is_over), 1)
        is_over = is_over | (over >= search.num_beams)
        is_over = is_over & can_start & ops.logical_not(is_bound | is_cut)
        is_late = ops.expand_dims(is_over, 2) & is_start
        # Where one has ended in time, none begins late.
        in_time = ops.any(_is_in_time(beams), axis=1)[:, None, None]
        of_phrases = ops.where(is_late & in_time, -np.inf, of_phrases)
        edges["late"] = edges["late"] + ops.cast(is_late, "int32")

        # Of each beam as many as there may be beams, and an end.
        best, last = top_k(log_probs, search.num_beams + 1)
        is_free = ops.expand_dims(ops.logical_not(is_over | is_bound), 2)
        best = ops.where(is_free, before + best, -np.inf)
        none = ops.zeros_like(last)
        free = {
            "parents": none + count_up(count)[:, None],
            "last": last,
            "nodes": none,
            "depths": none,
            "late": none + own["late"][:, :, None],
        }
        found = {name: self._join(part, edges[name]) for name, part in free.items()}
        is_whole = take(wanted.is_end, found["nodes"])
        now = ops.equal(
            ops.expand_dims(take(wanted.phrases, found["nodes"]), 2),
            count_up(self._count),
        )
        now = now & ops.expand_dims(is_whole, 2)
        found["holds"] = take(own["holds"], found["parents"]) | now
        found["depths"] = ops.where(is_whole, 0, found["depths"])
        return self._join(best, of_phrases, -np.inf), found, over

    def _edges(self, own, lacks, is_whole, wanted):
        """Where phrases lead from the nodes of beams, `(batch, beams, children)`."""
        nodes = own["nodes"]
        ids, children = take(wanted.ids, nodes), take(wanted.children, nodes)
        _, count, width = ids.shape
        flat = ops.reshape(children, (-1, count * width))
        phrases = ops.reshape(take(wanted.phrases, flat), (-1, count, width))
        is_in_phrase = ops.expand_dims(nodes > 0, 2)
        is_start = ops.logical_not(
            is_in_phrase
            & ops.equal(phrases, ops.expand_dims(take(wanted.phrases, nodes), 2))
        )
        may_start = ops.take_along_axis(lacks, phrases, axis=2)
        if self._words is not None:
            is_open = ops.expand_dims(ops.take(self._words.is_open, own["last"]), 2)
            is_open = is_open & ops.take(self._words.goes_on, ids)
            may_start = may_start & ops.logical_not(is_open)
        depths = ops.where(is_start, 0, ops.expand_dims(own["depths"], 2)) + 1
        none = ops.zeros_like(ids)
        return {
            "parents": none + count_up(count)[:, None],
            "last": ids,
            "nodes": children,
            "depths": depths,
            "late": none + own["late"][:, :, None],
            "is_start": is_start,
            "is_useful": (may_start | ops.logical_not(is_start)) & (ids > 0),
        }

    def _join(self, free, of_phrases, nothing=0):
        """All extensions `(batch, extensions)`, those of phrases after the others."""
        parts = [
            ops.reshape(part, (-1, part.shape[1] * part.shape[2]))
            for part in (free, of_phrases)
        ]
        joined = ops.concatenate(parts, axis=1)
        # Of a small vocabulary there may be fewer than beams.
        fewer = max(self._search.num_beams - joined.shape[1], 0)
        return ops.pad(joined, ((0, 0), (0, fewer)), constant_values=nothing)

    def _at(self, beams, found, order, index):
        """What some of the extensions are, and have written."""
        own = {name: take(part, order) for name, part in found.items()}
        parents = own.pop("parents")
        return {
            **self._moved(beams, parents, own["last"], index, "coverage"),
            **own,
        }

    def _banks(self, missing, depths, longest):
        """The bank of each extension; those that come first have the lowest."""
        # What is in no phrase comes first, or nothing would be left to begin from.
        in_phrase = self._count + 1 + missing * longest - depths
        return ops.where(depths > 0, in_phrase, missing)

    def _share(self, values, banks):
        """The extensions that are the next beams, best first.

        Of each bank what has the highest value, then the second of each.
        """
        count, size = self._search.num_beams, values.shape[1]
        values, order = top_k(values, size)
        banks = take(banks, order)
        is_before = ops.convert_to_tensor(np.tri(size, k=-1, dtype="bool"))
        rank = _count(ops.equal(banks[:, :, None], banks[:, None]) & is_before)
        key = rank * (1 + ops.amax(banks, axis=1, keepdims=True)) + banks
        is_there = (values > -np.inf) & (rank < self._search.open_beams)
        key = ops.where(is_there, ops.cast(key, "float32"), np.inf)
        chosen = top_k(-key, count)[1]
        return take(order, ops.sort(chosen, axis=1))


def _is_in_time(beams):
    """Of what has ended, whether it lacks nothing and nothing is late."""
    return (beams["scores"] > -np.inf) & ops.equal(beams["penalty"], 0)


def _count(flags):
    return ops.sum(ops.cast(flags, "int32"), axis=-1)
