"""Terms of a source language, and how they are to be translated."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from keras_attention.text.files import read_lines
from keras_attention.translation.word_bounds import as_word

Forms = tuple[str, ...]
"""A term of the target language in each of its forms; one of them is enough."""


class Glossary:
    """Which terms are to be translated how.

    Where a text holds a term, its translation has to hold one of the forms given for it
    (`BaseTranslator.hypotheses`). Of terms that overlap, the longest counts. What
    begins or ends with a letter or a digit has to be a word there, but for Korean,
    which adds to words, and scripts that write no blanks.

    Args:
        entries: of each term of the source its forms in the target language.
        ignore_case: whether terms are found in any case.

    Raises:
        ValueError: for an empty term, or one without a form.

    Example:
    >>> glossary = Glossary({"New York": ["New-York"], "york": ["ville de York"]})
    >>> glossary.find("From New York to york")
    {'New York': ('New-York',), 'york': ('ville de York',)}
    >>> glossary.missing("From New York to york", "De New-York à York")
    ['york']
    """

    def __init__(
        self, entries: Mapping[str, Sequence[str]], ignore_case: bool = False
    ) -> None:
        self.entries = {
            term.strip(): tuple(form.strip() for form in forms)
            for term, forms in entries.items()
        }
        self.ignore_case = ignore_case
        for term, forms in self.entries.items():
            if not term or not forms or not all(forms):
                raise ValueError(
                    "A term and each of its forms must not be empty. "
                    f"Received: {term!r} with {list(forms)}"
                )
        flags = re.IGNORECASE if ignore_case else 0
        longest_first = sorted(self.entries, key=lambda term: -len(term))
        words = "|".join(map(as_word, longest_first))
        self._pattern = re.compile(words or r"(?!)", flags)
        self._terms = {self._key(term): term for term in self.entries}

    @classmethod
    def read(cls, path: str | os.PathLike[str], ignore_case: bool = False) -> Self:
        """Those of a file: in each line a term, and its forms, with tabs between them.

        Raises:
            OSError: when the file cannot be read.
            ValueError: for a line without a form, and a term that comes twice.
        """
        entries: dict[str, Sequence[str]] = {}
        for number, line in enumerate(read_lines(path), 1):
            if not line.strip():
                continue
            term, *forms = line.split("\t")
            if not term.strip() or not forms or not all(form.strip() for form in forms):
                raise ValueError(
                    f"{os.fspath(path)!r} must have a term and its forms in each line, "
                    f"with tabs between them. Received: line {number}, {line!r}"
                )
            if term in entries:
                raise ValueError(
                    f"{os.fspath(path)!r} has {term!r} a second time in line {number}"
                )
            entries[term] = forms
        return cls(entries, ignore_case)

    def find(self, text: str) -> dict[str, Forms]:
        """The terms in a text, in order, and the forms of each."""
        found = (match[0] for match in self._pattern.finditer(text))
        terms = [self._terms[self._key(term)] for term in found]
        return {term: self.entries[term] for term in terms}

    def missing(self, text: str, translation: str) -> list[str]:
        """The terms in a text of which a translation holds no form."""
        return [
            term
            for term, forms in self.find(text).items()
            if not holds_any(forms, translation)
        ]

    def count(self, text: str, translation: str, counts: Counter[str]) -> None:
        """Add up the `terms` in a text, and the `missing_terms`."""
        counts["terms"] += len(self.find(text))
        counts["missing_terms"] += len(self.missing(text, translation))

    def _key(self, term):
        return term.casefold() if self.ignore_case else term


def holds_any(forms: Iterable[str], translation: str) -> bool:
    """Whether a translation holds one of some forms of a term."""
    return any(re.search(as_word(form), translation) for form in forms)
