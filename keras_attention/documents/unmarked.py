"""Texts without their markup, which stands beside them."""

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from keras_attention.documents.markup import BREAK
from keras_attention.documents.protected import PROTECTED
from keras_attention.documents.segments import PLAIN, Inline


class Mark(NamedTuple):
    """Markup between two characters.

    Attributes:
        start: before which character of the text it stands.
        raw: as it is written.
    """

    start: int
    raw: str


class Protected(NamedTuple):
    """What stands for a word.

    Attributes:
        start: where it begins in the text.
        text: how it is read.
        raw: how it is written.
    """

    start: int
    text: str
    raw: str


class UnmarkedText(NamedTuple):
    """A text without its markup.

    Attributes:
        text: as it is read.
        marks: in their order.
        protected: likewise.
        raws: how each character is written; as `Inline.encode` has it where it is left
            out.
    """

    text: str
    marks: Sequence[Mark] = ()
    protected: Sequence[Protected] = ()
    raws: Sequence[str] | None = None

    def with_protected(self, texts: Sequence[str]) -> "UnmarkedText":
        """The same with other texts in place of what is protected."""
        parts: list[str] = []
        protected: list[Protected] = []
        ends: list[int] = []  # of what is protected before
        shifts = [0]  # by which what follows so many of them moves
        place = 0
        for one, text in zip(self.protected, texts, strict=True):
            parts += [self.text[place : one.start], text]
            protected.append(Protected(one.start + shifts[-1], text, one.raw))
            place = one.start + len(one.text)
            ends.append(place)
            shifts.append(shifts[-1] + len(text) - len(one.text))
        marks = [
            mark._replace(start=mark.start + shifts[bisect_right(ends, mark.start)])
            for mark in self.marks
        ]
        return UnmarkedText("".join([*parts, self.text[place:]]), marks, protected)

    def masked(self) -> str:
        """The text with letters in place of what is protected, as long as it is."""
        return self.with_protected(["x" * len(one.text) for one in self.protected]).text

    def cut(self, places: Sequence[int]) -> list["UnmarkedText"]:
        """The parts between some places, which are in nothing protected."""
        edges = [0, *places, len(self.text)]
        parts = []
        for start, end in pairwise(edges):
            # What stands at a border belongs to what follows.
            stop = end + 1 if end == len(self.text) else end
            parts.append(
                UnmarkedText(
                    self.text[start:end],
                    [*_within(self.marks, start, stop)],
                    [*_within(self.protected, start, stop)],
                    self._raws(start, end),
                )
            )
        return parts

    def around(
        self, is_bare: tuple[bool, bool] = (False, False)
    ) -> tuple["UnmarkedText", "UnmarkedText", "UnmarkedText"]:
        """What stands before the words, between the first and the last, and after.

        Args:
            is_bare: whether signs do not belong to the first word, and to the last.
        """
        start = _edge(self.text, is_bare[0])
        end = max(start, len(self.text) - _edge(self.text[::-1], is_bare[1]))
        body = self.text[start:end]
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
            UnmarkedText(
                self.text[:start], self.marks[:head], (), self._raws(0, start)
            ),
            UnmarkedText(
                body,
                moved[head:stop],
                [*_within(self.protected, start, end)],
                self._raws(start, end),
            ),
            UnmarkedText(self.text[end:], tail, (), self._raws(end, None)),
        )

    def pieces(self) -> list["str | UnmarkedText"]:
        """What is written of marks and what is protected, and the texts between."""
        pieces: list[str | UnmarkedText] = []
        place = 0
        parts: list[Mark | Protected] = [*self.marks, *self.protected]
        for part in sorted(parts, key=lambda part: part.start):
            pieces += [self._text(place, part.start), part.raw]
            place = part.start + (len(part.text) if isinstance(part, Protected) else 0)
        return [*pieces, self._text(place, None)]

    def _text(self, start, end):
        return UnmarkedText(self.text[start:end], raws=self._raws(start, end))

    def _raws(self, start, end):
        return None if self.raws is None else self.raws[start:end]


def take_marks(text: str, inline: Inline) -> UnmarkedText:
    """A text and its markup, each by itself."""
    unmarked = _TextReader(inline)
    place = 0
    patterns = [pattern for pattern in (inline.protected, inline.marks) if pattern]
    found = [pattern.search(text) for pattern in patterns]
    while matches := [match for match in found if match is not None]:
        match = min(matches, key=re.Match.start)
        unmarked.add_text(text[place : match.start()])
        if match.re is inline.protected:
            unmarked.add_protected(match[0])
        else:
            unmarked.add_mark(match[0])
        place = match.end()
        found = [
            old if old is None or old.start() >= place else pattern.search(text, place)
            for old, pattern in zip(found, patterns, strict=True)
        ]
    unmarked.add_text(text[place:])
    whole = UnmarkedText(
        "".join(unmarked.parts), unmarked.marks, unmarked.protected, unmarked.raws
    )
    return _with_marked_words(whole)


