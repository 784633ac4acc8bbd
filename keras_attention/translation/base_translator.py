"""What every `Translator` does with texts, whatever finds the translations."""

import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
from keras_attention.translation.confidence import (
    Calibration,
    Confidence,
    calibration_error,
    find_probabilities,
    fit_temperature,
    make_confidence,
    right_words,
    temper,
)
from keras_attention.translation.glossary import Forms, Glossary
from keras_attention.translation.language_tags import find_tags
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
        prefixes: Sequence[str] | None = None,
        *,
        with_attention: bool = True,
    ) -> list[list[Hypothesis]]:
        """The translations that were found of each, best first.

        They hold terms, and begin with prefixes, if there are any.
        """

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
    confidence_temperature: float = 1.0
    """By which `confidence` divides log-odds; `calibrate` learns it."""
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

    @property
    def languages(self) -> list[str]:
        """Those that a model of several translates into; see `to`."""
        return [*find_tags(self.source_tokenizer)]

    def to(self, language: str) -> "BaseTranslator":
        """A translator into one language of a model of several, which it shares.

        Such a model reads a tag before each text, which says what to write (Johnson et
        al. 2017): `"<2fr> A text."`, or with models of Marian, `">>fra<< A text."`.
        This translator leaves the tags to the texts, what it returns puts them there,
        and leaves them out of tokens, words and attention. What `export` writes reads
        texts with their tags.

        Args:
            language: one of `languages`.

        Raises:
            ValueError: for another one.
        """
        from keras_attention.translation.directions import Direction

        return Direction(self, language)

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
        prefixes: Sequence[str] | None = None,
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
            prefixes: whole words that the translation of each text begins with, such as
                a translator has written already; an empty string for none.

        Raises:
            ValueError: for terms without a beam search, or by CTranslate2.
        """
        if isinstance(terms, Glossary):
            found = [terms.find(_as_string(text)) for text in texts]
            terms = [[*dict.fromkeys(own.values())] for own in found]
        if prefixes is not None:
            check_strings("prefixes", prefixes)
        given = {"terms": terms, "prefixes": prefixes}
        columns = {name: one for name, one in given.items() if one is not None}

        def find(batch, *own):
            named = dict(zip(columns, own, strict=True))
            return self.engine.hypotheses(batch, with_attention=with_attention, **named)

        return self._in_batches(find, texts, columns=columns)

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
        min_confidence: float | None = None,
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
            min_confidence: of a translation, from 0 to 1; a sentence whose translation
                has less stays as it is. See `confidence`.
            counts: what is added up on the way: `sentences`, how many of them were
                translated `in_parts`, and of how many the translation was `unsure`;
                `terms`, and how many of them are `missing_terms`.

        Raises:
            ValueError: for an unknown format, and a document that is not of it.
            ImportError: without the extra `documents`.
        """
        from keras_attention.translation.document_translation import (
            Settings,
            translate_document,
        )

        counts = Counter() if counts is None else counts
        settings = Settings(language, mask, terms, min_confidence)
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

    def confidence(
        self, texts: Sequence[str | bytes], translations: Sequence[str]
    ) -> list[Confidence]:
        """How sure the model is of translations, in shares of their words.

        Of each word how probably a human translator would have written it, and of a
        translation the share of such words that is to be expected. `calibrate` makes
        both come true on texts like those that it was given.

        Args:
            texts: that were translated.
            translations: of each, as this translator found them.
        """
        found = find_probabilities(self, texts, translations)
        confidences = (
            make_confidence(one, temper(own, self.confidence_temperature))
            for one, own in zip(translations, found, strict=True)
        )
        return [
            # Of a blank text nothing is to be translated.
            one if one.words or _has_content(text) else one._replace(share=1.0)
            for text, one in zip(texts, confidences, strict=True)
        ]

    def calibrate(
        self, sources: Sequence[str], references: Sequence[str]
    ) -> Calibration:
        """Learn from held-out text how sure to be; see `confidence`.

        What is learned is one number, `confidence_temperature`, which is saved and
        exported to CTranslate2 with the model.

        Args:
            sources: texts that the model was not trained on; some hundreds are enough.
            references: a translation of each.
        """
        translations = self([*sources])
        probabilities = find_probabilities(self, sources, translations)
        pairs = zip(translations, references, strict=True)
        said = np.concatenate(probabilities)
        is_right = np.concatenate([right_words(*pair) for pair in pairs])
        if len(said):
            self.confidence_temperature = fit_temperature(said, is_right)
        calibrated = temper(said, self.confidence_temperature)
        return Calibration(
            self.confidence_temperature,
            len(said),
            calibration_error(said, is_right),
            calibration_error(calibrated, is_right),
        )

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

    def _in_batches(self, find, texts, *references, most=None, columns=None):
        check_process(self._process)
        most = self.batch_size if most is None else most
        source = self.source
        return map_texts(find, source, most, texts, *references, columns=columns)


def _has_content(text: Any) -> bool:
    return bool(text.strip()) if isinstance(text, str | bytes) else len(text) > 0


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
