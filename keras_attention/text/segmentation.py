"""Words cut into subwords at random, so that a model sees each in many ways.

Glossary: W = words of all lines.
"""

import math
import random
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import groupby
from types import ModuleType
from typing import Any

import numpy as np

from keras_attention.special_ids import UNKNOWN
from keras_attention.text.sentence_piece_model import summarize

VARIANTS = 32
"""How many times a word is cut at most; one of them is taken wherever it stands."""

_UNKNOWN_SCORE = -100.0  # the same in all segmentations of a word, so any will do

_BLANK = "\u2581"  # sentencepiece's

Ids = tuple[np.ndarray, np.ndarray]


def drop_merges(
    word: str, scores: Mapping[str, float], alpha: float, chance: random.Random
) -> list[str]:
    """Merges characters as byte-pair encoding does, but not all (BPE-dropout).

    Each time, each pair that could be merged is left out with probability `alpha`, and
    of the others the one of the highest score is merged (Provilkov et al., 2020).

    Args:
        word: Anything, normalized.
        scores: Of each piece; the higher, the earlier it is merged.
        alpha: From 0, where it is byte-pair encoding, to 1, which gives characters.
        chance: Where random numbers come from.

    Example:
    >>> drop_merges("abab", {"ab": 0.0, "abab": -1.0}, 0.0, random.Random(0))
    ['abab']
    """
    # a part that was merged into the one before it is empty from then on
    parts = list(word)
    before = list(range(-1, len(parts) - 1))
    behind = list(range(1, len(parts) + 1))
    heap: list[tuple[float, int, str]] = []
    left_out: list[tuple[float, int, str]] = []

    def offer(index: int) -> None:
        if index >= 0 and behind[index] < len(parts):
            merged = parts[index] + parts[behind[index]]
            if merged in scores:
                heappush(heap, (-scores[merged], index, merged))

    for index in range(len(parts)):
        offer(index)
    while heap:
        _, index, merged = top = heappop(heap)
        other = behind[index]
        gone = not parts[index] or other == len(parts)
        if gone or parts[index] + parts[other] != merged:
            continue
        if chance.random() < alpha:
            left_out.append(top)
            continue
        parts[index], parts[other] = merged, ""
        behind[index] = behind[other]
        if behind[other] < len(parts):
            before[behind[other]] = index
        offer(before[index])
        offer(index)
        # the next merge is a new draw
        while left_out:
            heappush(heap, left_out.pop())
    return [part for part in parts if part]


def draw_segmentation(
    word: str,
    scores: Mapping[str, float],
    alpha: float,
    chance: random.Random,
    longest: int | None = None,
) -> list[str]:
    """Draws from all segmentations by their probabilities to the power of `alpha`.

    A segmentation's probability is that of a unigram model, the product of those of its
    pieces (subword regularization; Kudo, 2018). Sums over all beginnings go forward
    through the word, draws of the last piece backward.

    Args:
        word: Anything, normalized.
        scores: Logarithm of each piece's probability.
        alpha: 0 for all segmentations alike; the greater, the likelier the best.
        chance: Where random numbers come from.
        longest: Length of the longest piece, if it is known.

    Example:
    >>> scores = {"a": -9.0, "b": -9.0, "ab": -1.0}
    >>> draw_segmentation("ab", scores, 5.0, random.Random(0))
    ['ab']
    """
    # pieces and their weights at each end, relative to the sum over all beginnings
    ends: list[tuple[list[str], list[float]]] = []
    sums = [0.0]
    longest = longest or len(word)
    for end in range(1, len(word) + 1):
        found = [
            (part, sums[begin] + alpha * scores.get(part, _UNKNOWN_SCORE))
            for begin in range(max(0, end - longest), end)
            if (part := word[begin:end]) in scores or len(part) == 1
        ]
        highest = max(score for _, score in found)
        weights = [math.exp(score - highest) for _, score in found]
        sums.append(highest + math.log(sum(weights)))
        ends.append(([part for part, _ in found], weights))
    parts: list[str] = []
    end = len(word)
    while end:
        parts += chance.choices(*ends[end - 1])
        end -= len(parts[-1])
    return parts[::-1]


