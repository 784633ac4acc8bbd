"""Finds outputs of any number of sources, in batches of few shapes."""

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import keras
import numpy as np

from keras_attention.decoding import BeamSearch, Hypotheses, Search
from keras_attention.decoding.outputs import attend_to_outputs
from keras_attention.decoding.phrases import Words
from keras_attention.special_ids import PAD, SpecialIds
from keras_attention.translation.buckets import Buckets
from keras_attention.translation.candidates import make_candidates, search_in_lists
from keras_attention.translation.given import Given, GivenArrays
from keras_attention.translation.programs import make_program, not_compiled_errors
from keras_attention.translation.short_list import ShortList

STEP = 16  # ids, by which the room for given outputs grows


class BatchSearch:
    """A search over rows of ids or vectors, by programs that it makes when asked.

    Compiled, as always on JAX, it has a program for each shape of a batch, and batches
    are padded to a few, sorted by length, and searched side by side, first with little
    room. A search that leaves it open is compiled where that is possible, which the
    first rows find out. What is not compiled is one batch.

    Args:
        model: a `Seq2Seq`, `LanguageModel` or `Ensemble`.
        source: what it reads, a `TextSource` or a `VectorSource`.
        search: how outputs are found.
        batch_size: the most rows of a batch.
        source_limit: the most ids or vectors of a row.
        short_list: of the ids that a row may ask for, if there is one.
        read_words: finds where words begin and end, by ids; for phrases.

    Attributes:
        is_settled: whether it is known if XLA compiles the search.
    """

    def __init__(
        self,
        model: Any,
        source: Any,
        search: Search,
        batch_size: int,
        source_limit: int,
        short_list: ShortList | None = None,
        read_words: Callable[[], Words] | None = None,
    ) -> None:
        self._model = model
        self._source = source
        self._search = search
        self._candidates = make_candidates(short_list, model, search)
        self._read_words = read_words
        self._buckets = Buckets(search, batch_size, source_limit, model.count_params())
        # What is not compiled is compiled again by JAX at each call.
        is_jax = keras.backend.backend() == "jax"
        self._is_compiled = search.compiles_batches or is_jax
        self.is_settled = search.jit_compile is not None or not self._is_compiled
        self._programs: dict[Any, Any] = {}

    @property
    def is_compiled(self) -> bool:
        """Whether XLA compiles the search, as far as is known."""
        return self._is_compiled

    @cached_property
    def score(self) -> Callable[..., Any]:
        """From a source and labels to log-probabilities; as of the model."""
        return self._program(self._model.log_probabilities, is_compiled=False)

    def shapes(
        self, rows: Iterable[int] | None, lengths: Iterable[int] | None
    ) -> list[tuple[int, int]]:
        """Numbers of rows and lengths that are compiled each by itself."""
        return self._buckets.shapes(rows, lengths) if self._is_compiled else []

    def below(self, length: int) -> int:
        """As of `Buckets`."""
        return self._buckets.below(length)

    def find(
        self, rows: Sequence[Any], given: Sequence[Given] | None = None
    ) -> list[Hypotheses]:
        """What is found of each row, without a first axis and without attention.

        Args:
            rows: of ids or vectors.
            given: what outputs of each have to be like; of what nothing is given, they
                are found as without it.

        Raises:
            ValueError: for phrases without a beam search.
        """
        try:
            found = self._find_all(rows, given)
        except not_compiled_errors() as error:
            if self.is_settled:
                raise
            self._is_compiled = False
            self._programs.clear()
            found = self._find_all(rows, given)
            warnings.warn(
                "The search runs several times slower than it might, since XLA does "
                "not compile all of this model; with `jit_compile=False` of the search "
                f"it is not tried. XLA says: {error}",
                stacklevel=2,
            )
        self.is_settled = self.is_settled or bool(rows)
        return found

    def attend(
        self, rows: Sequence[Any], found: Sequence[Hypotheses]
    ) -> list[Hypotheses]:
        """The same with attention `(hypotheses, length, source)`, if the model has."""
        attended = [*found]
        for chosen, (count, width), _ in self._buckets.batches([*map(len, rows)]):
            own = [found[row].ids for row in chosen]
            room = self._buckets.room(max(map(_longest, own)))
            ids = np.full((count, len(own[0]), room), PAD, "int32")
            for place, written in zip(ids, own, strict=False):
                place[:, : written.shape[1]] = written[:, :room]
            source = self._source.arrays([rows[row] for row in chosen], count, width)
            parts = self._attending(*ids.shape[1:])(source, ids)
            for number, row in enumerate(chosen):
                of_row = {name: part[number] for name, part in parts.items()}
                attended[row] = found[row]._replace(**of_row)
        return attended

    def attend_to(self, source: Any, ids: np.ndarray) -> np.ndarray | None:
        """What given outputs attend to, if the model has attention.

        Args:
            source: what the model reads.
            ids: `(rows, length)`, padded with 0.

        Returns:
            `(rows, length, source)`.
        """
        room = -(-ids.shape[1] // STEP) * STEP
        padded = np.pad(ids, [(0, 0), (0, room - ids.shape[1])])
        found = self._attending(1, room)(source, padded).get("attention")
        return None if found is None else found[:, 0]

    def _find_all(self, rows, given):
        if given is None or not any(given):
            return self._find(rows)
        has_phrases = any(own.phrases for own in given)
        if has_phrases and not isinstance(self._search, BeamSearch):
            raise ValueError(
                f"`terms` need a `BeamSearch`. Received: search={self._search!r}"
            )
        found: list[Any] = [None] * len(rows)
        for has_some in (False, True):
            places = [n for n, own in enumerate(given) if bool(own) == has_some]
            own = [given[place] for place in places] if has_some else None
            some = self._find([rows[place] for place in places], own) if places else []
            for place, one in zip(places, some, strict=True):
                found[place] = one
        return found

    def _find(self, rows, given=None):
        """Rows with too little room are searched once more, with all."""
        found: list[Any] = [None] * len(rows)
        waiting, least = [*range(len(rows))], 0
        while waiting:
            batches = [
                ([waiting[place] for place in chosen], shape, max(room, least))
                for chosen, shape, room in self._cut(
                    [len(rows[row]) for row in waiting]
                )
            ]
            waiting, least = [], self._search.max_length
            searched = self._find_batches(rows, batches, given)
            for (chosen, _, _), (parts, is_done) in zip(batches, searched, strict=True):
                for place, row in enumerate(chosen):
                    own = {name: part[place] for name, part in parts.items()}
                    found[row] = Hypotheses(**own, attention=None)
                    if not is_done[place]:
                        waiting.append(row)
        end = SpecialIds.of(self._model).end
        return [
            _end_at_once(one, end) if self._source.is_empty(row) else one
            for one, row in zip(found, rows, strict=True)
        ]

    def _cut(self, lengths):
        """Batches of rows of these lengths; as of `Buckets`."""
        if self._is_compiled:
            cores = count_cores() if self._buckets.in_parallel else 1
            return self._buckets.batches(lengths, cores)
        shape = len(lengths), max(lengths)
        return [(range(len(lengths)), shape, self._search.max_length)]

    def _find_batches(self, rows, batches, given):
        """What is found of batches, and which rows had enough room."""
        asked = [
            None
            if given is None
            else GivenArrays.of([given[row] for row in chosen], shape[0])
            for chosen, shape, _ in batches
        ]
        programs = [
            self._finding(shape, room, own)
            for (_, shape, room), own in zip(batches, asked, strict=True)
        ]

        def find(place):
            chosen, shape, _ = batches[place]
            own = [rows[row] for row in chosen]
            # Empty rows, and those that fill a batch, end at once.
            limits = np.ones(shape[0], "int32")
            limits[: len(own)] = [
                1 if self._source.is_empty(row) else self._search.max_length
                for row in own
            ]
            source = self._source.arrays(own, *shape)
            more: list[Any] = []
            if given is not None:
                more += asked[place].arrays
            elif self._candidates is not None:
                more.append(self._candidates.lists(source))
            return programs[place](source, limits, *more)

        if len(batches) == 1 or not self._buckets.in_parallel:
            return [*map(find, range(len(batches)))]
        with ThreadPoolExecutor(min(len(batches), count_cores())) as threads:
            # Different shapes come first, since each may have to be compiled.
            first = {
                batch[1:]: place for place, batch in reversed([*enumerate(batches)])
            }
            order = sorted(
                range(len(batches)),
                key=lambda place: first[batches[place][1:]] != place,
            )
            searched = {place: threads.submit(find, place) for place in order}
            return [searched[place].result() for place in range(len(batches))]

    def _finding(self, shape, room, given=None):
        """The program for so many rows of a length, with room for so many ids."""
        rows, length = shape
        departures = self._buckets.departures(rows)
        size = None
        if given is None and self._candidates is not None:
            size = self._candidates.size(length)
        words = None
        if given is not None and given.phrases is not None and self._read_words:
            words = self._read_words()

        def find(source, limits, *more):
            search: Any = self._search.with_options(max_length=limits)
            known = []
            if given is None:
                # A graph does not know how long they are.
                known = [keras.ops.reshape(part, (-1, size)) for part in more]
            else:
                search = given.ask(search, more, words)
            found, is_done = search_in_lists(
                search,
                self._model,
                source,
                *known,
                room=room,
                departures=departures,
            )
            parts = found._asdict().items()
            return {name: part for name, part in parts if part is not None}, is_done

        key = "find", room, departures, size, None if given is None else given.sizes
        if key not in self._programs:
            self._programs[key] = self._program(find, self._is_compiled)
        return self._programs[key]

    def _attending(self, count, room):
        """The program that attends to so many hypotheses of so many ids."""

        def attend(source, ids):
            ids = keras.ops.reshape(ids, (-1, count, room))
            attention = attend_to_outputs(self._model, source, ids)
            return {} if attention is None else {"attention": attention}

        key = "attend", room, count
        if key not in self._programs:
            # What else it computes is left out of a graph, and compiled away.
            is_compiled = keras.backend.backend() == "jax"
            self._programs[key] = self._program(attend, is_compiled)
        return self._programs[key]

    def _program(self, function, is_compiled):
        seeds = getattr(self._search, "seeds", None)
        state = [] if seeds is None else [seeds.state]
        variables = [*self._model.variables, *state]
        return make_program(function, variables, state, is_compiled)


def count_cores() -> int:
    """The cores that this process may use, or all where the system does not say."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _longest(ids: np.ndarray) -> int:
    """How many ids the longest of some outputs has."""
    return int((ids != PAD).sum(axis=1).max())


def _end_at_once(found: Hypotheses, end: int) -> Hypotheses:
    """An empty output: an end with a score of 0."""
    ids = np.full_like(found.ids, PAD)
    ids[0, 0] = end
    scores = np.full_like(found.scores, -np.inf)
    scores[0] = 0.0
    lengths = np.zeros_like(found.lengths)
    lengths[0] = 1
    return Hypotheses(ids, lengths, scores, found.attention)
