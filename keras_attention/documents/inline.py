"""Markup of a text: taken out before it is translated, and put back."""

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from keras_attention.documents.markup import BREAK
from keras_attention.documents.names import NAMES
from keras_attention.documents.segments import PLAIN, Inline


class Mark(NamedTuple):
    """Markup between two characters.

    Attributes:
        start: before which character of the text it stands.
        raw: as it is written.
    """

    start: int
    raw: str


class Name(NamedTuple):
    """What stands for a word.

    Attributes:
        start: where it begins in the text.
        text: how it is read.
        raw: how it is written.
    """

    start: int
    text: str
    raw: str


class Bare(NamedTuple):
    """A text without its markup.

    Attributes:
        text: as it is read.
        marks: in their order.
        names: likewise.
        raws: how each character is written; as `Inline.encode` has it where it is left
            out.
    """

    text: str
    marks: Sequence[Mark] = ()
    names: Sequence[Name] = ()
    raws: Sequence[str] | None = None

    def with_names(self, texts: Sequence[str]) -> "Bare":
        """The same with other texts in place of names."""
        parts: list[str] = []
        names: list[Name] = []
        ends: list[int] = []  # of the names before
        shifts = [0]  # by which what follows so many names moves
        place = 0
        for name, text in zip(self.names, texts, strict=True):
            parts += [self.text[place : name.start], text]
            names.append(Name(name.start + shifts[-1], text, name.raw))
            place = name.start + len(name.text)
            ends.append(place)
            shifts.append(shifts[-1] + len(text) - len(name.text))
        marks = [
            mark._replace(start=mark.start + shifts[bisect_right(ends, mark.start)])
            for mark in self.marks
        ]
        return Bare("".join([*parts, self.text[place:]]), marks, names)

    def cut(self, places: Sequence[int]) -> list["Bare"]:
        """The parts between some places, which are in no name."""
        edges = [0, *places, len(self.text)]
        parts = []
        for start, end in pairwise(edges):
            # What stands at a border belongs to what follows.
            stop = end + 1 if end == len(self.text) else end
            parts.append(
                Bare(
                    self.text[start:end],
                    [*_within(self.marks, start, stop)],
                    [*_within(self.names, start, stop)],
                    self._raws(start, end),
                )
            )
        return parts

    def around(self) -> tuple["Bare", "Bare", "Bare"]:
        """What stands before the words, between the first and the last, and after."""
        body = self.text.strip()
        start = self.text.index(body)
        end = start + len(body)
        outer = _outer_marks(self.marks, start, end)
        count = len(self.marks)
        head, stop = 0, count
        while head < count and outer[head] and self.marks[head].start <= start:
            head += 1
        while stop > head and outer[stop - 1] and self.marks[stop - 1].start >= end:
            stop -= 1
        inner = (min(max(mark.start - start, 0), len(body)) for mark in self.marks)
        moved = [
            mark._replace(start=place)
            for mark, place in zip(self.marks, inner, strict=True)
        ]
        tail = [mark._replace(start=mark.start - end) for mark in self.marks[stop:]]
        return (
            Bare(self.text[:start], self.marks[:head], (), self._raws(0, start)),
            Bare(
                body,
                moved[head:stop],
                [*_within(self.names, start, end)],
                self._raws(start, end),
            ),
            Bare(self.text[end:], tail, (), self._raws(end, None)),
        )

    def pieces(self) -> list["str | Bare"]:
        """What is written of marks and names, and the texts between them."""
        pieces: list[str | Bare] = []
        place = 0
        parts: list[Mark | Name] = [*self.marks, *self.names]
        for part in sorted(parts, key=lambda part: part.start):
            pieces += [self._text(place, part.start), part.raw]
            place = part.start + (len(part.text) if isinstance(part, Name) else 0)
        return [*pieces, self._text(place, None)]

    def _text(self, start, end):
        return Bare(self.text[start:end], raws=self._raws(start, end))

    def _raws(self, start, end):
        return None if self.raws is None else self.raws[start:end]


def take_marks(text: str, inline: Inline) -> Bare:
    """A text and its markup, each by itself."""
    bare = _Bares(inline)
    place = 0
    patterns = [pattern for pattern in (inline.names, inline.marks) if pattern]
    found = [pattern.search(text) for pattern in patterns]
    while matches := [match for match in found if match is not None]:
        match = min(matches, key=re.Match.start)
        bare.add_text(text[place : match.start()])
        if match.re is inline.names:
            bare.add_name(match[0])
        else:
            bare.add_mark(match[0])
        place = match.end()
        found = [
            old if old is None or old.start() >= place else pattern.search(text, place)
            for old, pattern in zip(found, patterns, strict=True)
        ]
    bare.add_text(text[place:])
    whole = Bare("".join(bare.parts), bare.marks, bare.names, bare.raws)
    return _with_marked_words(whole)