def write_marks(unmarked: UnmarkedText, inline: Inline) -> str:
    """A text with its markup, as it is written."""
    written, place = [], 0
    parts: list[Mark | Protected] = [*unmarked.marks, *unmarked.protected]
    # Marks stand before what is protected at the same place.
    for one in sorted(parts, key=lambda part: part.start):
        written += [_encode(unmarked, place, one.start, inline), one.raw]
        place = one.start + (len(one.text) if isinstance(one, Protected) else 0)
    return "".join([*written, _encode(unmarked, place, None, inline)])


def _encode(unmarked, start, end, inline):
    if unmarked.raws is None:
        return inline.encode(unmarked.text[start:end])
    return "".join(unmarked.raws[start:end])


def _with_marked_words(unmarked):
    """The same with words protected that have markup inside, as H<sub>2</sub>O has."""
    inner = [
        number
        for number, (place, raw) in enumerate(unmarked.marks)
        if 0 < place < len(unmarked.text)
        and _is_inner(*unmarked.text[place - 1 : place + 1])
        and not BREAK.match(raw)
    ]
    if not inner:
        return unmarked
    words, taken = [], set()
    for begin, end in word_spans(unmarked.text):
        own = [n for n, mark in enumerate(unmarked.marks) if begin <= mark.start <= end]
        holds_other = any(
            begin <= one.start < end for one in unmarked.protected
        ) or any(BREAK.match(unmarked.marks[n].raw) for n in own)
        if holds_other or not {*own} & {*inner}:
            continue
        word = unmarked.text[begin:end]
        marks = [
            unmarked.marks[n]._replace(start=unmarked.marks[n].start - begin)
            for n in own
        ]
        raws = unmarked.raws[begin:end]
        words.append(
            Protected(
                begin, word, write_marks(UnmarkedText(word, marks, (), raws), PLAIN)
            )
        )
        taken |= {*own}
    marks = [mark for n, mark in enumerate(unmarked.marks) if n not in taken]
    return unmarked._replace(
        marks=marks, protected=sorted([*unmarked.protected, *words])
    )


def pairs(marks: Sequence[Mark]) -> Iterator[tuple[int, int]]:
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


def _edge(text, is_bare):
    """How much stands before the first word: blanks, and signs if it is bare."""
    for number, char in enumerate(text):
        if char.isalnum() or not (is_bare or char.isspace()):
            return number
    return len(text)


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


def _outer_marks(marks, start, end):
    """Which marks stand around the text from one character to another, or beside it."""
    outer = [False] * len(marks)
    for opening, closing in pairs(marks):
        first, last = marks[opening].start, marks[closing].start
        is_beside = last <= start or first >= end
        if is_beside or (opening != closing and first <= start and last >= end):
            outer[opening] = outer[closing] = True
    return outer


def _is_inner(before, after):
    """Whether two letters are inside of a word; of Chinese and Korean, who knows."""
    return before.isalnum() and after.isalnum() and max(before, after) < "\u1100"


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where the words of a text begin and end."""
    return [match.span() for match in re.finditer(r"\S+", text)]


def _within(parts, start, end):
    for part in parts:
        if start <= part.start < end:
            yield part._replace(start=part.start - start)


class _TextReader:
    """What a text is read as, while it is read."""

    def __init__(self, inline: Inline) -> None:
        self.parts: list[str] = []
        self.marks: list[Mark] = []
        self.protected: list[Protected] = []
        self.raws: list[str] = []
        self.length = 0
        self._inline = inline

    def add_text(self, raw: str) -> None:
        """Add text as it is written, with placeholders and addresses in it."""
        # Of the blanks around a mark that stands by itself, one goes with it.
        is_apart = self.marks and self.marks[-1].start == self.length and self.length
        if is_apart and raw[:1].isspace() and self.parts[-1][-1:].isspace():
            self.marks[-1] = Mark(self.length, f"{self.marks[-1].raw}{raw[0]}")
            raw = raw[1:]
        place = 0
        for match in PROTECTED.finditer(raw):
            self._add_text(raw[place : match.start()])
            self._add_protected(self._inline.decode(match[0]), match[0])
            place = match.end()
        self._add_text(raw[place:])

    def add_mark(self, raw: str) -> None:
        """Add markup between two characters."""
        self.marks.append(Mark(self.length, raw))

    def add_protected(self, raw: str) -> None:
        """Add markup that stands for a word."""
        text = self._inline.decode(_inner(raw)).strip()
        if text:
            self._add_protected(text, raw)
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

    def _add_protected(self, text, raw):
        self.protected.append(Protected(self.length, text, raw))
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
