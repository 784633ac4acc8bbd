"""Translations by the model itself, on whichever backend Keras runs."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

from keras_attention.decoding import Hypotheses, Search
from keras_attention.special_ids import PAD, UNKNOWN, SpecialIds
from keras_attention.translation.buckets import Buckets
from keras_attention.translation.list_tokenizer import as_lists
from keras_attention.translation.results import Hypothesis, Score
from keras_attention.translation.sources import TextSource, VectorSource, pad_rows
from keras_attention.translation.unknown import replace_unknown

REFERENCE_LENGTH = 256  # tokens at least, where a model has no limit


class KerasEngine:
    """An `Engine` that calls the search on arrays, between tokenizers in Python.

    Args:
        model: a `Seq2Seq`, `LanguageModel` or `Ensemble`.
        source_tokenizer: of the texts; `None` for a model that reads vectors.
        target_tokenizer: of the translations.
        search: how they are found. Compiled, as always on JAX, it has a program for
            each shape of a batch, and batches are padded to a few.
        source_limit: the most source tokens, the end included.
        batch_size: the most rows of a batch.
        replaces_unknown: whether the source word that was attended to stands for an
            unknown one.

    Attributes:
        source: what it reads.
        cuts_batches: as of an `Engine`.
    """

    cuts_batches = False

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
        self._buckets = None
        # What is not compiled is compiled again by JAX at each call.
        if search.jit_compile or keras.backend.backend() == "jax":
            config = {**search.get_config(), "jit_compile": True}
            search = type(search).from_config(config)
            self._buckets = Buckets(search, batch_size, source_limit)
        self._search = search
        self._search_at_once = search.with_options(max_length=1)

    def translate(self, sources: Sequence[Any]) -> list[tuple[str, bool]]:
        """The best translation of each, and whether it is complete."""
        found = self.hypotheses(sources)
        return [(best.text, best.is_complete) for best, *_ in found]

    def hypotheses(self, sources: Sequence[Any]) -> list[list[Hypothesis]]:
        """The translations that were found of each, best first."""
        rows = self._rows(sources)
        is_nothing = [self._is_nothing(row) for row in rows]
        results: list[Any] = [None] * len(rows)
        for search, wanted in ((self._search, False), (self._search_at_once, True)):
            places = [i for i, nothing in enumerate(is_nothing) if nothing == wanted]
            if not places:
                continue
            own = [rows[place] for place in places]
            found = self._find(search, own)
            if wanted:
                found = _end_at_once(found, self._end)
            parts = self._parts([sources[place] for place in places])
            for number, place in enumerate(places):
                results[place] = self._read(found, number, own[number], parts[number])
        return results

    def scores(self, sources: Sequence[Any], references: Sequence[str]) -> list[Score]:
        """How probable a reference of each is."""
        written = TextSource(self._writes, self._target_limit).rows(references)
        labels = pad_rows(written)
        found = self._model.log_probabilities(self._batch(self._rows(sources)), labels)
        found = keras.ops.convert_to_numpy(found)
        tokens = self._writes.tokens(written)
        return [
            Score(float(row.sum()), own, row[: len(own)])
            for row, own in zip(found, tokens, strict=True)
        ]

    def shapes(
        self, rows: Iterable[int] | None, lengths: Iterable[int] | None
    ) -> list[tuple[int, int]]:
        """Numbers of rows and lengths that are compiled each by itself."""
        return self._buckets.shapes(rows, lengths) if self._buckets else []

    def warm_up(self, rows: int, length: int) -> None:
        """Compile one of these shapes."""
        self._find(self._search, self._rows([self.source.of_length(0, length)] * rows))

    def _rows(self, sources):
        """Ids of texts, or vectors, no more than are read."""
        if self._reads is None:
            return [source[: self.source.limit] for source in sources]
        return self.source.rows(sources)

    def _is_nothing(self, row):
        return len(row) < (1 if self._reads is None else 2)

    def _batch(self, rows, width=1):
        """What the model encodes."""
        if self._reads is None:
            source, mask = self.source.batch(rows)
            missing = max(0, width - source.shape[1])
            return {
                "source": np.pad(source, [(0, 0), (0, missing), (0, 0)]),
                "source_mask": np.pad(mask, [(0, 0), (0, missing)]),
            }
        ids = pad_rows(rows)
        return np.pad(ids, [(0, 0), (0, max(0, width - ids.shape[1]))])

    def _find(self, search, rows):
        """What a search finds of some rows, in batches of few shapes."""
        if self._buckets is None:
            return search(self._model, self._batch(rows))
        found, order = [], []
        for chosen, (count, width), _ in self._buckets.batches([*map(len, rows)]):
            own = [rows[row] for row in chosen]
            # What fills a batch takes as long as what is in it.
            batch = self._batch([*own, *[own[0]] * (count - len(own))], width)
            found.append(_first_rows(search(self._model, batch), len(own)))
            order += chosen
        return _in_order(_joined(found), order)

    def _parts(self, sources):
        """What each source token stands for in the text."""
        if not self._replaces_unknown:
            return [None] * len(sources)
        if self._reads is None:
            raise ValueError(
                "`replace_unknown` needs a model with attention that reads texts"
            )
        return self._reads.split(sources)

    def _read(self, found, row, source, parts):
        """The hypotheses of a row, without empty places, one at least."""
        count = max(1, int((found.scores[row] > -np.inf).sum()))
        source_tokens = [] if self._reads is None else self._reads.tokens([source])[0]
        lengths = found.lengths[row, :count]
        ids = [
            found.ids[row, rank, :size].tolist() for rank, size in enumerate(lengths)
        ]
        texts, tokens = self._writes.detokenize(ids), self._writes.tokens(ids)
        hypotheses = []
        for rank, (written, text) in enumerate(zip(ids, texts, strict=True)):
            attention = None
            if found.attention is not None:
                attention = found.attention[row, rank, : len(written), : len(source)]
            if parts is not None:
                if attention is None:
                    raise ValueError(
                        "`replace_unknown` needs a model with attention that reads "
                        "texts"
                    )
                unknown = getattr(self._writes, "unknown_id", UNKNOWN)
                text = replace_unknown(text, written, attention, parts, unknown)
            hypotheses.append(
                Hypothesis(
                    text,
                    float(found.scores[row, rank]),
                    source_tokens,
                    tokens[rank],
                    attention,
                    self._end in written[-1:],
                )
            )
        return hypotheses


def _end_at_once(found: Hypotheses, end: int) -> Hypotheses:
    """An empty translation of each row: an end with a score of 0."""
    ids = np.full_like(found.ids, PAD)
    ids[:, 0, 0] = end
    scores = np.full_like(found.scores, -np.inf)
    scores[:, 0] = 0.0
    lengths = np.zeros_like(found.lengths)
    lengths[:, 0] = 1
    return Hypotheses(ids, lengths, scores, found.attention)


def _first_rows(found: Hypotheses, count: int) -> Hypotheses:
    return Hypotheses(*(None if part is None else part[:count] for part in found))


def _in_order(found: Hypotheses, order: list[int]) -> Hypotheses:
    """Rows that came in another order, in their own."""
    places = np.argsort(order)
    return Hypotheses(*(None if part is None else part[places] for part in found))


def _joined(found: list[Hypotheses]) -> Hypotheses:
    """Several batches as one; sources may be of other lengths in each."""
    widest = max(
        (one.attention.shape[-1] for one in found if one.attention is not None),
        default=0,
    )
    padded = [
        one
        if one.attention is None
        else one._replace(
            attention=np.pad(
                one.attention,
                [(0, 0)] * 3 + [(0, widest - one.attention.shape[-1])],
            )
        )
        for one in found
    ]
    return Hypotheses(
        *(
            None if parts[0] is None else np.concatenate(parts)
            for parts in zip(*padded, strict=True)
        )
    )
