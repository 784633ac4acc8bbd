"""Tokens as labels for the axes of a map."""

import unicodedata
from collections.abc import Iterable
from typing import Any

WORD_MARK = "\u2581"
"""How sentencepiece writes the blank before a word."""
VISIBLE_BLANK = "\u2423"
REPLACEMENT = "\ufffd"
LONGEST = 24
"""The most characters of a label; a longer token is cut."""


def token_label(token: str | bytes) -> str:
    """Return a token as a person reads it, on one line.

    The word mark of sentencepiece and other blanks around a token are left out; a token
    of nothing else is shown as U+2423, the open box.

    Args:
        token: the piece; bytes are read as UTF-8.

    Example:
    >>> [token_label(token) for token in ("\u2581name", b"li", "\u2581", "")]
    ['name', 'li', '␣', '']
    """
    text = token.decode(errors="replace") if isinstance(token, bytes) else str(token)
    # One form for a syllable, whether it came composed or as single letters.
    text = unicodedata.normalize("NFC", text.replace(WORD_MARK, " "))
    words = "".join(map(_printable, text)).split()
    if text and not words:
        return VISIBLE_BLANK
    label = " ".join(words)
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"


def token_labels(name: str, tokens: Any, size: int, axis: str) -> list[str]:
    """Return the labels of an axis, one for each row or column of the map.

    Args:
        name: of the argument that holds the tokens, for messages.
        tokens: `str` or `bytes`, in a list, an array or a string tensor.
        size: number of rows or columns.
        axis: what they are called, for messages.

    Raises:
        ValueError: for anything but strings, or another number of them.
    """
    if hasattr(tokens, "numpy"):
        tokens = tokens.numpy()
    single = isinstance(tokens, str | bytes) or not isinstance(tokens, Iterable)
    listed = [] if single else list(tokens)
    if single or not all(isinstance(token, str | bytes) for token in listed):
        raise ValueError(f"`{name}` must be a list of strings. Received: {tokens!r}")
    if len(listed) != size:
        raise ValueError(
            f"`{name}` must name each {axis} of `weights`. Received: {len(listed)} "
            f"tokens for {size} {axis}s"
        )
    return [token_label(token) for token in listed]


def _printable(character: str) -> str:
    if character.isspace():
        return " "
    return character if character.isprintable() else REPLACEMENT