def _with_marked_words(bare):
    """The same with words that have markup inside, such as H<sub>2</sub>O, as names."""
    inner = [
        number
        for number, (place, raw) in enumerate(bare.marks)
        if 0 < place < len(bare.text)
        and _is_inner(*bare.text[place - 1 : place + 1])
        and not BREAK.match(raw)
    ]
    if not inner:
        return bare
    words, taken = [], set()
    for begin, end in _word_spans(bare.text):
        own = [n for n, mark in enumerate(bare.marks) if begin <= mark.start <= end]
        holds_other = any(begin <= name.start < end for name in bare.names) or any(
            BREAK.match(bare.marks[n].raw) for n in own
        )
        if holds_other or not {*own} & {*inner}:
            continue
        word = bare.text[begin:end]
        marks = [bare.marks[n]._replace(start=bare.marks[n].start - begin) for n in own]
        raws = bare.raws[begin:end]
        words.append(Name(begin, word, write_marks(Bare(word, marks, (), raws), PLAIN)))
        taken |= {*own}
    marks = [mark for n, mark in enumerate(bare.marks) if n not in taken]
    return bare._replace(marks=marks, names=sorted([*bare.names, *words]))


def find_names(names: Sequence[Name], translation: str) -> list[Name] | None:
    """Where names stand in a translation, in its order; `None` if one is missing."""
    found: list[Name] = []
    taken = [False] * len(translation)
    # Long ones first, which may hold others.
    for name in sorted(names, key=lambda name: -len(name.text)):
        free = (
            start
            for start in _occurrences(name.text, translation)
            if not any(taken[start : start + len(name.text)])
        )
        if (start := next(free, None)) is None:
            return None
        taken[start : start + len(name.text)] = [True] * len(name.text)
        found.append(name._replace(start=start))
    return sorted(found)


def _occurrences(name, text):
    """Where a name stands in a text: as a word first, then as a part of one."""
    escaped = re.escape(name)
    for pattern in (rf"(?<!\w){escaped}(?!\w)", escaped):
        yield from (match.start() for match in re.finditer(pattern, text))


def put_marks(
    bare: Bare, translation: str, words: Sequence[tuple[int, int]], inline: Inline
) -> str | None:
    """A translation with the markup and the names of its source.

    Args:
        bare: the source.
        translation: as it is read.
        words: which words belong together, counted from 0: pairs of a source and a
            target word, as of `Alignment.words`.
        inline: how it is written.

    Returns:
        The translation as it is written; or `None`, where a name is missing, a mark has
        no place, or marks would come in another order.
    """
    names = find_names(bare.names, translation)
    places = _places(bare, translation, words) if bare.marks else []
    if names is None or places is None:
        return None
    inserted = [
        Mark(_outside(names, place), mark.raw)
        for place, mark in zip(places, bare.marks, strict=True)
    ]
    return write_marks(Bare(translation, inserted, names), inline)


def write_marks(bare: Bare, inline: Inline) -> str:
    """A text with its markup, as it is written."""
    written, place = [], 0
    parts: list[Mark | Name] = [*bare.marks, *bare.names]
    # Marks stand before a name that begins at the same place.
    for one in sorted(parts, key=lambda part: part.start):
        written += [_encode(bare, place, one.start, inline), one.raw]
        place = one.start + (len(one.text) if isinstance(one, Name) else 0)
    return "".join([*written, _encode(bare, place, None, inline)])


def _encode(bare, start, end, inline):
    if bare.raws is None:
        return inline.encode(bare.text[start:end])
    return "".join(bare.raws[start:end])


def _places(bare, translation, words):
    """Where marks stand in a translation, or `None`."""
    source, target = _word_spans(bare.text), _word_spans(translation)
    places = [0] * len(bare.marks)
    for opening, closing in _pairs(bare.marks):
        start, end = bare.marks[opening].start, bare.marks[closing].start
        inside = {
            number
            for number, (begin, stop) in enumerate(source)
            if begin < end and stop > start
        }
        is_after = start > 0 and not bare.text[start - 1].isspace()
        if opening == closing:  # it stands at the word that it touches
            before = [n for n, (_, stop) in enumerate(source) if stop <= start]
            after = [n for n, (begin, _) in enumerate(source) if begin >= start]
            inside = {*(before[-1:] if is_after else after[:1])}
        found = sorted(other for one, other in words if one in inside)
        if not found or found[-1] >= len(target):
            return None
        if opening != closing or is_after:
            places[closing] = _end(bare.text, end, translation, target[found[-1]])
        if opening != closing or not is_after:
            places[opening] = _start(bare.text, start, translation, target[found[0]])
    return places if places == sorted(places) else None


