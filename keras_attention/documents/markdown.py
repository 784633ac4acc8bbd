"""Markdown: the text of its blocks, with its markup."""

import html
import re
from collections.abc import Iterator, Sequence

from keras_attention.documents.segments import Inline, Segment
from keras_attention.documents.wrapping import (
    LETTER,
    Span,
    line_spans,
    wrapped_segment,
)
from keras_attention.optional_packages import needs

_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\r?\n.*?^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.M | re.S
)
INLINE = Inline(
    marks=re.compile(
        r"""
        !?\[(?=[^\]]*\][(\[])      # a link or a picture begins,
        | \](?:\((?:[^()\s]|\([^()\s]*\))*(?:\s+(?:"[^"]*"|'[^']*'))?\)|\[[^\]]*\])
        | \[\^[^\]]+\]             # a footnote
        | </?[A-Za-z][^<>]*> | <!--.*?-->
        | (?<!\\)(?:\*{1,3}+|~~)(?=\S) | (?<=[^\s\\])(?:\*{1,3}+|~~)
        | (?<![\w\\])_{1,3}(?=\S) | (?<=\S)_{1,3}(?!\w)
        """,
        re.X | re.S,
    ),
    names=re.compile(
        r"""
        (?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)
        | <(?:[A-Za-z][A-Za-z0-9+.-]*:[^<>\s]*|[^<>\s@]+@[^<>\s]+)>
        """,
        re.X | re.S,
    ),
    decode=html.unescape,
)


def parse(document: str) -> Iterator[Segment]:
    """The segments of a text; code, link definitions and front matter stay.

    Raises:
        ImportError: without the extra `documents`.
    """
    with needs("markdown_it", extra="documents", by="Markdown"):
        from markdown_it import MarkdownIt

    front = _FRONT_MATTER.match(document)
    begin = front.end() if front else 0
    # As many lines, each ended by one character, as it counts them.
    lines = [
        (begin + start, begin + end) for start, end in line_spans(document[begin:])
    ]
    bodies = [document[start:end].rstrip("\r\n") for start, end in lines]
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    place = begin
    for token in parser.parse("\n".join(bodies)):
        if token.type != "inline" or not token.map or not LETTER.search(token.content):
            continue
        first, last = token.map
        place = max(place, lines[first][0])
        contents = token.content.split("\n")
        if found := _find(document, contents, lines[first:last], place):
            yield wrapped_segment(document, found, INLINE)
            place = found[-1][1]


def _find(
    document: str, contents: Sequence[str], lines: Sequence[Span], place: int
) -> list[Span]:
    """Where the lines of a block stand; nowhere, if one is written in another way."""
    spans: list[Span] = []
    for content, (start, end) in zip(contents, lines, strict=False):
        found = document.find(content.strip(), max(place, start), end)
        if found < 0:
            return []
        place = found + len(content.strip())
        spans.append((found, place))
    return spans if len(spans) == len(contents) else []
