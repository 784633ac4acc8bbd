"""What every `Translator` does with texts, whatever finds the translations."""

import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Protocol

import numpy as np

from keras_attention.argument_checks import check_number, check_positive
from keras_attention.translation.alignments import Alignment
from keras_attention.translation.batches import (
    batch_by_length,
    check_as_many,
    check_strings,
    map_batches,
    map_texts,
)
from keras_attention.translation.glossary import Forms, Glossary
from keras_attention.translation.results import Hypothesis, Score, rank

WINDOW = 4096  # sources that are translated at once


class Engine(Protocol):
    """What finds the translations of a batch of sources.

    Attributes:
        source: what it reads, a `TextSource` or a `VectorSource`.
        cuts_batches: whether `translate` takes any number of sources, and puts those of
            about equal length together itself.
    """

    source: Any

    @property
    def cuts_batches(self) -> bool:
        """As above."""

    def translate(self, sources: Sequence[Any]) -> list[tuple[str, bool]]:
        """The best translation of each, and whether it is complete."""

    def hypotheses(
        self,
        sources: Sequence[Any],
        terms: Sequence[Sequence[Forms]] | None = None,
        *,
        with_attention: bool = True,
    ) -> list[list[Hypothesis]]:
        """The translations that were found of each, best first, with terms in them."""

    def scores(self, sources: Sequence[Any], references: Sequence[str]) -> list[Score]:
        """How probable a reference of each is."""

    def alignments(
        self, sources: Sequence[Any], references: Sequence[str]
    ) -> list[Alignment]:
        """What each part of a reference of each attends to."""

    def shapes(
        self, rows: Iterable[int] | None, lengths: Iterable[int] | None
    ) -> list[tuple[int, int]]:
        """Numbers of rows and lengths that are compiled each by itself."""

    def warm_up(self, rows: int, length: int) -> None:
        """Compile one of these shapes."""


