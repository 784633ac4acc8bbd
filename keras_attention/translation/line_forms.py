"""What is written of a line that was translated."""

import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from keras_attention.translation.base_translator import BaseTranslator
from keras_attention.translation.confidence import Confidence
from keras_attention.translation.glossary import Glossary
from keras_attention.translation.results import Hypothesis

_ONE_LINE = str.maketrans("\r\n", "  ")
_ONE_FIELD = str.maketrans("\r\n\t", "   ")


class Wishes(NamedTuple):
    """What translations of lines have to be.

    Attributes:
        terms: what they have to hold, if anything. How many there were, and how many
            are `missing_terms`, is counted too.
        min_confidence: the least of a sure one, from 0 to 1, if asked for. How many are
            `unsure` is counted.
        withholds: whether an unsure one is left out, not marked.
        with_prefixes: whether a line has, after a tab, words that its translation
            begins with.
    """

    terms: Glossary | None = None
    min_confidence: float | None = None
    withholds: bool = False
    with_prefixes: bool = False


_NO_WISHES = Wishes()


class LineForm(ABC):
    """From lines to what is written of them.

    Args:
        wishes: what translations have to be.

    Attributes:
        with_attention: whether that needs attention.
    """

    with_attention = False

    def __init__(self, wishes: Wishes = _NO_WISHES) -> None:
        self.wishes = wishes

    @abstractmethod
    def lines(
        self, translator: BaseTranslator, sources: Sequence[bytes], counts: Counter[str]
    ) -> Iterator[str]:
        """What is to be written of some lines, a string for each line of the output.

        Args:
            translator: what translates.
            sources: the lines.
            counts: what is added up, as by `Translator.stream`.
        """


class _OfHypotheses(LineForm):
    """A form of the hypotheses of a line, the number of which is known."""

    def lines(
        self, translator: BaseTranslator, sources: Sequence[bytes], counts: Counter[str]
    ) -> Iterator[str]:
        """As of a `LineForm`."""
        terms, least, _, with_prefixes = self.wishes
        prefixes = None
        if with_prefixes:
            parts = [line.partition(b"\t") for line in sources]
            sources = [source for source, _, _ in parts]
            prefixes = [prefix.decode("utf-8", "replace") for *_, prefix in parts]
        begun = counts["texts"]
        counts["texts"] += len(sources)
        counts["cut_texts"] += count_cut(translator, sources)
        found = translator.hypotheses(sources, self.with_attention, terms, prefixes)
        confidences: Sequence[Confidence | None] = [None] * len(found)
        if least is not None:
            best = [ranked[0].text for ranked in found]
            confidences = translator.confidence(sources, best)
        for number, hypotheses in enumerate(found):
            source, confidence = sources[number], confidences[number]
            counts["cut_translations"] += not hypotheses[0].is_complete
            if terms is not None:
                text = source.decode("utf-8", "replace")
                terms.count(text, hypotheses[0].text, counts)
            if confidence is not None:
                counts["unsure"] += not self._is_sure(confidence)
            yield from self.of_line(begun + number, source, hypotheses, confidence)

    def _is_sure(self, confidence):
        return confidence is None or confidence.share >= self.wishes.min_confidence

    @abstractmethod
    def of_line(
        self,
        number: int,
        source: bytes,
        hypotheses: Sequence[Hypothesis],
        confidence: Confidence | None,
    ) -> Iterator[str]:
        """What is to be written of one line, whose number begins at 0.

        The confidence is that of the best hypothesis, if it was asked for.
        """


class Plain(_OfHypotheses):
    """The translation; an unsure one after its confidence, or nothing."""

    def lines(
        self, translator: BaseTranslator, sources: Sequence[bytes], counts: Counter[str]
    ) -> Iterator[str]:
        """As of a `LineForm`."""
        if self.wishes != _NO_WISHES:
            yield from super().lines(translator, sources, counts)
            return
        for line in translator.stream(sources, counts=counts):
            yield line.translate(_ONE_LINE)

    def of_line(
        self,
        number: int,
        source: bytes,
        hypotheses: Sequence[Hypothesis],
        confidence: Confidence | None,
    ) -> Iterator[str]:
        """As of every form."""
        text = hypotheses[0].text.translate(_ONE_LINE)
        if confidence is None or self._is_sure(confidence):
            yield text
        else:
            yield "" if self.wishes.withholds else f"[{confidence.share:.2f}] {text}"


