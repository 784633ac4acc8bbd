"""Translations by the model itself, on whichever backend Keras runs."""

import os
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np

from keras_attention.decoding import Hypotheses, Search
from keras_attention.special_ids import PAD, UNKNOWN, SpecialIds
from keras_attention.translation.buckets import Buckets
from keras_attention.translation.list_tokenizer import as_lists
from keras_attention.translation.programs import make_program, not_compiled_errors
from keras_attention.translation.results import Hypothesis, Score
from keras_attention.translation.sources import TextSource, VectorSource, pad_rows
from keras_attention.translation.unknown import replace_unknown

REFERENCE_LENGTH = 256  # tokens at least, where a model has no limit


class KerasEngine:
    """An `Engine` of programs from arrays to arrays, between tokenizers in Python.

    Args:
        model: a `Seq2Seq`, `LanguageModel` or `Ensemble`.
        source_tokenizer: of the texts; `None` for a model that reads vectors.
        target_tokenizer: of the translations.
        search: how they are found. Compiled, as always on JAX, it has a program for
            each shape of a batch, and batches are padded to a few. One that leaves it
            open is compiled where that is possible, which the first translation finds
            out.
        source_limit: the most source tokens, the end included.
        batch_size: the most rows of a batch.
        replaces_unknown: whether the source word that was attended to stands for an
            unknown one.

    Attributes:
        source: what it reads.
    """

    def __init__(
        self,
        model: Any,
        source_tokenizer: Any,
        target_tokenizer: Any,
        search: Search,
        source_limit: int,
        batch_size: int,
        replaces_unknown: bool,
    ) -> None:
        self._model = model
        self._reads = None if source_tokenizer is None else as_lists(source_tokenizer)
        self._writes = as_lists(target_tokenizer)
        self._end = SpecialIds.of(model).end
        self._replaces_unknown = replaces_unknown
        self.source: Any = (
            VectorSource(model.source_dim, source_limit)
            if self._reads is None
            else TextSource(self._reads, source_limit)
        )
        self._target_limit = model.target_embedding.max_length or max(
            REFERENCE_LENGTH, source_limit, search.max_length
        )
        self._search = search
        self._buckets = None
        # What is not compiled is compiled again by JAX at each call.
        if search.compiles_batches or keras.backend.backend() == "jax":
            self._buckets = Buckets(search, batch_size, source_limit)
        self._is_settled = search.jit_compile is not None or not self._buckets
        self._programs: dict[Any, Any] = {}

    @property
    def cuts_batches(self) -> bool:
        """As of an `Engine`."""
        return self._buckets is not None

    def is_compiled(self) -> bool:
        """Whether XLA compiles the search, when that is known."""
        if not self._is_settled:
            self.translate(self.source.examples()[:1])
        return self.cuts_batches

    def translate(self, sources: Sequence[Any]) -> list[tuple[str, bool]]:
        """The best translation of each, and whether it is complete."""
        rows = self._rows(sources)
        found = self._find(rows, with_attention=self._replaces_unknown)
        ids = [one.ids[0, : one.lengths[0]].tolist() for one in found]
        texts = self._writes.detokenize(ids)
        if self._replaces_unknown:
            parts = self._parts(sources)
            texts = [
                self._replace(text, written, _attention(one, 0, written, row), part)
                for text, written, one, row, part in zip(
                    texts, ids, found, rows, parts, strict=True
                )
            ]
        return [
            (text, self._end in written[-1:])
            for text, written in zip(texts, ids, strict=True)
        ]

    def hypotheses(self, sources: Sequence[Any]) -> list[list[Hypothesis]]:
        """The translations that were found of each, best first."""
        rows, parts = self._rows(sources), self._parts(sources)
        found = self._find(rows, with_attention=True)
        return [*map(self._read, found, rows, parts)]

    def scores(self, sources: Sequence[Any], references: Sequence[str]) -> list[Score]:
        """How probable a reference of each is."""
        written = TextSource(self._writes, self._target_limit).rows(references)
        if "score" not in self._programs:
            self._programs["score"] = self._program(
                self._model.log_probabilities, is_compiled=False
            )
        source = self._batch(self._rows(sources))
        found = self._programs["score"](source, pad_rows(written))
        tokens = self._writes.tokens(written)
        return [
            Score(float(row.sum()), own, row[: len(own)])
            for row, own in zip(found.astype("float32"), tokens, strict=True)
        ]

    def shapes(
        self, rows: Iterable[int] | None, lengths: Iterable[int] | None
    ) -> list[tuple[int, int]]:
        """Numbers of rows and lengths that are compiled each by itself."""
        return self._buckets.shapes(rows, lengths) if self._buckets else []

    def warm_up(self, rows: int, length: int) -> None:
        """Compile one of these shapes."""
        shorter = self._buckets.below(length) if self._buckets else 0
        one = self.source.of_length(shorter, length)
        self._find(self._rows([one] * rows), with_attention=False)

    def _rows(self, sources):
        """Ids of texts, or vectors, no more than are read."""
        if self._reads is None:
            return [source[: self.source.limit] for source in sources]
        return self.source.rows(sources)

    def _is_nothing(self, row):
        return len(row) < (1 if self._reads is None else 2)

    def _batch(self, rows, count=0, width=1):
        """What the model encodes: so many rows at least, and of this length."""
        if self._reads is None:
            source, mask = self.source.batch(rows)
            sizes = zip((count, width), mask.shape, strict=True)
            missing = [(0, max(0, least - size)) for least, size in sizes]
            return {
                "source": np.pad(source, [*missing, (0, 0)]),
                "source_mask": np.pad(mask, missing),
            }
        return pad_rows(rows, count, width)

    def _program(self, function, is_compiled):
        seeds = getattr(self._search, "seeds", None)
        state = [] if seeds is None else [seeds.state]
        variables = [*self._model.variables, *state]
        return make_program(function, variables, state, is_compiled)

    def _find(self, rows, with_attention):
        """What the search finds of each row, which the first time may not compile."""
        try:
            found = self._find_in_rooms(rows, with_attention)
        except not_compiled_errors() as error:
            if self._is_settled:
                raise
            self._buckets = None
            self._programs.clear()
            found = self._find_in_rooms(rows, with_attention)
            warnings.warn(
                "The search runs several times slower than it might, since XLA does "
                "not compile all of this model; with `jit_compile=False` of the search "
                f"it is not tried. XLA says: {error}",
                stacklevel=2,
            )
        self._is_settled = True
        return [
            _end_at_once(one, self._end) if self._is_nothing(row) else one
            for one, row in zip(found, rows, strict=True)
        ]

    def _find_in_rooms(self, rows, with_attention):
        """What is found of each row, with little room first where that is compiled."""
        found: list[Any] = [None] * len(rows)
        waiting, least = [*range(len(rows))], 0
        while waiting:
            batches = [
                ([waiting[place] for place in chosen], shape, max(room, least))
                for chosen, shape, room in self._cut([len(rows[i]) for i in waiting])
            ]
            waiting, least = [], self._search.max_length
            searched = self._search_batches(rows, batches, with_attention)
            for (chosen, _, _), (parts, is_done) in zip(batches, searched, strict=True):
                for place, row in enumerate(chosen):
                    own = {name: part[place] for name, part in parts.items()}
                    found[row] = Hypotheses(**{"attention": None, **own})
                    if not is_done[place]:
                        waiting.append(row)
        return found

    def _cut(self, lengths):
        """Batches of sources of these lengths; as of `Buckets`."""
        if self._buckets is not None:
            return self._buckets.batches(lengths)
        shape = len(lengths), max(lengths)
        return [(range(len(lengths)), shape, self._search.max_length)]

    def _search_batches(self, rows, batches, with_attention):
        """What is found of batches, side by side, and which rows had enough room."""
        programs = {
            room: self._search_program(room, with_attention) for *_, room in batches
        }

        def search(batch):
            chosen, shape, room = batch
            own = [rows[row] for row in chosen]
            # Rows of nothing, and those that fill a batch, end at once.
            limits = np.ones(shape[0], "int32")
            limits[: len(own)] = [
                1 if self._is_nothing(row) else self._search.max_length for row in own
            ]
            return programs[room](self._batch(own, *shape), limits)

        if len(batches) == 1 or self._search.is_random:
            return [*map(search, batches)]
        with ThreadPoolExecutor(min(len(batches), _count_cores())) as threads:
            return [*threads.map(search, batches)]

    def _search_program(self, room, with_attention):
        if (room, with_attention) not in self._programs:
            is_compiled = self._buckets is not None

            def search(source, limits):
                search = self._search.with_options(max_length=limits)
                if is_compiled:
                    found, is_done = search.search_in_room(
                        self._model, source, room, with_attention
                    )
                else:
                    found = search.search(self._model, source)
                    is_done = keras.ops.ones_like(limits, dtype="bool")
                if not with_attention:
                    found = found._replace(attention=None)
                parts = found._asdict().items()
                return {name: part for name, part in parts if part is not None}, is_done

            self._programs[room, with_attention] = self._program(search, is_compiled)
        return self._programs[room, with_attention]

    def _parts(self, sources):
        """What each source token stands for in the text."""
        if not self._replaces_unknown:
            return [None] * len(sources)
        if self._reads is None:
            raise ValueError(
                "`replace_unknown` needs a model with attention that reads texts"
            )
        return self._reads.split(sources)

    def _replace(self, text, ids, attention, parts):
        if attention is None:
            raise ValueError(
                "`replace_unknown` needs a model with attention that reads texts"
            )
        unknown = getattr(self._writes, "unknown_id", UNKNOWN)
        return replace_unknown(text, ids, attention, parts, unknown)

    def _read(self, found, source, parts):
        """The hypotheses of a row, without empty places, one at least."""
        count = max(1, int((found.scores > -np.inf).sum()))
        source_tokens = [] if self._reads is None else self._reads.tokens([source])[0]
        lengths = found.lengths[:count]
        ids = [found.ids[rank, :size].tolist() for rank, size in enumerate(lengths)]
        texts, tokens = self._writes.detokenize(ids), self._writes.tokens(ids)
        hypotheses = []
        for rank, (written, text) in enumerate(zip(ids, texts, strict=True)):
            attention = _attention(found, rank, written, source)
            if parts is not None:
                text = self._replace(text, written, attention, parts)
            hypotheses.append(
                Hypothesis(
                    text,
                    float(found.scores[rank]),
                    source_tokens,
                    tokens[rank],
                    attention,
                    self._end in written[-1:],
                )
            )
        return hypotheses


def _count_cores() -> int:
    """Of this process, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _attention(found: Hypotheses, rank: int, written: list[int], source: Any) -> Any:
    """What the ids of a hypothesis attended to."""
    if found.attention is None:
        return None
    return found.attention[rank, : len(written), : len(source)]


def _end_at_once(found: Hypotheses, end: int) -> Hypotheses:
    """An empty translation: an end with a score of 0."""
    ids = np.full_like(found.ids, PAD)
    ids[0, 0] = end
    scores = np.full_like(found.scores, -np.inf)
    scores[0] = 0.0
    lengths = np.zeros_like(found.lengths)
    lengths[0] = 1
    return Hypotheses(ids, lengths, scores, found.attention)
