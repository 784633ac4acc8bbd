"""JSON: the strings that are values, not the keys."""

import json
import re
from collections.abc import Iterator

from keras_attention.documents.segments import Inline, Segment
from keras_attention.documents.wrapping import LETTER

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_KEY = re.compile(r"\s*:")
MARKS = Inline(marks=re.compile(r"</?[A-Za-z][^<>]*>"))


def parse(document: str) -> Iterator[Segment]:
    """The values that are strings with letters.

    Raises:
        ValueError: for what is no JSON.
    """
    try:
        json.loads(document)
    except ValueError as error:
        raise ValueError(f"The document is not JSON: {error}") from error
    is_ascii = document.isascii()

    def write(translation: str) -> str:
        return json.dumps(translation, ensure_ascii=is_ascii)

    for match in _STRING.finditer(document):
        text = json.loads(match[0])
        if LETTER.search(text) and not _KEY.match(document, match.end()):
            yield Segment(*match.span(), text, MARKS, write)
