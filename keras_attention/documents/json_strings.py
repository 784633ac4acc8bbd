"""JSON: the strings that are values, not the keys."""

import json
import re
from collections.abc import Iterator

from keras_attention.documents.markup import TAG
from keras_attention.documents.segments import Inline, Segment
from keras_attention.documents.wrapping import LETTER

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.S)
_KEY = re.compile(r"\s*:")
_SELECTS = re.compile(r"\{\s*\w+\s*,\s*(?:plural|select|selectordinal)\s*,")
MARKS = Inline(marks=re.compile(TAG))


def parse(document: str) -> Iterator[Segment]:
    """The values that are strings with letters.

    What a key that begins with `@` says of others stays (application resource bundles),
    as do messages that select one of several texts (ICU).

    Raises:
        ValueError: for what is not JSON.
    """
    try:
        json.loads(document)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The document is not JSON: {error}") from error
    is_ascii = document.isascii()

    def write(translation: str) -> str:
        return json.dumps(translation, ensure_ascii=is_ascii)

    key, kept = "", [False]  # whether what is open stays, the innermost last
    for match in _TOKEN.finditer(document):
        token = match[0]
        if token in "[{":
            kept.append(kept[-1] or key.startswith("@"))
        elif token in "]}":
            kept.pop()
        elif _KEY.match(document, match.end()):
            key = json.loads(token)
        else:
            text = json.loads(token)
            stays = kept[-1] or key.startswith("@") or _SELECTS.search(text)
            if LETTER.search(text) and not stays:
                yield Segment(*match.span(), text, MARKS, write)
