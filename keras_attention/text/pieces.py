"""The pieces of a vocabulary: the special ones, and a check of the others."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

SPECIAL_PIECES = ("", "<unk>", "<s>", "</s>")
"""How `tokens` shows the ids 0 to 3."""
UNKNOWN_TEXT = "\u2047"
"""How `detokenize` renders an unknown word or character."""
FIRST = len(SPECIAL_PIECES)
"""The id of a vocabulary's first piece."""


def encode_pieces(pieces: Any) -> list[bytes]:
    """Returns pieces as UTF-8.

    Args:
        pieces: List of strings.

    Raises:
        ValueError: If there is no piece, a piece is empty or no string, or one
            stands twice.
    """
    if not isinstance(pieces, list | tuple) or not pieces:
        raise ValueError(
            "`vocabulary` must be a list of at least one piece. "
            f"Received: vocabulary={pieces!r}"
        )
    for piece in pieces:
        if not isinstance(piece, str) or not piece:
            raise ValueError(
                "`vocabulary` must hold strings that are not empty. "
                f"Received: {piece!r}"
            )
    doubled = [piece for piece, count in Counter(pieces).items() if count > 1]
    if doubled:
        raise ValueError(
            f"`vocabulary` must hold each piece once. Received: {doubled[0]!r} twice"
        )
    return [piece.encode() for piece in pieces]


def check_held(symbols: Sequence[str], vocabulary: Sequence[str]) -> None:
    """Checks that a vocabulary holds the symbols of its tokenizer.

    Args:
        symbols: What is never cut.
        vocabulary: The pieces.

    Raises:
        ValueError: If it lacks one.
    """
    missing = [symbol for symbol in symbols if symbol not in vocabulary]
    if missing:
        raise ValueError(
            "`vocabulary` must hold each of `user_symbols`. "
            f"Received: user_symbols={symbols!r}, of which {missing[0]!r} is none "
            "of the pieces"
        )


def check_single(vocabulary: Sequence[str], symbols: Sequence[str]) -> None:
    """Checks that a vocabulary holds symbols and single characters alone.

    Args:
        vocabulary: The pieces.
        symbols: What may be longer.

    Raises:
        ValueError: If it holds another longer string.
    """
    for piece in vocabulary:
        if len(piece) > 1 and piece not in symbols:
            raise ValueError(
                f"`vocabulary` must hold single characters. Received: {piece!r}"
            )
