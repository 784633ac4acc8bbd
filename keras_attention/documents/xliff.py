"""XLIFF 1.2 and 2: the units that have no translation yet."""

import html
import re
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from keras_attention.documents.markup import COMMENT, TAG
from keras_attention.documents.segments import Inline, Segment
from keras_attention.documents.wrapping import LETTER

INLINE = Inline(
    marks=re.compile(
        rf"<(?P<code>bpt|ept|ph|it)\b[^<>]*>[^<]*</(?P=code)\s*>|{TAG}|{COMMENT}", re.S
    ),
    protected=re.compile(
        r"""<mrk\b[^<>]*(?:mtype\s*=\s*["']protected|translate\s*=\s*["']no)[^<>]*>"""
        r"(?:(?!</mrk\b).)*?</mrk\s*>",
        re.S,
    ),
    decode=html.unescape,
    encode=lambda text: html.escape(text, quote=False),
)
_UNITS = ("trans-unit", "segment")
_PARTS = ("source", "seg-source", "target")
_OTHERS = ("alt-trans", "matches")  # what tools propose
_DATA = re.compile(r"\s*<!\[CDATA\[(.*?)\]\]>\s*", re.S)
_STATE = re.compile(r"\sstate(?:-qualifier)?\s*=\s*(?:\"[^\"]*\"|'[^']*')")


def parse(document: str) -> Iterator[Segment]:
    """The sources whose target is missing or empty.

    Targets of XLIFF 1.2 get the state `needs-review-translation`; of XLIFF 2 the state
    is that of the segment, and stays.

    Raises:
        ValueError: for what is not XML.
    """
    for unit in _Reader(document).units:
        source, target = unit.get("source"), unit.get("target")
        if source is None or unit["is_kept"]:
            continue
        has_target = target is not None and document[target[1] : target[2]].strip()
        text = document[source[1] : source[2]]
        data = _DATA.fullmatch(text)
        # What is not all of one kind would have to be written in both.
        is_mixed = "<![CDATA[" in text and not data
        unmarked = data[1] if data else _without_markup(text)
        if not has_target and not is_mixed and LETTER.search(unmarked):
            yield _segment(document, data[1] if data else text, unit, bool(data))


def _without_markup(text):
    for pattern in filter(None, (INLINE.protected, INLINE.marks)):
        text = pattern.sub("", text)
    return text


def _segment(document, text, unit, is_data):
    source, target = unit["source"], unit.get("target")
    prefix = document[source[0] + 1 :].split("source", 1)[0]  # of a name space
    attributes = ""
    if target is not None:
        tag = document[target[0] : target[1]]
        attributes = tag.split("target", 1)[1].rstrip("/> \t\r\n")
    if unit["name"] == "trans-unit":
        attributes = _STATE.sub("", attributes) + ' state="needs-review-translation"'
    before = ""
    start = end = unit.get("seg-source", source)[3]
    if target is not None:
        start, end = target[0], target[3]
    else:
        line = document.rfind("\n", 0, source[0]) + 1
        indentation = document[line : source[0]]
        if line and not indentation.strip():
            ending = "\r\n" if document[:line].endswith("\r\n") else "\n"
            before = f"{ending}{indentation}"

    def write(translation):
        if is_data:
            translation = f"<![CDATA[{translation.replace(']]>', ']]&gt;')}]]>"
        return f"{before}<{prefix}target{attributes}>{translation}</{prefix}target>"

    inline = Inline(marks=re.compile(TAG)) if is_data else INLINE
    return Segment(start, end, text, inline, write, is_new=True)


class _Reader:
    """Units of a document: where their sources and targets begin and end."""

    def __init__(self, document: str) -> None:
        self.units: list[dict[str, Any]] = []
        self._bytes = document.encode()
        self._known = 0, 0  # a place in bytes, and in characters
        self._open: list[dict[str, Any]] = []
        self._begun: dict[str, tuple[int, int]] = {}
        self._kept = [False]  # whether what is open stays, the innermost last
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        try:
            self._parser.Parse(self._bytes, True)
        except expat.ExpatError as error:
            raise ValueError(f"The document is not XML: {error}") from error

    def _start(self, name, attributes):
        name = name.rpartition(":")[2]
        asked = {"no": True, "yes": False}.get(attributes.get("translate"))
        is_kept = self._kept[-1] if asked is None else asked
        self._kept.append(is_kept or name in _OTHERS)
        if name in _UNITS:
            unit = {"name": name, "is_kept": self._kept[-1]}
            self.units.append(unit)
            self._open.append(unit)
        elif name in _PARTS and self._open and not self._kept[-1]:
            begin = self._parser.CurrentByteIndex
            tag = _TAG.match(self._bytes, begin)
            self._begun[name] = begin, tag.end() if tag else begin

    def _end(self, name):
        name = name.rpartition(":")[2]
        is_kept = self._kept.pop()
        if name in _UNITS:
            self._open.pop()
        elif name in self._begun and self._open and not is_kept:
            begin, inner = self._begun.pop(name)
            end = self._parser.CurrentByteIndex
            if self._bytes[inner - 2 : inner] == b"/>":
                places = begin, inner, inner, inner
            else:
                places = begin, inner, end, self._bytes.index(b">", end) + 1
            self._open[-1][name] = tuple(map(self._character, places))

    def _character(self, place):
        known, count = self._known if self._known[0] <= place else (0, 0)
        self._known = place, count + len(self._bytes[known:place].decode())
        return self._known[1]


_TAG = re.compile(rb"""<(?:[^<>"']|"[^"]*"|'[^']*')*+>""")
