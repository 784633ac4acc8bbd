"""Catalogs of gettext (`.po`): the messages that have no translation yet."""

import re
from collections.abc import Iterator
from itertools import pairwise

from keras_attention.documents.json_strings import MARKS
from keras_attention.documents.segments import Segment
from keras_attention.documents.wrapping import LETTER

_QUOTED = r'"(?:[^"\\\r\n]|\\.)*"'
_STRINGS = rf"{_QUOTED}(?:[ \t]*\r?\n[ \t]*{_QUOTED})*"
_ENTRY = re.compile(
    rf"(?:^msgctxt[ \t]+{_STRINGS}[ \t]*\r?\n)?"
    rf"^msgid[ \t]+(?P<one>{_STRINGS})[ \t]*\r?\n"
    rf"(?:^msgid_plural[ \t]+(?P<many>{_STRINGS})[ \t]*\r?\n)?"
    rf"(?P<strings>(?:^msgstr(?:\[\d+\])?[ \t]+{_STRINGS}[ \t]*(?:\r?\n|\Z))+)",
    re.M,
)
_MSGSTR = re.compile(rf"msgstr(?:\[\d+\])?[ \t]+(?P<string>{_STRINGS})")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "b": "\b"}
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))", re.S)
_WRITTEN = {
    "\\": "\\\\",
    '"': '\\"',
    **{char: f"\\{n}" for n, char in _ESCAPES.items()},
}


def parse(document: str) -> Iterator[Segment]:
    """The messages without a translation; with one they are marked as fuzzy.

    Of a message with plural forms, the singular becomes the first of them and the
    plural all others.
    """
    ending = "\r\n" if "\r\n" in document else "\n"
    for entry in _ENTRY.finditer(document):
        text, strings = _read(entry["one"]), _places(entry)
        empty = [_read(document[start:end]) == "" for start, end in strings]
        if not LETTER.search(text) or not all(empty):
            continue
        flag, mark = _flag_place(document, entry.start(), ending)
        first, *others = strings
        if entry["many"] and not others:  # of a language that has one form
            text = _read(entry["many"])
        marked = [(flag, flag), first] if mark else [first]
        yield _segment(document, text, marked, mark, ending)
        if others and entry["many"]:
            yield _segment(document, _read(entry["many"]), others, "", ending)


def _segment(document, text, places, mark, ending):
    """One whose translation stands at each of some places, a mark at an empty one."""
    gaps = [document[end:start] for (_, end), (start, _) in pairwise(places)]

    def write(translation):
        quoted = _write(translation, ending)
        strings = [mark or quoted, *[quoted] * (len(places) - 1)]
        return "".join(
            f"{string}{gap}" for string, gap in zip(strings, [*gaps, ""], strict=True)
        )

    return Segment(places[0][0], places[-1][1], text, MARKS, write, is_new=True)


def _places(entry):
    """Where the strings of an entry stand."""
    start = entry.start("strings")
    return [
        (start + match.start("string"), start + match.end("string"))
        for match in _MSGSTR.finditer(entry["strings"])
    ]


def _flag_place(document, start, ending):
    """Where the flag of a fuzzy message stands, and what is to be written there."""
    place = start
    while start:  # the comments before it, upwards
        begin = document.rfind("\n", 0, start - 1) + 1
        line = document[begin:start]
        if line.startswith("#,"):
            is_fuzzy = "fuzzy" in re.split(r"[,\s]+", line)
            return begin + len("#,"), "" if is_fuzzy else " fuzzy,"
        if not line.startswith("#"):
            break
        if line.startswith("#|"):
            place = begin
        start = begin
    return place, f"#, fuzzy{ending}"


def _read(strings):
    """What quoted strings hold together."""

    def replace(match):
        if match[1] or match[2]:
            return chr(int(match[1], 8) if match[1] else int(match[2], 16))
        return _ESCAPES.get(match[3], match[3])

    quoted = re.findall(_QUOTED, strings)
    return "".join(_ESCAPE.sub(replace, one[1:-1]) for one in quoted)


def _write(text, ending):
    """A quoted string; of several lines one for each."""
    lines = [
        "".join(_WRITTEN.get(char, char) for char in line)
        for line in text.splitlines(keepends=True)
    ]
    if len(lines) < 2:
        return f'"{"".join(lines)}"'
    return ending.join(['""', *(f'"{line}"' for line in lines)])
