"""XLIFF 1.2 and 2: the units that have no translation yet."""

import html
import re
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from keras_attention.documents.segments import Inline, Segment
from keras_attention.documents.wrapping import LETTER

_CODE = "bpt|ept|ph|it"
INLINE = Inline(
    marks=re.compile(
        rf"<(?P<code>{_CODE})\b[^<>]*>[^<]*</(?P=code)\s*>|<[^<>]+>", re.S
    ),
    decode=html.unescape,
    encode=lambda text: html.escape(text, quote=False),
)
_UNITS = ("trans-unit", "segment")
_OTHERS = ("alt-trans", "matches")  # what tools propose


def parse(document: str) -> Iterator[Segment]:
    """The sources whose target is missing or empty; what is written is marked so.

    Targets of XLIFF 1.2 get the state `needs-review-translation`, those of XLIFF 2 are
    in a segment that keeps its state.

    Raises:
        ValueError: for what is no XML.
    """
    reader = _Reader(document)
    for unit in reader.units:
        source, target = unit.get("source"), unit.get("target")
        if source is None or unit["is_kept"]:
            continue
        text = document[source[1] : source[2]]
        bare = INLINE.marks.sub("", text)  # type: ignore[union-attr]
        has_target = target is not None and document[target[1] : target[2]].strip()
        if has_target or not LETTER.search(bare):
            continue
        yield _segment(document, text, source, target, unit["name"])


def _segment(document, text, source, target, unit):
    prefix = document[source[0] + 1 :].split("source", 1)[0]  # of a name space
    state = ' state="needs-review-translation"' if unit == "trans-unit" else ""
    line = document.rfind("\n", 0, source[0]) + 1
    indentation = document[line : source[0]]
    is_alone = not indentation.strip()
    ending = "\r\n" if document[:line].endswith("\r\n") else "\n"
    before = f"{ending}{indentation}" if is_alone and line and target is None else ""
    start, end = (source[3], source[3]) if target is None else (target[0], target[3])

    def write(translation):
        return f"{before}<{prefix}target{state}>{translation}</{prefix}target>"

    return Segment(start, end, text, INLINE, write, is_new=True)


class _Reader:
    """Units of a document: where their sources and targets begin and end."""

    def __init__(self, document: str) -> None:
        self.units: list[dict[str, Any]] = []
        self._bytes = document.encode()
        self._open: list[dict[str, Any]] = []
        self._begun: dict[str, tuple[int, int]] = {}
        self._kept = 0  # how many elements around say that nothing is to be translated
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        try:
            self._parser.Parse(self._bytes, True)
        except expat.ExpatError as error:
            raise ValueError(f"The document is not XML: {error}") from error

    def _start(self, name, attributes):
        name = name.rpartition(":")[2]
        if self._kept or name in _OTHERS or attributes.get("translate") == "no":
            self._kept += 1
        if name in _UNITS:
            unit = {"name": name, "is_kept": self._kept > 0}
            self.units.append(unit)
            self._open.append(unit)
        elif name in ("source", "target") and self._open and not self._kept:
            begin = self._parser.CurrentByteIndex
            self._begun[name] = begin, self._bytes.index(b">", begin) + 1

    def _end(self, name):
        name = name.rpartition(":")[2]
        self._kept = max(0, self._kept - 1)
        if name in _UNITS:
            self._open.pop()
        elif name in self._begun and self._open:
            begin, inner = self._begun.pop(name)
            end = self._parser.CurrentByteIndex
            if self._bytes[inner - 2 : inner] == b"/>":
                places = begin, inner, inner, inner
            else:
                places = begin, inner, end, self._bytes.index(b">", end) + 1
            self._open[-1][name] = tuple(map(self._character, places))

    def _character(self, place):
        return len(self._bytes[:place].decode())
