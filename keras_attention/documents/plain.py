"""Plain text: paragraphs, lists and quotations."""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from keras_attention.documents.mail_headers import (
    count_headers,
    find_subject,
    is_boundary,
)
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
    """The segments of a text. Lines that are one paragraph are one of them.

    Of the headers of e-mails, the subject is one.
    """
    spans = [*line_spans(document)]
    texts = [document[start:end].rstrip() for start, end in spans]
    lines = [_read(document, *span) for span in spans]
    place = 0
    while place < len(lines):
        first = lines[place]
        if count := count_headers(texts, place):
            yield from _subject(document, spans[place : place + count])
            place += count
        elif not first.has_letter:
            place += 1
        else:
            own = [first, *takewhile(first.is_continued_by, lines[place + 1 :])]
            for count in flowing([document[line.start : line.end] for line in own]):
                part = lines[place : place + count]
                yield wrapped_segment(document, [(one.start, one.end) for one in part])
                place += count


def _subject(document, spans):
    """The subject in the headers of an e-mail, if it is to be translated."""
    texts = [document[start:end].rstrip() for start, end in spans]
    own = find_subject(texts)
    if own:
        bodies = [
            (spans[number][0] + begin, spans[number][0] + len(texts[number]))
            for number, begin in own
        ]
        yield wrapped_segment(document, bodies)


def _read(document, start, end):
    line = document[start:end].rstrip()
    match = next(_BEFORE.finditer(line))  # it matches any beginning
    has_letter = bool(LETTER.search(line, match.end())) and not is_boundary(line)
    begin = start + match.end()
    return _Line(
        match[0],
        match["item"] is not None,
        has_letter,
        bool(_COLUMNS.search(line, match.end())),
        begin,
        start + len(line),
    )