class BaseTranslator:
    """Calls on lists of texts, and on streams of them.

    A subclass has an `engine`, a `batch_size`, a `source_limit` and a `target_limit`.
    """

    batch_size: int
    source_tokenizer: Any
    target_tokenizer: Any

    def __init__(self) -> None:
        self._process = os.getpid()

    @property
    def source_limit(self) -> int:
        """The most source tokens that are read, the end included."""
        raise NotImplementedError

    @property
    def target_limit(self) -> int:
        """The most target tokens that a translation has, the end included."""
        raise NotImplementedError

    @property
    def engine(self) -> Engine:
        """What finds the translations."""
        raise NotImplementedError

    @property
    def source(self) -> Any:
        """What it reads: a `TextSource` or a `VectorSource`."""
        return self.engine.source

    def __call__(self, texts: Any) -> Any:
        """Translate a list of texts to a list, or one text to one."""
        if isinstance(texts, str) or getattr(texts, "ndim", 1) == 2:
            return self([texts])[0]
        engine = self.engine
        most = WINDOW if engine.cuts_batches else self.batch_size
        found = self._in_batches(engine.translate, texts, most=most)
        return [translation for translation, _ in found]

    def hypotheses(
        self,
        texts: Sequence[str | bytes],
        with_attention: bool = True,
        terms: Glossary | Sequence[Sequence[Forms]] | None = None,
    ) -> list[list[Hypothesis]]:
        """The translations that were found of each text, best first, one at least.

        Args:
            texts: to translate.
            with_attention: whether they have their attention, if the model has one;
                it takes one more pass of the model.
            terms: what translations have to hold, by constrained beams (Post and Vilar
                2018), which any model has: a `Glossary`, or for each text a list of
                terms, each in one form or more of which one is enough. A form that the
                tokenizer cannot write is left out; `Glossary.missing` says what a
                translation lacks.

        Raises:
            ValueError: for terms without a beam search, or by CTranslate2.
        """
        find = partial(self.engine.hypotheses, with_attention=with_attention)
        if terms is None:
            return self._in_batches(find, texts)
        if isinstance(terms, Glossary):
            found = [terms.find(_as_string(text)) for text in texts]
            terms = [[*dict.fromkeys(own.values())] for own in found]
        return self._in_batches(find, texts, columns=[terms])

    def stream(
        self,
        texts: Iterable[str | bytes],
        batch_tokens: int = 4096,
        window: int = 4096,
        counts: Counter[str] | None = None,
    ) -> Iterator[str]:
        """Translate any number of texts, lazily and in constant memory.

        Args:
            texts: any iterable, such as the lines of a file.
            batch_tokens: rows times source tokens that are translated at once, where
                each row counts 16 or more; a row at least.
            window: number of texts that are read ahead and sorted by length.
            counts: what is added up on the way: the `texts`, and how many of them are
                `cut_texts`, longer than `source_limit`, and how many translations are
                `cut_translations`, which the search's `max_length` ended.

        Yields:
            The translation of each text, in their order.

        Raises:
            ValueError: for one string in place of many, and, when it is reached, for
                something that is not a string.
        """
        check_process(self._process)
        check_positive(batch_tokens=batch_tokens, window=window)
        if isinstance(texts, str | bytes):
            raise ValueError(
                f"`texts` must be an iterable of strings. Received: texts={texts!r}"
            )
        counts = Counter() if counts is None else counts
        return self._stream(iter(texts), batch_tokens, window, counts)

    def document(
        self,
        text: str,
        format: str = "text",
        *,
        language: str = "en",
        mask: str | None = None,
        terms: Glossary | None = None,
        counts: Counter[str] | None = None,
    ) -> str:
        """Translate a document, which keeps its form.

        Only text is translated, sentence by sentence; markup, code, times, keys and
        blanks stay. Markup inside of a sentence goes with the words that it stood
        at, by attention. Placeholders of programs, such as `{name}` and `%s`, addresses
        and code come through: where no hypothesis has them all, what stands between
        them is translated by itself. A sentence that is longer than the model reads or
        writes is cut at clauses.

        Args:
            text: the document.
            format: `"text"`, `"markdown"`, `"html"`, `"srt"`, `"vtt"`, `"po"` and
                `"xliff"` (what has no translation yet, which is marked as to be
                reviewed), `"json"` or `"properties"`.
            language: of the text, by whose rules sentences end.
            mask: what the model reads in place of a placeholder, address or code, such
                as `"<x{}>"` for user symbols `<x0>`, `<x1>` ... that it was trained
                with; when left out, it reads them as they are.
            terms: what translations have to hold, as of `hypotheses`.
            counts: what is added up on the way: `sentences`, and how many of them were
                translated `in_parts`; `terms`, and how many of them are
                `missing_terms`.

        Raises:
            ValueError: for an unknown format, and a document that is not of it.
            ImportError: without the extra `documents`.
        """
        from keras_attention.translation.document_translation import (
            Settings,
            translate_document,
        )

        counts = Counter() if counts is None else counts
        settings = Settings(language, mask, terms)
        return translate_document(self, text, format, settings, counts)

    def _stream(self, texts, batch_tokens, window, counts):
        while ahead := list(islice(texts, window)):
            engine = self.engine
            engine.source.check("texts", ahead)
            lengths = engine.source.lengths(ahead)
            read = np.minimum(lengths, self.source_limit)
            parts = batch_by_length(read, window, batch_tokens)
            found = map_batches(engine.translate, parts, ahead)
            counts["texts"] += len(ahead)
            counts["cut_texts"] += int((lengths > read).sum())
            counts["cut_translations"] += sum(not whole for _, whole in found)
            yield from (translation for translation, _ in found)

    def score(self, texts: Sequence[str], references: Sequence[str]) -> list[Score]:
        """How probable given translations are.

        Args:
            texts: to translate.
            references: a translation of each. What is longer than the model's limit is
                cut; if it has none, what is longer than 256 tokens, `max_source_length`
                and the search's `max_length`.
        """
        return self._in_batches(self.engine.scores, texts, references)

    def align(self, texts: Sequence[str], references: Sequence[str]) -> list[Alignment]:
        """Which words of given translations belong to which of their sources.

        By what the model attends to while it writes them. What is longer than the
        limits of `score` is cut.

        Args:
            texts: that were translated.
            references: a translation of each.

        Raises:
            ValueError: for a model without attention, or one that reads vectors; and
                by CTranslate2, which does not attend to what is given.
        """
        return self._in_batches(self.engine.alignments, texts, references)

    def rerank(
        self,
        texts: Sequence[str],
        candidates: Sequence[Sequence[str]],
        length_penalty: float = 1.0,
    ) -> list[list[str]]:
        """Put translations of each text in the order of this model's scores.

        Args:
            texts: what was translated.
            candidates: some translations of each, such as those that another model
                found.
            length_penalty: log-probabilities are divided by the number of tokens to
                this power; 0 favours what is short.

        Raises:
            ValueError: unless there is a list of strings for each text.
        """
        check_strings("texts", texts)
        check_as_many("candidates", candidates, texts)
        for some in candidates:
            check_strings("candidates", some)
        check_number(0, math.inf, length_penalty=length_penalty)
        pairs = zip(texts, candidates, strict=True)
        repeated = [text for text, some in pairs for _ in some]
        scores = self.score(repeated, [one for some in candidates for one in some])
        return rank(candidates, scores, length_penalty)

    def _in_batches(self, find, texts, *references, most=None, columns=()):
        check_process(self._process)
        most = self.batch_size if most is None else most
        source = self.source
        return map_texts(find, source, most, texts, *references, columns=columns)


def _as_string(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def check_process(process: int) -> None:
    """Raise in a fork: of TensorFlow's threads it has none, and would wait for them."""
    if os.getpid() != process:
        raise RuntimeError(
            "A Translator must be used in the process that made it, not in a fork of "
            "it: load it in each worker (gunicorn without --preload), or start workers "
            'by multiprocessing.get_context("spawn"). '
            f"Received: made in process {process}, used in process {os.getpid()}"
        )
