"""What is written of a line that was translated."""

import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from keras_attention.translation.base_translator import BaseTranslator
from keras_attention.translation.glossary import Glossary
from keras_attention.translation.results import Hypothesis

_ONE_LINE = str.maketrans("\r\n", "  ")
_ONE_FIELD = str.maketrans("\r\n\t", "   ")


class LineForm(ABC):
    """From lines to what is written of them.

    Args:
        terms: what translations have to hold, if anything. How many there were, and how
            many are `missing_terms`, is counted too.

    Attributes:
        with_attention: whether that needs attention.
    """

    with_attention = False

    def __init__(self, terms: Glossary | None = None) -> None:
        self.terms = terms

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
        begun = counts["texts"]
        counts["texts"] += len(sources)
        counts["cut_texts"] += count_cut(translator, sources)
        found = translator.hypotheses(sources, self.with_attention, self.terms)
        for number, hypotheses in enumerate(found):
            counts["cut_translations"] += not hypotheses[0].is_complete
            if self.terms is not None:
                text = sources[number].decode("utf-8", "replace")
                self.terms.count(text, hypotheses[0].text, counts)
            yield from self.of_line(begun + number, sources[number], hypotheses)

    @abstractmethod
    def of_line(
        self, number: int, source: bytes, hypotheses: Sequence[Hypothesis]
    ) -> Iterator[str]:
        """What is to be written of one line, whose number begins at 0."""


class Plain(_OfHypotheses):
    """The translation."""

    def lines(
        self, translator: BaseTranslator, sources: Sequence[bytes], counts: Counter[str]
    ) -> Iterator[str]:
        """As of a `LineForm`."""
        if self.terms is not None:
            yield from super().lines(translator, sources, counts)
            return
        for line in translator.stream(sources, counts=counts):
            yield line.translate(_ONE_LINE)

    def of_line(
        self, number: int, source: bytes, hypotheses: Sequence[Hypothesis]
    ) -> Iterator[str]:
        """As of every form."""
        yield hypotheses[0].text.translate(_ONE_LINE)


class Aligned(_OfHypotheses):
    """`source tokens ||| target tokens ||| pairs` of the best translation."""

    with_attention = True

    def of_line(
        self, number: int, source: bytes, hypotheses: Sequence[Hypothesis]
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
        self, number: int, source: bytes, hypotheses: Sequence[Hypothesis]
    ) -> Iterator[str]:
        """As of every form."""
        for one in hypotheses:
            yield f"{number} ||| {one.text.translate(_ONE_LINE)} ||| {one.score:.4f}"


class Columns(_OfHypotheses):
    """Line and rank, both from 1, score and translation, with tabs between them."""

    def of_line(
        self, number: int, source: bytes, hypotheses: Sequence[Hypothesis]
    ) -> Iterator[str]:
        """As of every form."""
        for rank, one in enumerate(hypotheses, 1):
            text = one.text.translate(_ONE_FIELD)
            yield f"{number + 1}\t{rank}\t{one.score:.4f}\t{text}"


class JsonLines(_OfHypotheses):
    """An object with the source and its translations.

    Args:
        terms: as of every form.
        with_attention: whether it says which tokens belong together.
    """

    def __init__(
        self, terms: Glossary | None = None, with_attention: bool = False
    ) -> None:
        super().__init__(terms)
        self.with_attention = with_attention

    def of_line(
        self, number: int, source: bytes, hypotheses: Sequence[Hypothesis]
    ) -> Iterator[str]:
        """As of every form."""
        text = source.decode("utf-8", "replace")
        document = {
            "line": number + 1,
            "source": text,
            "translations": [self._describe(text, one) for one in hypotheses],
        }
        yield json.dumps(document, ensure_ascii=False)

    def _describe(self, source: str, one: Hypothesis) -> dict[str, Any]:
        found = {
            "text": one.text,
            "score": round(one.score, 4),
            "is_complete": one.is_complete,
        }
        if self.terms is not None:
            found["missing_terms"] = self.terms.missing(source, one.text)
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
