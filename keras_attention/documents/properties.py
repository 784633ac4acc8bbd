"""Properties of Java (`.properties`): the values."""

import re
from collections.abc import Iterator

from keras_attention.documents.json_strings import MARKS
from keras_attention.documents.segments import Segment
from keras_attention.documents.wrapping import LETTER

# A line that is no comment, with those that continue it.
_ENTRY = re.compile(
    r"^[ \t\f]*(?![#!\s])(?P<key>(?:\\.|[^\\:=\s])+)[ \t\f]*(?:[:=][ \t\f]*)?"
    r"(?P<value>(?:\\\r?\n|\\.|[^\\\r\n])*)",
    re.M | re.S,
)
_CONTINUED = re.compile(r"\\\r?\n[ \t\f]*")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.S)
_NAMED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def parse(document: str) -> Iterator[Segment]:
    """The values with letters; comments and keys stay."""
    is_ascii = document.isascii()

    def write(translation: str) -> str:
        return _escape(translation, is_ascii)

    for match in _ENTRY.finditer(document):
        text = _unescape(_CONTINUED.sub("", match["value"]))
        if LETTER.search(text):
            yield Segment(*match.span("value"), text, MARKS, write)


def _unescape(value):
    def replace(match):
        if match[1]:
            return chr(int(match[1], 16))
        return _NAMED.get(match[2], match[2])

    # Characters beyond the first 65,536 are two escapes.
    units = _ESCAPE.sub(replace, value)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _escape(text, is_ascii):
    names = {char: f"\\{name}" for name, char in _NAMED.items()}
    written = "".join(names.get(char, char) for char in text.replace("\\", "\\\\"))
    if written.startswith(" "):
        written = f"\\{written}"
    if not is_ascii or written.isascii():
        return written
    units = written.encode("utf-16-be")
    pairs = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(chr(unit) if unit < 128 else f"\\u{unit:04x}" for unit in pairs)
