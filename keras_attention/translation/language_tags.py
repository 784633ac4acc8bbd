"""Tags by which a model of several languages is told what to write."""

import re
from typing import Any

_TAG = re.compile(r"<2([^<>\s]+)>|>>([^<>\s]+)<<")


def tag_of(language: str) -> str:
    """The piece that asks for a language (Johnson et al. 2017): `"<2fr>"`."""
    return f"<2{language}>"


def add_tag(text: Any, tag: str) -> Any:
    """A text, a string or bytes, after a tag; what is blank stays as it is."""
    if not text.strip():
        return text
    if isinstance(text, bytes):
        return f"{tag} ".encode() + text
    return f"{tag} {text}"


def without_tag(text: str) -> str:
    """A text without the tag that it begins with, if it does."""
    tag, _, rest = text.partition(" ")
    return rest if _TAG.fullmatch(tag) else text


def find_tags(tokenizer: Any) -> dict[str, str]:
    """The tags of languages that a tokenizer has pieces of, by language.

    Args:
        tokenizer: of the sources: one with `user_symbols` such as `"<2fr>"`, or that of
            a Marian model with pieces such as `">>fra<<"`; `None` has none.
    """
    pieces = getattr(tokenizer, "user_symbols", ())
    pieces = pieces or getattr(tokenizer, "vocabulary", ())
    found = ((_TAG.fullmatch(piece), piece) for piece in pieces)
    return {match[1] or match[2]: piece for match, piece in found if match}
