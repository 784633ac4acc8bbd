"""Plain text: paragraphs, lists and quotations."""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from keras_attention.documents.segments import Segment
from keras_attention.documents.wrapping import (
    LETTER,
    flowing,
    line_spans,
    wrapped_segment,
)

# What stands before the text of a line: quotation, item of a list, blanks.
_BEFORE = re.compile(
    r"(?:[ \t]*>)*[ \t]*"
    r"(?P<item>(?:[-*+\u2022\u00b7]|\d{1,3}[.)]|[A-Za-z][.)])[ \t]+)?"
)


_COLUMNS = re.compile(r"\t|\s{3,}")


class _Line(NamedTuple):
    before: str
    is_item: bool
    has_letter: bool
    has_columns: bool
    start: int
    end: int

    def is_continued_by(self, other: "_Line") -> bool:
        """Whether another line may belong to the paragraph that begins here."""
        return (
            other.has_letter
            and not (other.is_item or other.has_columns or self.has_columns)
            # A hanging indentation stands below the text of an item.
            and len(other.before) == len(self.before)
            and other.before.count(">") == self.before.count(">")
        )


def parse(document: str) -> Iterator[Segment]:
    """The segments of a text. Lines that are one paragraph are one of them."""
    lines = [_read(document, *span) for span in line_spans(document)]
    place = 0
    while place < len(lines):
        first = lines[place]
        if not first.has_letter:
            place += 1
            continue
        own = [first, *takewhile(first.is_continued_by, lines[place + 1 :])]
        for count in flowing([document[line.start : line.end] for line in own]):
            spans = [(line.start, line.end) for line in lines[place : place + count]]
            yield wrapped_segment(document, spans)
            place += count


def _read(document, start, end):
    line = document[start:end].rstrip()
    match = next(_BEFORE.finditer(line))  # it matches any beginning
    has_letter = bool(LETTER.search(line, match.end()))
    begin = start + match.end()
    return _Line(
        match[0],
        match["item"] is not None,
        has_letter,
        bool(_COLUMNS.search(line, match.end())),
        begin,
        start + len(line),
    )
