"""Markdown: the text of its blocks, with its markup."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from keras_attention.documents.markup import COMMENT, TAG
from keras_attention.documents.segments import Inline, Segment
from keras_attention.documents.wrapping import (
    LETTER,
    Span,
    line_spans,
    wrapped_segment,
)
from keras_attention.optional_packages import needs

_FRONT_MATTER = re.compile(
    r"\A(?:---|\+\+\+)[ \t]*\r?\n.*?^(?:---|\.\.\.|\+\+\+)[ \t]*(?:\r?\n|\Z)",
    re.M | re.S,
)
_MARKS = rf"""
    !?\[(?=[^\[\]]{{0,500}}\](?:\(|\[))    # a link or a picture begins,
    | \]\(<[^<>\n]*>(?:\s+(?:"[^"]*"|'[^']*'))?\)
    | \](?:\((?:[^()\s]|\([^()\s]*\))*(?:\s+(?:"[^"]*"|'[^']*'))?\)|\[[^\]]*\])
    | \[\^[^\]]+\]                          # a footnote
    | {TAG} | {COMMENT}
    | (?<!\\)(?:\*{{1,3}}+|~~)(?=\S) | (?<=[^\s\\])(?:\*{{1,3}}+|~~)
    | (?<![\w\\])_{{1,3}}(?=\S) | (?<=\S)_{{1,3}}(?!\w)
"""
# Code, addresses, references to characters, which might be markup if they were read.
_PROTECTED = r"""
    (?<!`)(?P<ticks>`+)(?!`).{1,1000}?(?<!`)(?P=ticks)(?!`)
    | <(?:[A-Za-z][A-Za-z0-9+.-]*:[^<>\s]*|[^<>\s@]+@[^<>\s]+)>
    | &(?:\#\w{1,8}|\w{2,30});
"""
INLINE = Inline(
    marks=re.compile(_MARKS, re.X | re.S), protected=re.compile(_PROTECTED, re.X | re.S)
)
# What a line begins with that is another block.
_BLOCK = re.compile(r"[-+*#>|=]|\d+[.)]|```|~~~")
# What stands at the beginning of a text, and is none: an alert, a task, a footnote.
_BEFORE = re.compile(r"\[!\w+\][ \t]*\Z|\[[ xX]\][ \t]+|\[\^[^\]]+\]:[ \t]*")
_HARD_BREAK = re.compile(r"\\\Z")


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
    spans = line_spans(document[begin:])
    lines = [(begin + start, begin + end) for start, end in spans]
    bodies = [document[start:end].rstrip("\r\n") for start, end in lines]
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    known: dict[str, Any] = {}
    tokens = parser.parse("\n".join(bodies), known)
    inline, place = _with_references(known), begin
    for token in tokens:
        if token.type != "inline" or not token.map or not LETTER.search(token.content):
            continue
        first, last = token.map
        place = max(place, lines[first][0])
        contents = token.content.split("\n")
        if found := _find(document, contents, lines[first:last], place):
            place = found[-1][1]
            for own in _texts(document, found):
                yield wrapped_segment(document, own, inline, _BLOCK)


def _with_references(known):
    """Inline markup with links by the names of their definitions alone."""
    names = [re.escape(name) for name in known.get("references", {})]
    if not names:
        return INLINE
    links = rf"{_PROTECTED} | \[(?i:{'|'.join(sorted(names))})\](?![\[(:])"
    return INLINE._replace(protected=re.compile(links, re.X | re.S))


def _find(
    document: str, contents: Sequence[str], lines: Sequence[Span], place: int
) -> list[Span]:
    """Where the lines of a block stand; nowhere, if one is written in another way."""
    spans: list[Span] = []
    for content, (start, end) in zip(contents, lines, strict=False):
        # In a table this sign is written so.
        for written in (content.strip(), content.strip().replace("|", "\\|")):
            found = document.find(written, max(place, start), end)
            if found >= 0:
                break
        else:
            return []
        place = found + len(written)
        spans.append((found, place))
    return spans if len(spans) == len(contents) else []


def _texts(document: str, spans: Sequence[Span]) -> Iterator[list[Span]]:
    """The lines of each text in a block, which hard breaks divide."""
    begun: list[Span] = []
    for number, (start, end) in enumerate(spans):
        if not begun and (before := _BEFORE.match(document[start:end])):
            start += before.end()
        is_last = number + 1 == len(spans)
        is_broken = not is_last and document[end : end + 2] == "  "
        if not is_last and (sign := _HARD_BREAK.search(document[start:end])):
            end, is_broken = start + sign.start(), True
        if start < end:
            begun.append((start, end))
        if begun and (is_broken or is_last):
            if any(LETTER.search(document, *span) for span in begun):
                yield begun
            begun = []