class Aligned(_OfHypotheses):
    """`source tokens ||| target tokens ||| pairs` of the best translation."""

    with_attention = True

    def of_line(
        self,
        number: int,
        source: bytes,
        hypotheses: Sequence[Hypothesis],
        confidence: Confidence | None,
    ) -> Iterator[str]:
        """As of every form."""
        best = hypotheses[0]
        yield " ||| ".join(
            [
                visible(best.source_tokens[:-1]),
                visible(best.target_tokens[: best.size]),
                as_pharaoh(best.alignment()),
            ]
        )


class Ranked(_OfHypotheses):
    """`number ||| translation ||| score` of each, counted from 0, as Moses does."""

    def of_line(
        self,
        number: int,
        source: bytes,
        hypotheses: Sequence[Hypothesis],
        confidence: Confidence | None,
    ) -> Iterator[str]:
        """As of every form."""
        for one in hypotheses:
            yield f"{number} ||| {one.text.translate(_ONE_LINE)} ||| {one.score:.4f}"


class Columns(_OfHypotheses):
    """Line and rank, both from 1, score and translation, with tabs between them."""

    def of_line(
        self,
        number: int,
        source: bytes,
        hypotheses: Sequence[Hypothesis],
        confidence: Confidence | None,
    ) -> Iterator[str]:
        """As of every form."""
        for rank, one in enumerate(hypotheses, 1):
            text = one.text.translate(_ONE_FIELD)
            yield f"{number + 1}\t{rank}\t{one.score:.4f}\t{text}"


class JsonLines(_OfHypotheses):
    """An object with the source and its translations.

    Args:
        wishes: as of every form.
        with_attention: whether it says which tokens belong together.
    """

    def __init__(
        self, wishes: Wishes = _NO_WISHES, with_attention: bool = False
    ) -> None:
        super().__init__(wishes)
        self.with_attention = with_attention

    def of_line(
        self,
        number: int,
        source: bytes,
        hypotheses: Sequence[Hypothesis],
        confidence: Confidence | None,
    ) -> Iterator[str]:
        """As of every form."""
        text = source.decode("utf-8", "replace")
        document = {
            "line": number + 1,
            "source": text,
            "translations": [self._describe(text, one) for one in hypotheses],
        }
        if confidence is not None:
            words = [[word, round(share, 4)] for word, share in confidence.words]
            document |= {
                "confidence": round(confidence.share, 4),
                "is_sure": self._is_sure(confidence),
                "words": words,
            }
        yield json.dumps(document, ensure_ascii=False)

    def _describe(self, source: str, one: Hypothesis) -> dict[str, Any]:
        found = {
            "text": one.text,
            "score": round(one.score, 4),
            "is_complete": one.is_complete,
        }
        if self.wishes.terms is not None:
            found["missing_terms"] = self.wishes.terms.missing(source, one.text)
        if self.with_attention:
            found["source_tokens"] = one.source_tokens[:-1]
            found["target_tokens"] = one.target_tokens[: one.size]
            found["alignment"] = one.alignment()
        return found


def count_cut(translator: BaseTranslator, texts: Sequence[str | bytes]) -> int:
    """How many texts have more tokens than the model reads."""
    lengths = translator.source.lengths(texts)
    return int((lengths > translator.source_limit).sum())


def visible(tokens: Sequence[str]) -> str:
    """Tokens with blanks between them, and a sign in place of their own white space."""
    return " ".join(re.sub(r"\s", "\u2581", token) for token in tokens)


def as_pharaoh(pairs: Sequence[tuple[int, int]]) -> str:
    """Pairs of a source and a target position, in Pharaoh's format: `0-0 1-2`."""
    return " ".join(f"{source}-{target}" for source, target in pairs)
