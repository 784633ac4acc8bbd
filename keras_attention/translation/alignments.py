"""Which words of a text and its translation belong together."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np


class Alignment(NamedTuple):
    """What each part of a given translation attended to.

    Attributes:
        source_tokens: pieces of the source, without its end.
        target_tokens: pieces of the translation, without its end.
        source_words: of each source token the word that it is of, counted from 0;
            words are what blanks divide.
        target_words: likewise of the translation.
        attention: `(target tokens, source tokens)`, float32.
    """

    source_tokens: list[str]
    target_tokens: list[str]
    source_words: list[int]
    target_words: list[int]
    attention: np.ndarray

    def tokens(self) -> list[tuple[int, int]]:
        """Pairs of a source and a target token, one for each target token."""
        return best_pairs(self.attention)

    def words(self) -> list[tuple[int, int]]:
        """Pairs of a source and a target word, one for each target word.

        A word is attended to as much as its tokens, by all tokens of the other word.
        """
        by_target = _sum_words(self.attention, self.target_words)
        return best_pairs(_sum_words(by_target.T, self.source_words).T)


def best_pairs(attention: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of a column and a row of `(target, source)`: the highest of each row."""
    best = attention.argmax(axis=1).tolist() if attention.shape[1] else []
    return [(source, target) for target, source in enumerate(best)]


def find_words(text: str, parts: Sequence[str]) -> list[int]:
    """The word of a text that each of its parts is of, counted from 0.

    Args:
        text: words with blanks between them.
        parts: in their order, with or without blanks around them. What is empty or not
            found belongs to what comes next.
    """
    starts = [
        place
        for place, (before, now) in enumerate(pairwise(f" {text}"))
        if before.isspace() and not now.isspace()
    ]
    words, place = [], 0
    for part in parts:
        inner = part.strip()
        found = text.find(inner, place) if inner else -1
        if found >= 0:
            place = found + len(inner)
        else:
            found = place
            while found < len(text) and text[found].isspace():
                found += 1
        word = int(np.searchsorted(starts, found, side="right")) - 1
        words.append(max(0, min(word, len(starts) - 1)))
    return words


def _sum_words(rows: np.ndarray, words: Sequence[int]) -> np.ndarray:
    """The sum of the rows `(tokens, ...)` of each word."""
    count = max(words, default=-1) + 1
    sums = np.zeros((count, *rows.shape[1:]), rows.dtype)
    np.add.at(sums, np.array(words, "int64"), rows)
    return sums
