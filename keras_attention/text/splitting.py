"""Splits pairs of sentences into training, validation and test."""

import hashlib
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from keras_attention.text.arguments import check_integer, check_pairs

Pairs = tuple[list[str], list[str]]

_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # controls, formats and separators
# Those of other categories: fillers, and what chooses between two forms of a character.
_UNSEEN_TOO = {
    *(0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
    *(0x180B, 0x180C, 0x180D, 0x180F),
    *range(0xFE00, 0xFE10),
    *range(0xE0100, 0xE01F0),
}


class Split(NamedTuple):
    """Three parts of a parallel text, each the source and the target lines."""

    train: Pairs
    validation: Pairs
    test: Pairs


def split_by_source(
    source_lines: Iterable[str],
    target_lines: Iterable[str],
    *,
    validation: int | float = 0.1,
    test: int | float = 0.1,
    seed: int = 0,
) -> Split:
    """Splits pairs so that equal source sentences always land on the same side.

    A sentence with several translations would otherwise be trained on and tested.
    Sentences are equal, too, when they differ in case, blanks, invisible characters or
    Unicode normalization alone, because a tokenizer may make the same ids of them.
    Where a pair goes depends on the sentences and the seed, not on their order.

    Args:
        source_lines: The source sentences.
        target_lines: Their translations, in the same order.
        validation: How many pairs are for validation: an integer counts pairs, a
            fraction below 1 is a share of all.
        test: The same for the test.
        seed: Which of the many splits.

    Returns:
        The `train`, `validation` and `test` parts, each a pair of lists in the
        order of the lines given. Validation and test hold as many pairs as asked
        for, or fewer where groups of equal sources do not add up.

    Raises:
        ValueError: If the sides differ in length, a size is out of range, nothing
            is left for training, or a part that was asked for stays empty.

    Example:
    >>> split = split_by_source(
    ...     ["a", "b", "a", "c"], ["1", "2", "3", "4"], validation=0, test=1
    ... )
    >>> [len(sources) for sources, targets in split]
    [3, 0, 1]
    """
    sources, targets = check_pairs(source_lines, target_lines)
    check_integer("seed", seed, 0)
    room = {
        "validation": _count("validation", validation, len(sources)),
        "test": _count("test", test, len(sources)),
    }
    groups: dict[str, list[int]] = {}
    for index, source in enumerate(sources):
        groups.setdefault(_visible(source), []).append(index)
    parts: dict[str, list[int]] = {"train": [], "validation": [], "test": []}

    def rank(group: list[int]) -> bytes:
        return min(_rank(sources[index], seed) for index in group)

    for group in sorted(groups.values(), key=rank):
        part = next((part for part in room if len(group) <= room[part]), "train")
        parts[part] += group
        if part != "train":
            room[part] -= len(group)
    for part, wanted in (("train", 1), ("validation", validation), ("test", test)):
        if wanted and not parts[part]:
            raise ValueError(
                "`validation` and `test` must leave pairs for each part, but there "
                f"are none for {part}. Received: validation={validation}, "
                f"test={test}, with {len(sources)} pairs of {len(groups)} different "
                "sources"
            )
    return Split(*(_pick(sources, targets, sorted(part)) for part in parts.values()))


class _Visible(dict[int, int | None]):
    """What `str.translate` makes of each character: nothing if it cannot be seen."""

    def __missing__(self, code: int) -> int | None:
        category = unicodedata.category(chr(code))
        is_unseen = category in _UNSEEN or code in _UNSEEN_TOO
        self[code] = None if is_unseen else code
        return self[code]


_visible_characters = _Visible()


def _visible(source: str) -> str:
    """The same for all sentences that count as equal."""
    folded = unicodedata.normalize("NFKC", source).casefold()
    # a Turkish I, with or without a dot
    folded = folded.replace("i\u0307", "i").replace("\u0131", "i")
    # again, because what is folded, or has met its accent now, may be composed
    return unicodedata.normalize("NFKC", folded.translate(_visible_characters))


def _count(name: str, size: int | float, pairs: int) -> int:
    """The number of pairs that a count or a share of them means."""
    if isinstance(size, float):
        if not 0 <= size < 1:
            raise ValueError(
                f"`{name}` must be a count of pairs, or a fraction from 0 to below "
                f"1. Received: {name}={size!r}"
            )
        return max(1, round(size * pairs)) if size else 0
    return check_integer(name, size, 0)


def _rank(source: str, seed: int) -> bytes:
    # a hash, because it is the same on every machine and in every release
    text = source.encode("utf-8", "surrogatepass")
    return hashlib.sha256(b"%d %b" % (seed, text)).digest()


def _pick(sources: list[str], targets: list[str], indices: list[int]) -> Pairs:
    return [sources[index] for index in indices], [targets[index] for index in indices]
