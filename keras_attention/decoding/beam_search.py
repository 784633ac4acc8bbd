"""Beam search."""

import math
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    check_choice,
    check_divides,
    check_number,
    check_positive,
    check_positive_number,
    takes_numpy,
)
from keras_attention.decoding.beams import (
    Asked,
    attend,
    count_up,
    repeat_for_beams,
    split_by_beams,
    take,
)
from keras_attention.decoding.beginning import log_softmax
from keras_attention.decoding.hypotheses import Decoder, Hypotheses
from keras_attention.decoding.kept_beams import KeptBeams
from keras_attention.decoding.phrase_beams import PhraseBeams
from keras_attention.decoding.phrases import Phrases, Words
from keras_attention.decoding.replaced_beams import ReplacedBeams
from keras_attention.decoding.row_limits import source_mask
from keras_attention.decoding.search import Search, clip
from keras_attention.decoding.steps import step_until_ended
from keras_attention.special_ids import PAD, SpecialIds
from keras_attention.tensor import Tensor

NORMALIZATIONS = ("gnmt", "length")
STOPPING = ("exact", "current_length", "count", "first")
_SLOTS = {"keep": KeptBeams, "replace": ReplacedBeams}
MOST_PENALTY = 10  # beyond it, lengths to its power leave float32
_LEAST_COVERAGE = 1e-6  # less attention counts as none


