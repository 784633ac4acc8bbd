"""Markup of a text, put into its translation."""

import re
from collections.abc import Sequence

from keras_attention.documents.segments import Inline
from keras_attention.documents.unmarked import (
    Mark,
    Protected,
    UnmarkedText,
    pairs,
    word_spans,
    write_marks,
)


def find_protected(
    protected: Sequence[Protected], translation: str
) -> list[Protected] | None:
    """Where they stand in a translation, in its order; `None` if one is missing."""
    found: list[Protected] = []
    taken = [False] * len(translation)
    # Long ones first, which may hold others.
    for one in sorted(protected, key=lambda one: -len(one.text)):
        free = (
            start
            for start in _occurrences(one.text, translation)
            if not any(taken[start : start + len(one.text)])
        )
        if (start := next(free, None)) is None:
            return None
        taken[start : start + len(one.text)] = [True] * len(one.text)
        found.append(one._replace(start=start))
    return sorted(found)


def _occurrences(protected, text):
    """Where it stands in a text: as a word first, then as a part of one."""
    escaped = re.escape(protected)
    for pattern in (rf"(?<!\w){escaped}(?!\w)", escaped):
        yield from (match.start() for match in re.finditer(pattern, text))


def put_marks(
    unmarked: UnmarkedText,
    translation: str,
    words: Sequence[tuple[int, int]],
    inline: Inline,
) -> str | None:
    """A translation with the markup of its source, and what is protected.

    Args:
        unmarked: the source.
        translation: as it is read.
        words: which words belong together, counted from 0: pairs of a source and a
            target word, as of `Alignment.words`.
        inline: how it is written.

    Returns:
        The translation as it is written; or `None`, where something is missing, a mark
        has no place, or marks would come in another order.
    """
    protected = find_protected(unmarked.protected, translation)
    places = _places(unmarked, translation, words) if unmarked.marks else []
    if protected is None or places is None:
        return None
    inserted = [
        Mark(_outside(protected, place), mark.raw)
        for place, mark in zip(places, unmarked.marks, strict=True)
    ]
    return write_marks(UnmarkedText(translation, inserted, protected), inline)


def _places(unmarked, translation, words):
    """Where marks stand in a translation, or `None`."""
    source, target = word_spans(unmarked.text), word_spans(translation)
    places = [0] * len(unmarked.marks)
    for opening, closing in pairs(unmarked.marks):
        start, end = unmarked.marks[opening].start, unmarked.marks[closing].start
        inside = {
            number
            for number, (begin, stop) in enumerate(source)
            if begin < end and stop > start
        }
        is_after = start > 0 and not unmarked.text[start - 1].isspace()
        if opening == closing:  # it stands at the word that it touches
            before = [n for n, (_, stop) in enumerate(source) if stop <= start]
            after = [n for n, (begin, _) in enumerate(source) if begin >= start]
            inside = {*(before[-1:] if is_after else after[:1])}
        found = sorted(other for one, other in words if one in inside)
        if not found or found[-1] >= len(target):
            return None
        if opening != closing or is_after:
            places[closing] = _end(unmarked.text, end, translation, target[found[-1]])
        if opening != closing or not is_after:
            places[opening] = _start(
                unmarked.text, start, translation, target[found[0]]
            )
    return places if places == sorted(places) else None


def _start(text, place, translation, span):
    """Where a word of a translation begins, with signs before it if its source has."""
    start, end = span
    if place and not text[place - 1].isspace():  # signs stand outside
        while start < end - 1 and not translation[start].isalnum():
            start += 1
    return start


def _end(text, place, translation, span):
    start, end = span
    if place < len(text) and not text[place].isspace():
        while end > start + 1 and not translation[end - 1].isalnum():
            end -= 1
    return end


def _outside(protected, place):
    """A place that is in nothing protected."""
    for one in protected:
        if one.start < place < one.start + len(one.text):
            return one.start + len(one.text)
    return place
