"""Beam search."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    check_choice,
    check_divides,
    check_number,
    check_positive,
    takes_numpy,
)
from keras_attention.decoding.hypotheses import Hypotheses, Steppable
from keras_attention.decoding.places import count_up, in_dtype, is_repeated, put, take
from keras_attention.decoding.search import Search, clip
from keras_attention.decoding.top_k import top_k
from keras_attention.special_ids import END, PAD, START

Tensor = Any
NORMALIZATIONS = ("gnmt", "length")
MOST_PENALTY = 10  # beyond it, lengths to its power leave float32
# Less attention than this is not told apart from none.
_LEAST_COVERAGE = 1e-6


@keras.saving.register_keras_serializable("keras_attention", name="BeamSearch")
class BeamSearch(Search):
    """Keep the most probable outputs at each step, until the best are found.

    A row begins with `num_beams` places. Each step fills them with the best extensions
    of what stood there; an output that ends leaves its place for good, and is kept in a
    pool that nothing unfinished can enter. So a row works less and less, and one beam
    finds what greedy search finds. A row is done when nothing unfinished can still
    become one of the outputs asked for, which is told exactly, since extensions only
    become less probable; with a coverage penalty, as if the whole source were covered.

    | `normalization` | score of an output of `n` ids |
    | --- | --- |
    | `"gnmt"` | log-probability / ((5 + n) / 6)^`length_penalty` (Wu et al. 2016) |
    | `"length"` | log-probability / n^`length_penalty` |

    To the score comes `coverage_penalty` times the sum, over the source, of log(min(a,
    1)), where `a` is what a position was attended to in sum (Wu et al. 2016).

    Args:
        num_beams: number of places of a row.
        max_length: the most ids of an output, its end id included. What has not ended
            there is cut, and counts as complete.
        length_penalty: from 0 to 10; 0 compares log-probabilities, more favours long
            outputs.
        coverage_penalty: from 0 on; the model must have attention then.
        normalization: `"gnmt"` or `"length"`.
        num_hypotheses: how many outputs are asked for; `num_beams` when left out. A row
            that looks for fewer is done sooner.
        num_groups: number of groups into which the places are divided; each avoids what
            those before it have written at the same step (Vijayakumar et al. 2018).
        diversity: by how much: what is taken off a log-probability, in the choice
            alone, for each place of an earlier group with that id.
        **options: of `Search`.

    Call arguments:
        model: a `Seq2Seq`, or anything with its `encode`, `start` and `step`.
        source: int ids `(batch, source)`, padded with 0.
        prefix: int ids `(batch, prefix)`, padded with 0, with which each output begins.

    Returns:
        `Hypotheses` of NumPy arrays, `num_hypotheses` a row, all different. Where there
        are not so many, the last are empty, with a score of -inf.

    Raises:
        ValueError: for an option or ids that are out of range.

    Example:
    >>> from keras_attention.models import transformer
    >>> model = transformer(11, 13, num_layers=1, num_heads=2, embedding_dim=8)
    >>> hypotheses = BeamSearch(4, max_length=5)(model, np.array([[4, 5, 3]]))
    >>> hypotheses.ids.shape, hypotheses.attention.shape
    ((1, 4, 5), (1, 4, 5, 3))
    """

    @takes_numpy
    def __init__(
        self,
        num_beams: int = 4,
        max_length: int = 128,
        length_penalty: float = 0.6,
        coverage_penalty: float = 0.0,
        *,
        normalization: str = "gnmt",
        num_hypotheses: int | None = None,
        num_groups: int = 1,
        diversity: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(max_length, **options)
        check_positive(num_beams=num_beams, num_groups=num_groups)
        check_divides("num_groups", num_groups, "num_beams", num_beams)
        check_choice(NORMALIZATIONS, normalization=normalization)
        check_number(0, MOST_PENALTY, length_penalty=length_penalty)
        check_number(
            0, math.inf, coverage_penalty=coverage_penalty, diversity=diversity
        )
        if num_hypotheses is not None:
            check_positive(num_hypotheses=num_hypotheses)
            if num_hypotheses > num_beams:
                raise ValueError(
                    "`num_hypotheses` must be at most `num_beams`. Received: "
                    f"num_hypotheses={num_hypotheses}, num_beams={num_beams}"
                )
        self.num_beams = num_beams
        self.length_penalty: Any = float(length_penalty)
        self.coverage_penalty = coverage_penalty
        self.normalization = normalization
        self.num_hypotheses = num_hypotheses
        self.num_groups = num_groups
        self.diversity = diversity
        self._open_places: Any = num_beams
        self._wanted: Any = num_hypotheses or num_beams

    def __repr__(self) -> str:
        return f"BeamSearch({self.num_beams}, max_length={self.max_length})"

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "num_beams": self.num_beams,
            "length_penalty": self.length_penalty,
            "coverage_penalty": self.coverage_penalty,
            "normalization": self.normalization,
            "num_hypotheses": self.num_hypotheses,
            "num_groups": self.num_groups,
            "diversity": self.diversity,
        }

    def options(self) -> dict[str, Any]:
        """What `with_options` may change, with what holds now.

        Groups keep their places, and with them `num_beams` stays as it is.
        """
        beams = {} if self.num_groups > 1 else {"num_beams": self._open_places}
        return {
            **super().options(),
            **beams,
            "num_hypotheses": self._wanted,
            "length_penalty": self.length_penalty,
        }

    def _set_options(
        self,
        max_length: Any = None,
        num_beams: Any = None,
        num_hypotheses: Any = None,
        length_penalty: Any = None,
    ) -> None:
        super()._set_options(max_length)
        if num_beams is not None:
            self._open_places = clip(num_beams, 1, self.num_beams)
        if num_hypotheses is not None:
            self._wanted = clip(num_hypotheses, 1, self._wanted)
        if length_penalty is not None:
            # Of what is not a number, none.
            self.length_penalty = ops.where(
                length_penalty >= 0, ops.minimum(length_penalty, MOST_PENALTY), 0.0
            )
        wanted = ops.minimum(self._wanted, self._open_places)
        self._wanted = ops.cast(wanted, "int32")

    def search(
        self, model: Steppable, source: Tensor, prefix: Tensor | None = None
    ) -> Hypotheses:
        """The search itself, on tensors: call this inside a function of your own."""
        request, cache = self.start(model, source, prefix, self.num_beams)
        is_source = ops.expand_dims(ops.not_equal(source, PAD), 1)
        places = self._begin(is_source)
        # The first step reads one row of each source, and tells whether the model
        # gives attention.
        places, cache, seen = self._step(request, 1, places, cache, {}, is_source, 0)
        repeated = request.repeat(self.num_beams)

        def step(places, cache, seen, index):
            state = places, cache, seen
            state = self._step(repeated, self.num_beams, *state, is_source, index)
            return *state, index + 1

        places, _, seen, _ = ops.while_loop(
            lambda places, *_: ops.any(places["log_probs"] > -np.inf),
            step,
            (places, cache, seen, ops.convert_to_tensor(1, "int32")),
            maximum_iterations=self.max_length - 1,
        )
        return self._best_of(places, seen)

    def _begin(self, is_source):
        """Places of which the first one holds the empty output, the others nothing."""
        rows, beams = ops.shape(is_source)[0], self.num_beams
        nothing = ops.zeros((rows, beams, self.max_length), "int32")
        no_score = ops.full((rows, beams), -np.inf, "float32")
        return {
            # Of what is unfinished; -inf where there is nothing unfinished.
            "log_probs": ops.where(
                ops.arange(beams, dtype="int32") == 0, 0.0, no_score
            ),
            # Of what has ended; -inf where nothing has.
            "scores": no_score,
            "ids": nothing,
            "last": ops.full((rows, beams), START, "int32"),
            "lengths": ops.zeros((rows, beams), "int32"),
            # The place in which each of the ids was chosen.
            "origins": nothing,
            "coverage": ops.zeros((rows, beams, ops.shape(is_source)[2]), "float32"),
        }

    def _step(self, request, count, places, cache, seen, is_source, index):
        """Places, cache and the attention of all steps, after one that reads `count`.

        The attention `(length, batch, beams, source)` stays in the places where it was
        paid.
        """
        ids = ops.reshape(places["ids"][:, :count], (-1, self.max_length))
        last = ops.reshape(places["last"][:, :count], (-1,))
        origins = places["origins"][:, :count]
        log_probs, cache, attention = self.read(
            request, last, cache, ids, index, origins
        )
        if attention is not None:
            batch, _, source = ops.shape(places["coverage"])
            attention = ops.reshape(attention, (batch, count, source))
            places = in_dtype(places, attention.dtype)
            coverage = places["coverage"][:, :count] + attention
            places = {**places, "coverage": coverage}
            seen = self._see(seen, attention, index)
        elif self.coverage_penalty:
            raise ValueError(
                "`coverage_penalty` needs a model with attention. "
                f"Received: coverage_penalty={self.coverage_penalty}"
            )
        log_probs = ops.reshape(log_probs, (-1, count, log_probs.shape[-1]))
        places = in_dtype(places, log_probs.dtype)
        best, parents, ids = self._choose(places, log_probs)
        cache = request.follow(cache, parents, count)
        most = ops.expand_dims(request.most[::count], 1)
        places = self._fill(places, best, parents, ids, is_source, most, index)
        return places, cache, seen

    def _see(self, seen, attention, index):
        """Write down what the places attend to at one step."""
        if not seen:
            batch, _, source = ops.shape(attention)
            shape = self.max_length, batch, self.num_beams, source
            seen = {"attention": ops.zeros(shape, attention.dtype)}
            attention = ops.repeat(attention, self.num_beams, axis=1)
        now = ops.expand_dims(attention, 0)
        return {"attention": functional.write_at(seen["attention"], now, index, 0)}

    def _choose(self, places, log_probs):
        """Log-probability, parent and id of what comes into each place.

        Where something has ended, they are -inf, the place itself and anything.
        """
        count, width = log_probs.shape[1], self.num_beams // self.num_groups
        avoided, chosen = None, []
        for start in range(0, self.num_beams, width):
            own = slice(start, start + width)
            read = slice(0, 1) if count == 1 else own
            best, parents, ids = _extensions(
                places["log_probs"][:, read], log_probs[:, read], width, avoided
            )
            # The best extension comes into the first open place.
            is_open = ops.isinf(places["scores"][:, own]) & (
                count_up(own.start, own.stop) < self._open_places
            )
            rank = ops.cumsum(ops.cast(is_open, "int32"), axis=1) - 1
            best, parents, ids = (
                ops.take_along_axis(part, ops.maximum(rank, 0), axis=1)
                for part in (best, parents + read.start, ids)
            )
            best = ops.where(is_open, best, -np.inf)
            # There is one place to come from at first, whatever stays empty.
            itself = np.minimum(np.arange(own.start, own.stop), count - 1)
            itself = ops.convert_to_tensor(itself, "int32")
            chosen.append((best, ops.where(is_open, parents, itself), ids))
            if self.num_groups > 1:
                taken = ops.expand_dims(ops.cast(best > -np.inf, best.dtype), 2)
                taken = taken * ops.one_hot(ids, log_probs.shape[-1], dtype=best.dtype)
                taken = self.diversity * ops.sum(taken, axis=1, keepdims=True)
                avoided = taken if avoided is None else avoided + taken
        return [ops.concatenate(part, axis=1) for part in zip(*chosen, strict=True)]

    def _fill(self, places, best, parents, last, is_source, most, index):
        """The places after a step, and what has ended in it."""
        moved = {
            name: take(places[name], parents) for name in ("ids", "origins", "coverage")
        }
        is_new = best > -np.inf
        has_ended = is_new & (ops.equal(last, END) | (index + 1 >= most))
        scores = self._normalize(best, index + 1)
        if self.coverage_penalty:
            covered = ops.clip(moved["coverage"], _LEAST_COVERAGE, 1.0)
            covered = ops.where(is_source, ops.log(covered), 0.0)
            scores = scores + self.coverage_penalty * ops.sum(covered, axis=2)
        scores = ops.where(has_ended, scores, places["scores"])
        log_probs = ops.where(has_ended, -np.inf, best)
        # What is unfinished can at best go on to the end without losing probability.
        # PyTorch's `ops.max` takes no empty batch.
        reachable = self._normalize(ops.amax(log_probs, axis=1, keepdims=True), most)
        ids = put(moved["ids"], ops.where(is_new, last, PAD), index)
        in_order = top_k(self._without_repeated(ids, scores), self.num_beams)[0]
        last_wanted = ops.take(in_order, self._wanted - 1, axis=1)
        is_done = reachable <= ops.expand_dims(last_wanted, 1)
        return {
            "log_probs": ops.where(is_done, -np.inf, log_probs),
            "scores": scores,
            "ids": ids,
            "last": last,
            "lengths": ops.where(is_new, index + 1, places["lengths"]),
            "origins": put(moved["origins"], parents, index),
            "coverage": moved["coverage"],
        }

    def _normalize(self, log_probs, lengths):
        if isinstance(self.length_penalty, float) and not self.length_penalty:
            return log_probs
        lengths = ops.cast(lengths, log_probs.dtype)
        if self.normalization == "gnmt":
            lengths = (5 + lengths) / 6
        return log_probs / lengths ** ops.cast(self.length_penalty, lengths.dtype)

    def _without_repeated(self, ids, scores):
        """Scores, -inf where an earlier group has ended with the same output."""
        if self.num_groups == 1:
            return scores
        return ops.where(is_repeated(ids, scores), -np.inf, scores)

    def _best_of(self, places, seen):
        scores = self._without_repeated(places["ids"], places["scores"])
        count = self.num_hypotheses or self.num_beams
        scores, order = top_k(scores, count)
        scores = ops.where(count_up(count) < self._wanted, scores, -np.inf)
        is_there = scores > -np.inf
        lengths = ops.where(is_there, take(places["lengths"], order), 0)
        ids = take(places["ids"], order)
        ids = ops.where(ops.expand_dims(is_there, 2), ids, PAD)
        attention = None
        if seen:
            by_step = ops.transpose(take(places["origins"], order), (2, 0, 1))
            found = take(seen["attention"], by_step)
            attention = ops.transpose(found, (1, 2, 0, 3))
            is_written = count_up(self.max_length) < ops.expand_dims(lengths, 2)
            attention = ops.where(ops.expand_dims(is_written, 3), attention, 0.0)
        return Hypotheses(ids, lengths, scores, attention)


def _extensions(scores, log_probs, width, avoided):
    """The `width` best extensions of some beams, best first.

    Log-probabilities, beams and ids `(batch, width)`; -inf where there are too few.
    """
    vocabulary = log_probs.shape[-1]
    count, within = log_probs.shape[1], min(width, vocabulary)
    # Of each beam, no more than `width` can be among the best.
    top, ids = top_k(log_probs if avoided is None else log_probs - avoided, within)
    missing = max(width - count * within, 0)
    total, ids = (
        ops.pad(
            ops.reshape(part, (-1, count * within)),
            ((0, 0), (0, missing)),
            constant_values=nothing,
        )
        for part, nothing in ((ops.expand_dims(scores, 2) + top, -np.inf), (ids, PAD))
    )
    best, chosen = top_k(total, width)
    ids = ops.take_along_axis(ids, chosen, axis=1)
    parents = ops.minimum(chosen // within, count - 1)
    if avoided is not None:
        off = ops.take_along_axis(ops.squeeze(avoided, 1), ids, axis=1)
        best = best + off
    return best, ops.cast(parents, "int32"), ops.cast(ids, "int32")
