"""Subtitles: SubRip (`.srt`) and WebVTT (`.vtt`)."""

import html
import re
from collections.abc import Iterator

from keras_attention.documents.markup import TAG
from keras_attention.documents.segments import Inline, Segment
from keras_attention.documents.wrapping import LETTER, Span, balance_lines, line_spans

_TIMES = re.compile(r"\s*(?:\d+:)?\d+:\d+[.,]\d+\s*-->\s*(?:\d+:)?\d+:\d+[.,]\d+")
_MARKS = rf"{TAG}|<[\d:.]+>|\{{\\[^{{}}]*\}}"
SUBRIP = Inline(marks=re.compile(_MARKS))
WEBVTT = Inline(
    marks=re.compile(_MARKS),
    decode=html.unescape,
    encode=lambda text: html.escape(text, quote=False),
)


def parse_srt(document: str) -> Iterator[Segment]:
    """The text of each subtitle, its lines together."""
    return _parse(document, SUBRIP)


def parse_vtt(document: str) -> Iterator[Segment]:
    """The text of each cue; notes and styles stay."""
    return _parse(document, WEBVTT)


def _parse(document, inline):
    is_text = False
    spans: list[Span] = []
    for start, end in line_spans(document):
        body = document[start:end].strip()
        if is_text and _TIMES.match(body) and spans:
            # A cue without a blank line before it; what stands there is its number.
            if document[slice(*spans[-1])].isdecimal():
                spans.pop()
            if spans:
                yield from _cue(document, spans, inline)
            spans = []
            continue
        if body and is_text:
            begin = document.index(body, start)
            spans.append((begin, begin + len(body)))
            continue
        if spans:
            yield from _cue(document, spans, inline)
        is_text, spans = bool(_TIMES.match(body)), []
    if spans:
        yield from _cue(document, spans, inline)


def _cue(document, spans, inline):
    """A cue as one segment; what several speakers say as one of each."""
    groups = [[spans[0]]]
    for span in spans[1:]:
        if document[span[0]] in "-\u2013\u2014\u2010":
            groups.append([span])
        else:
            groups[-1].append(span)
    for group in groups:
        begin, end = group[0][0], group[-1][1]
        if not LETTER.search(document, begin, end):
            continue
        dash = re.match(r"[-\u2013\u2014\u2010]\s*", document[begin:end])
        begin += dash.end() if dash else 0
        between = document[group[0][1] : group[1][0]] if len(group) > 1 else "\n"
        text = " ".join(document[begin:end].split())
        yield Segment(begin, end, text, inline, _writer(len(group), between))


def _writer(count, between):
    def write(translation):
        return between.join(balance_lines(translation, count))

    return write
