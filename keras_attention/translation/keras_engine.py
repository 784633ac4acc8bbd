"""Translations by the model itself, on whichever backend Keras runs."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_attention.decoding import Hypotheses, Search
from keras_attention.special_ids import UNKNOWN, SpecialIds
from keras_attention.translation.alignments import Alignment, find_words
from keras_attention.translation.batch_search import BatchSearch, count_cores
from keras_attention.translation.given import Given
from keras_attention.translation.glossary import Forms
from keras_attention.translation.list_tokenizer import as_lists
from keras_attention.translation.results import Hypothesis, Score
from keras_attention.translation.short_list import ShortList
from keras_attention.translation.sources import TextSource, VectorSource, pad_rows
from keras_attention.translation.unknown import replace_unknown
from keras_attention.translation.word_bounds import find_forms, read_words

REFERENCE_LENGTH = 256  # tokens at least, where a model has no limit


class KerasEngine:
    """An `Engine` of programs from arrays to arrays, between tokenizers in Python.

    Args:
        model: a `Seq2Seq`, `LanguageModel` or `Ensemble`.
        source_tokenizer: of the texts; `None` for a model that reads vectors.
        target_tokenizer: of the translations.
        search: how they are found; see `BatchSearch`.
        source_limit: the most source tokens, the end included.
        batch_size: the most rows of a batch.
        replaces_unknown: whether the source word that was attended to stands for an
            unknown one.
        short_list: of the ids that a source may ask for, if there is one.

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
        short_list: ShortList | None = None,
    ) -> None:
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
        size = model.target_embedding.vocabulary_size
        self._search = BatchSearch(
            model,
            self.source,
            search,
            batch_size,
            source_limit,
            short_list,
            functools.cache(lambda: read_words(self._writes, size)),
        )

    @property
    def cuts_batches(self) -> bool:
        """As of an `Engine`."""
        return self._search.is_compiled

    def is_compiled(self) -> bool:
        """Whether XLA compiles the search, which is tried where it is not known."""
        if not self._search.is_settled:
            self.translate(self.source.examples()[:1])
        return self._search.is_compiled

    def translate(self, sources: Sequence[Any]) -> list[tuple[str, bool]]:
        """The best translation of each, and whether it is complete."""
        rows = self.source.rows(sources)
        found = self._search.find(rows)
        ids = [one.ids[0, : one.lengths[0]].tolist() for one in found]
        texts = self._writes.detokenize(ids)
        if self._replaces_unknown:
            best = [one._replace(ids=one.ids[:1]) for one in found]
            best = self._search.attend(rows, best)
            attention = [_attention(one, 0) for one in best]
            parts = self._parts(sources)
            texts = [*map(self._replace, texts, ids, attention, parts)]
        return [
            (text, self._end in written[-1:])
            for text, written in zip(texts, ids, strict=True)
        ]

    def hypotheses(
        self,
        sources: Sequence[Any],
        terms: Sequence[Sequence[Forms]] | None = None,
        prefixes: Sequence[str] | None = None,
        *,
        with_attention: bool = True,
    ) -> list[list[Hypothesis]]:
        """The translations that were found of each, best first; as of an `Engine`."""
        rows, parts = self.source.rows(sources), self._parts(sources)
        found = self._search.find(rows, self._given(len(rows), terms, prefixes))
        if with_attention or self._replaces_unknown:
            found = self._search.attend(rows, found)
        return [*map(self._read, found, rows, parts)]

    def scores(self, sources: Sequence[Any], references: Sequence[str]) -> list[Score]:
        """How probable a reference of each is."""
        written = TextSource(self._writes, self._target_limit).rows(references)
        source = self.source.arrays(self.source.rows(sources))
        found = self._search.score(source, pad_rows(written)).astype("float32")
        tokens = self._writes.tokens(written)
        return [
            Score(float(row.sum()), own, row[: len(own)])
            for row, own in zip(found, tokens, strict=True)
        ]

    def alignments(
        self, sources: Sequence[Any], references: Sequence[str]
    ) -> list[Alignment]:
        """What each part of a reference of each attends to."""
        if self._reads is None:
            raise ValueError("`align` needs a model that reads texts, not vectors.")
        read = self.source.rows(sources)
        written = TextSource(self._writes, self._target_limit).rows(references)
        found = self._search.attend_to(self.source.arrays(read), pad_rows(written))
        if found is None:
            raise ValueError("`align` needs a model with attention.")
        return [
            Alignment(
                self._reads.tokens([source])[0][:-1],
                self._writes.tokens([target])[0][:-1],
                find_words(_as_text(text), parts[: len(source) - 1]),
                find_words(_as_text(reference), own[: len(target) - 1]),
                attention[: len(target) - 1, : len(source) - 1],
            )
            for text, reference, source, target, parts, own, attention in zip(
                sources,
                references,
                read,
                written,
                self._reads.split(sources),
                self._writes.split(references),
                found,
                strict=True,
            )
        ]

    def shapes(
        self, rows: Iterable[int] | None, lengths: Iterable[int] | None
    ) -> list[tuple[int, int]]:
        """Numbers of rows and lengths that are compiled each by itself."""
        return self._search.shapes(rows, lengths)

    def warm_up(self, rows: int, length: int) -> None:
        """Compile one of these shapes."""
        one = self.source.of_length(self._search.below(length), length)
        # Fewer would be cut into smaller batches.
        count = rows * count_cores() if rows > 1 else 1
        self._search.find(self.source.rows([one] * count))

    def _given(self, count, terms, prefixes):
        """What is asked of each output, as ids; `None` for nothing."""
        if terms is None and prefixes is None:
            return None
        phrases, begun = [()] * count, [()] * count
        if terms is not None:
            phrases = [self._phrases(own) for own in terms]
        if prefixes is not None:
            begun = self._writes.tokenize([*prefixes])
        return [*map(Given, phrases, begun)]

    def _phrases(self, terms):
        """The ids of terms, without the forms that they have none for."""
        unknown = getattr(self._writes, "unknown_id", UNKNOWN)
        phrases = [find_forms(self._writes, forms, unknown) for forms in terms]
        return [forms for forms in phrases if forms]

    def _parts(self, sources):
        """What each source token stands for in the text."""
        if not self._replaces_unknown:
            return [None] * len(sources)
        if self._reads is None:
            raise _no_attention()
        return self._reads.split(sources)

    def _replace(self, text, ids, attention, parts):
        if attention is None:
            raise _no_attention()
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
            attention = _attention(found, rank)
            if parts is not None:
                text = self._replace(text, written, attention, parts)
            hypotheses.append(
                Hypothesis(
                    text,
                    float(found.scores[rank]),
                    source_tokens,
                    tokens[rank],
                    None if attention is None else attention[:, : len(source)],
                    self._end in written[-1:],
                )
            )
        return hypotheses


def _as_text(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def _attention(found: Hypotheses, rank: int) -> Any:
    """What the ids of a hypothesis attended to."""
    if found.attention is None:
        return None
    return found.attention[rank, : found.lengths[rank]]


def _no_attention() -> ValueError:
    return ValueError("`replace_unknown` needs a model with attention that reads texts")