@keras.saving.register_keras_serializable("keras_attention", name="BeamSearch")
class BeamSearch(Search):
    """Keep the most probable outputs at each step, until the best are found.

    Each step fills the `num_beams` beams of a row with the best extensions of what
    stood there; an output that ends leaves its beam for good, and is kept in a pool
    that nothing unfinished can enter. So a row works less and less, and one beam finds
    what greedy search finds. A row is done when nothing unfinished can still
    become one of the outputs asked for, which is decided exactly, since extensions only
    become less probable; with a coverage penalty, as if the whole source were covered.

    | `normalization` | score of an output of `n` ids |
    | --- | --- |
    | `"gnmt"` | log-probability / ((5 + n) / 6)^`length_penalty` (Wu et al. 2016) |
    | `"length"` | log-probability / n^`length_penalty` |

    To the score comes `coverage_penalty` times the sum, over the source, of log(min(a,
    1)), where `a` is what a position was attended to in sum (Wu et al. 2016).

    Args:
        num_beams: number of beams of a row.
        max_length: the most ids of an output, its end id included. What has not ended
            there is cut, and counts as complete.
        length_penalty: from 0 to 10; 0 compares log-probabilities, more favours long
            outputs.
        coverage_penalty: not negative; above 0 the model must have attention.
        normalization: `"gnmt"` or `"length"`.
        num_hypotheses: how many outputs are asked for; `num_beams` when left out. A row
            that looks for fewer is done sooner.
        num_groups: number of groups into which the beams are divided; each avoids what
            those before it have written at the same step (Vijayakumar et al. 2018).
        diversity: by how much: what is taken off a log-probability, in the choice
            alone, for each beam of an earlier group with that id.
        finished: what becomes of the beam of an output that ends: `"keep"`, it stays
            empty, so that one beam less looks further; or `"replace"`, it goes to the
            next best of twice as many extensions as there are beams, as Hugging Face
            and CTranslate2 do.
        stopping: when a row is done, of `"replace"`: `"exact"` as above;
            `"current_length"`, when the best unfinished output, were it to end now, is
            no better than the last of `num_beams` that have ended, which is Hugging
            Face's `early_stopping=False`; `"count"`, when `patience * num_beams`
            outputs have ended (Kasai et al. 2022), as CTranslate2 does with a length
            penalty; `"first"`, when the best extension of some step was an end and
            `num_hypotheses` have ended, as it does without any penalty.
        patience: see `stopping`.
        force_end: whether an output of `"replace"` that `max_length` cuts is scored
            with an end behind it that costs nothing: Hugging Face's
            `forced_eos_token_id`.
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
        finished: str = "keep",
        stopping: str = "exact",
        patience: float = 1.0,
        force_end: bool = False,
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
        check_choice(_SLOTS, finished=finished)
        check_choice(STOPPING, stopping=stopping)
        check_positive_number(patience=patience)
        for name, value, default in (
            ("stopping", stopping, "exact"),
            ("force_end", force_end, False),
            ("num_groups", num_groups, 1),
        ):
            if value != default and (finished == "keep") == (name != "num_groups"):
                raise ValueError(
                    f"`{name}` cannot be combined with this `finished`. "
                    f"Received: {name}={value!r}, finished={finished!r}"
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
        self.finished = finished
        self.stopping = stopping
        self.patience = patience
        self.force_end = force_end
        self.open_beams: Any = num_beams
        self.phrases: Phrases | None = None
        self.words: Words | None = None
        self._wanted: Any = num_hypotheses or num_beams

    @property
    def width(self) -> int:
        """How many hypotheses of a source it follows at a time."""
        return self.num_beams

    @property
    def group_size(self) -> int:
        """How many beams of a row avoid nothing that the others among them write."""
        return self.num_beams // self.num_groups

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
            "finished": self.finished,
            "stopping": self.stopping,
            "patience": self.patience,
            "force_end": self.force_end,
        }

    def options(self) -> dict[str, Any]:
        """What `with_options` may change, with what holds now.

        Groups keep their beams, and with them `num_beams` stays as it is.
        """
        beams = {} if self.num_groups > 1 else {"num_beams": self.open_beams}
        return {
            **super().options(),
            **beams,
            "num_hypotheses": self._wanted,
            "length_penalty": self.length_penalty,
        }

    def with_phrases(self, phrases: Phrases, words: Words | None = None) -> Self:
        """The same search for outputs that hold phrases; for calls alone.

        Args:
            phrases: of each source.
            words: by which a phrase neither begins nor ends inside a word.

        Raises:
            ValueError: for groups of beams.
        """
        if self.num_groups > 1:
            raise ValueError(
                "Phrases cannot be combined with groups of beams. "
                f"Received: num_groups={self.num_groups}"
            )
        other = self.with_options()
        other.phrases, other.words = phrases, words
        return other

    def _set_options(
        self,
        max_length: Any = None,
        num_beams: Any = None,
        num_hypotheses: Any = None,
        length_penalty: Any = None,
    ) -> None:
        super()._set_options(max_length)
        if num_beams is not None:
            self.open_beams = clip(num_beams, 1, self.num_beams)
        if num_hypotheses is not None:
            self._wanted = clip(num_hypotheses, 1, self._wanted)
        if length_penalty is not None:
            # Of what is not a number, none.
            self.length_penalty = ops.where(
                length_penalty >= 0, ops.minimum(length_penalty, MOST_PENALTY), 0.0
            )
        wanted = ops.minimum(self._wanted, self.open_beams)
        self._wanted = ops.cast(wanted, "int32")

    def search(
        self,
        model: Decoder,
        source: Any,
        prefix: Tensor | None = None,
        given: int | None = None,
    ) -> Hypotheses:
        """The search itself, on tensors; as in `Search`."""
        return self._find(model, source, *self.begin(model, source, prefix, given))[0]

    def search_in_room(
        self, model: Decoder, source: Any, room: int, departures: int = 0
    ) -> tuple[Hypotheses, Tensor]:
        """The search with less room; as in `Search`."""
        is_paid = bool(self.coverage_penalty)
        beginning = self.begin_in_room(model, source, room, with_attention=is_paid)
        return self._find(
            model, source, *beginning, with_attention=False, departures=departures
        )

    def _find(
        self, model, source, beginning, limits, with_attention=True, departures=0
    ):
        """The best outputs, and which rows had enough room."""
        if beginning.attention is None and self.coverage_penalty:
            raise ValueError(
                "`coverage_penalty` needs a model with attention. "
                f"Received: coverage_penalty={self.coverage_penalty}"
            )
        special, room = SpecialIds.of(model), beginning.ids.shape[1]
        self.constraints.check_end(special.end)
        index = ops.convert_to_tensor(beginning.given, "int32")
        is_source = source_mask(source)
        asked = Asked(
            limits.repeat(self.num_beams),
            ops.expand_dims(limits.max_length, 1),
            None if is_source is None else ops.expand_dims(is_source, 1),
            self.phrases,
        )
        slots: Any = _SLOTS[self.finished](self)
        if self.phrases is not None:
            slots = PhraseBeams(self, self.phrases.is_wanted.shape[1], self.words)
        written = self._first_beams(
            slots, beginning, asked, special.start, with_attention
        )

        def choose(log_probs, beams, limits, asked, index):
            """The beams after a step, and which of them each came from."""
            count, vocabulary = log_probs.shape[1], ops.shape(log_probs)[-1]
            flat = ops.reshape(log_probs, (-1, vocabulary))
            ids = ops.reshape(beams["ids"][:, :count], (-1, room))
            flat = self.allow(flat, ids, index, limits, special)
            log_probs = ops.reshape(flat, (-1, count, vocabulary))
            return slots.step(beams, log_probs, asked, index, special.end)

        def step(state, written, asked, index):
            beams, seen = written
            last = ops.reshape(beams["last"], (-1,))
            logits, state, attention = model.step(last, state, index)
            if attention is not None:
                attention = split_by_beams(attention, self.num_beams)
                beams, seen = attend(beams, seen, attention, index)
            log_probs = log_softmax(logits)
            log_probs = ops.reshape(
                log_probs, (-1, self.num_beams, ops.shape(log_probs)[-1])
            )
            beams, parents = choose(log_probs, beams, asked.limits, asked, index)
            first = self.num_beams * count_up(ops.shape(parents)[0])
            parents = ops.reshape(ops.expand_dims(first, 1) + parents, (-1,))
            return functional.reorder_state(model, state, parents), (beams, seen)

        if beginning.log_probs is not None:
            # At first there is one row of each source to continue.
            log_probs = ops.expand_dims(beginning.log_probs, 1)
            beams, seen = written
            beams, _ = choose(log_probs, beams, limits, asked, index)
            written, index = (beams, seen), index + 1
        beams, seen = step_until_ended(
            step,
            _is_open,
            functional.expand_state(model, beginning.state, self.num_beams),
            written,
            asked,
            index,
            room,
            departures,
        )
        is_done = ops.logical_not(_is_open((beams, seen)))
        return self._best_of(slots, beams, seen), is_done

    def _first_beams(self, slots, beginning, asked, start, with_attention):
        """Beams of which the first holds what was given, the others nothing.

        And the attention `(length, batch, beams, source)` of all steps, which stays in
        the beams that paid it, if it is asked for.
        """
        rows, length = ops.shape(beginning.ids)
        shape, dtype = (rows, self.num_beams), beginning.scores.dtype
        no_score = ops.full(shape, -np.inf, dtype)
        # Each group begins with one beam.
        is_first = ops.equal(count_up(self.num_beams) % self.group_size, 0)
        score = ops.expand_dims(beginning.scores, 1)
        # What was given may be as long as an output may be.
        is_open = beginning.given < asked.max_length
        written = ops.expand_dims(beginning.lengths, 1)
        beams = {
            # Of what is unfinished; -inf where there is nothing unfinished.
            "log_probs": ops.where(is_first & is_open, score, no_score),
            "ids": repeat_for_beams(beginning.ids, self.num_beams),
            "last": ops.full(shape, start, "int32"),
            # The beam in which each of the ids was chosen.
            "backpointers": ops.zeros((rows, self.num_beams, length), "int32"),
        }
        seen, coverage = {}, None
        if self.coverage_penalty:
            covered = ops.sum(beginning.attention, axis=1)
            beams["coverage"] = repeat_for_beams(covered, self.num_beams)
            coverage = beams["coverage"][:, :1]
        if with_attention and beginning.attention is not None:
            by_step = ops.transpose(beginning.attention, (1, 0, 2))
            seen["attention"] = ops.repeat(
                ops.expand_dims(by_step, 2), self.num_beams, axis=2
            )
        ended = self.score(score, ops.maximum(written, 1), coverage, asked.is_source)
        ended = ops.where(is_open, -np.inf, ended)
        return slots.begin(beams, ended, written), seen

    def normalize(self, log_probs: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities by the lengths of their outputs."""
        if isinstance(self.length_penalty, float) and not self.length_penalty:
            return log_probs
        lengths = ops.cast(lengths, log_probs.dtype)
        if self.normalization == "gnmt":
            lengths = (5 + lengths) / 6
        return log_probs / lengths ** ops.cast(self.length_penalty, lengths.dtype)

    def score(
        self,
        log_probs: Tensor,
        lengths: Tensor,
        coverage: Tensor | None,
        is_source: Tensor | None,
    ) -> Tensor:
        """The scores of outputs that end, with the coverage penalty."""
        scores = self.normalize(log_probs, lengths)
        if not self.coverage_penalty:
            return scores
        covered = ops.log(ops.clip(coverage, _LEAST_COVERAGE, 1.0))
        if is_source is not None:
            covered = ops.where(is_source, covered, 0.0)
        return scores + self.coverage_penalty * ops.sum(covered, axis=2)

    def last_wanted(self, scores: Tensor) -> Tensor:
        """The last score that is asked for `(batch, 1)`, of some in order."""
        return ops.expand_dims(ops.take(scores, self._wanted - 1, axis=1), 1)

    def _best_of(self, slots, beams, seen):
        count = self.num_hypotheses or self.num_beams
        best = slots.best(beams, count)
        scores = ops.where(count_up(count) < self._wanted, best["scores"], -np.inf)
        is_there = scores > -np.inf
        lengths = ops.where(is_there, best["lengths"], 0)
        ids = ops.where(ops.expand_dims(is_there, 2), best["ids"], PAD)
        attention = None
        if seen:
            by_step = ops.transpose(best["backpointers"], (2, 0, 1))
            found = take(seen["attention"], by_step)
            attention = ops.transpose(found, (1, 2, 0, 3))
            is_written = count_up(ids.shape[2]) < ops.expand_dims(lengths, 2)
            attention = ops.where(ops.expand_dims(is_written, 3), attention, 0.0)
        return Hypotheses(ids, lengths, scores, attention)


def _is_open(written):
    """Whether a source has something unfinished, `(batch,)`."""
    return ops.any(written[0]["log_probs"] > -np.inf, axis=1)