def _pairs(marks: Sequence[Mark]) -> Iterator[tuple[int, int]]:
    """Marks that open something and those that close it; others twice."""
    begun: list[int] = []
    for number, (_, raw) in enumerate(marks):
        closes = bool(begun) and _closes(marks[begun[-1]].raw, raw)
        if closes:
            yield begun.pop(), number
        elif _opens(raw):
            begun.append(number)
        else:
            yield number, number
    yield from ((number, number) for number in begun)


def _opens(raw):
    if raw.startswith("<"):
        return not raw.endswith("/>") and raw[1] not in "/!?"
    return raw in ("[", "![") or not raw.strip("*_~")


def _closes(opening, raw):
    if raw.startswith("</"):
        return opening.startswith(f"<{raw[2:-1].strip()}")
    if raw.startswith("]"):
        return opening in ("[", "![")
    return raw == opening and not raw.strip("*_~")


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


def _outside(names, place):
    """A place that is in no name."""
    for name in names:
        if name.start < place < name.start + len(name.text):
            return name.start + len(name.text)
    return place


def _outer_marks(marks, start, end):
    """Which marks stand around the text from one character to another, or beside it."""
    outer = [False] * len(marks)
    for opening, closing in _pairs(marks):
        first, last = marks[opening].start, marks[closing].start
        is_beside = last <= start or first >= end
        if is_beside or (opening != closing and first <= start and last >= end):
            outer[opening] = outer[closing] = True
    return outer


def _is_inner(before, after):
    """Whether two letters are inside of a word; of Chinese and Korean, who knows."""
    return before.isalnum() and after.isalnum() and max(before, after) < "\u1100"


def _word_spans(text):
    return [match.span() for match in re.finditer(r"\S+", text)]


def _within(parts, start, end):
    for part in parts:
        if start <= part.start < end:
            yield part._replace(start=part.start - start)


class _Bares:
    """What a text is read as, while it is read."""

    def __init__(self, inline: Inline) -> None:
        self.parts: list[str] = []
        self.marks: list[Mark] = []
        self.names: list[Name] = []
        self.raws: list[str] = []
        self.length = 0
        self._inline = inline

    def add_text(self, raw: str) -> None:
        """Add text as it is written, with the names of programs in it."""
        # Of the blanks around a mark that stands by itself, one goes with it.
        is_apart = self.marks and self.marks[-1].start == self.length and self.length
        if is_apart and raw[:1].isspace() and self.parts[-1][-1:].isspace():
            self.marks[-1] = Mark(self.length, f"{self.marks[-1].raw}{raw[0]}")
            raw = raw[1:]
        place = 0
        for match in NAMES.finditer(raw):
            self._add_text(raw[place : match.start()])
            self._add_name(self._inline.decode(match[0]), match[0])
            place = match.end()
        self._add_text(raw[place:])

    def add_mark(self, raw: str) -> None:
        """Add markup between two characters."""
        self.marks.append(Mark(self.length, raw))

    def add_name(self, raw: str) -> None:
        """Add markup that stands for a word."""
        text = self._inline.decode(_inner(raw)).strip()
        if text:
            self._add_name(text, raw)
        else:
            self.marks.append(Mark(self.length, raw))

    def _add_text(self, raw):
        # A reference to a character begins with this sign, where there are any.
        for part in re.split("(?=&)", raw):
            text = self._inline.decode(part)
            same = 0
            while (
                same < min(len(text), len(part)) and text[-1 - same] == part[-1 - same]
            ):
                same += 1
            head = len(text) - same
            written = [part[: len(part) - same], *[""] * (head - 1)] if head else []
            self._add(text, [*written, *text[head:]])

    def _add_name(self, text, raw):
        self.names.append(Name(self.length, text, raw))
        self._add(text, text)

    def _add(self, text, raws):
        if text:
            self.parts.append(text)
        self.raws += raws
        self.length += len(text)


def _inner(raw):
    """What is read of markup that stands for a word."""
    if raw.startswith("`"):
        return raw.strip("`")
    if raw.startswith("&"):
        return html.unescape(raw)
    if raw.count("<") == 1:  # an address
        return raw.strip("<>")
    return re.sub(r"<[^<>]*>", "", raw)