class WordCutter:
    """Cuts the words of a sentencepiece model, each time at random.

    Args:
        sentencepiece: The package.
        model: The serialized model.
        alpha: Of `drop_merges` or `draw_segmentation`, which the model's type decides.

    Raises:
        ValueError: If the model is of another type.
    """

    def __init__(self, sentencepiece: ModuleType, model: bytes, alpha: float) -> None:
        summary = summarize(model)
        self._alpha = alpha
        self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        about = self._processor
        self._ids = {about.id_to_piece(index): index for index in range(summary.size)}
        self._scores = piece_scores(about)
        longest = max(map(len, self._scores), default=1)
        methods: dict[str, Callable[..., list[str]]] = {
            "bpe": drop_merges,
            "unigram": partial(draw_segmentation, longest=longest),
        }
        if summary.model_type not in methods:
            raise ValueError(
                f"`sample` needs a model of one of the types {[*methods]}. "
                f"Received: a model of type {summary.model_type!r}"
            )
        self._method = methods[summary.model_type]
        self._symbols = {piece.decode() for piece in summary.user_defined}
        longest_first = sorted(self._symbols, key=len, reverse=True)
        borders = [f"({'|'.join(map(re.escape, longest_first)) or '(?!)'})"]
        pieces = self._scores.keys() - self._symbols
        if not any(_BLANK in piece[1:] for piece in pieces):
            borders.append(f"(?={_BLANK})")  # no piece continues after a blank
        self._borders = re.compile("|".join(borders))

    def words(self, line: str) -> list[str]:
        """What is cut by itself: normalized words, each with the blank before it."""
        parts = self._borders.split(self._processor.normalize(line))
        return [part for part in parts if part]

    def cut(self, word: str, chance: random.Random) -> list[int]:
        """The ids of a word's pieces."""
        if word in self._symbols:
            return [self._ids[word]]
        parts = self._method(word, self._scores, self._alpha, chance)
        ids: list[int] = []
        for known, run in groupby(parts, self._scores.__contains__):
            some = list(run)
            ids += [self._ids[part] for part in some] if known else self._spell(some)
        return ids

    def _spell(self, unknown: Iterable[str]) -> list[int]:
        """Bytes, where the model has them, or one id for all."""
        names = [f"<0x{byte:02X}>" for byte in "".join(unknown).encode()]
        return [self._ids[name] for name in names if name in self._ids] or [UNKNOWN]


def piece_scores(processor: Any) -> dict[str, float]:
    """Returns the scores of the pieces that text may be cut into.

    Args:
        processor: A `sentencepiece.SentencePieceProcessor`.
    """
    return {
        processor.id_to_piece(index): processor.get_score(index)
        for index in range(processor.get_piece_size())
        if not (
            processor.is_control(index)
            or processor.is_unknown(index)
            or processor.is_unused(index)
            or processor.is_byte(index)
        )
    }


def sample_rows(
    rows: Iterable[Iterable[str]],
    cut: Callable[[str, random.Random], Sequence[int]],
    count: int,
    seed: int,
) -> Iterator[Ids]:
    """Cuts each word of each row at random, all rows `count` times.

    Args:
        rows: The words of each line.
        cut: Cuts a word once.
        count: How many times.
        seed: What is drawn for a word depends on it and on the word; which of a word's
            variants a row gets, on all rows.

    Yields:
        So many times the ids of all rows, one after the other, and the rows' lengths.
    """
    numbers: dict[str, int] = {}
    words, row_ends = array("q"), array("q")
    for row in rows:
        words.extend(numbers.setdefault(word, len(numbers)) for word in row)
        row_ends.append(len(words))
    of_words = np.array(words, np.int64)  # (W,)
    places = np.bincount(of_words, minlength=len(numbers))
    variants = np.minimum(VARIANTS, count * places)  # of each word
    firsts = np.cumsum(variants) - variants
    values, sizes = array("i"), array("q")
    for word, times in zip(numbers, variants.tolist(), strict=True):
        chance = random.Random(f"{seed} {word}")
        for _ in range(times):
            ids = cut(word, chance)
            values.extend(ids)
            sizes.append(len(ids))
    all_values, all_sizes = np.array(values, np.int32), np.array(sizes, np.int64)
    starts = np.cumsum(all_sizes) - all_sizes
    pick = np.random.default_rng(seed)
    for _ in range(count):
        chosen = pick.integers(variants[of_words])  # (W,)
        taken = firsts[of_words] + chosen
        ends = np.insert(np.cumsum(all_sizes[taken]), 0, 0)  # (W + 1,)
        shifts = np.repeat(starts[taken] - ends[:-1], all_sizes[taken])  # (ids,)
        drawn = all_values[shifts + np.arange(ends[-1])]
        yield drawn, np.diff(ends[np.array(row_ends, np.int64)], prepend=0)
