"""How a `WordTokenizer` cuts text and puts it together again, as regular expressions.

RE2 and the package `regex` read them alike.
"""

import unicodedata
from collections.abc import Collection, Iterable, Sequence

from keras_attention.text.cleaning_rules import any_of

# U+0000 to U+001F are blanks, so neither mark can come from the text.
JOINED = "\x1e"
"""In a piece: no blank between the mark at this side and its neighbour."""
CUT = "\x1f"
"""While splitting: a piece ends here."""
FORMAT = r"\p{Cf}"
"""Format characters."""
BLANKS = r"[\x00-\x20]"
"""A blank, of which runs become one space."""
# Khmer, Thai and others write it between words.
ZERO_WIDTH_SPACE = "\u200b"
"""What is a mark where the vocabulary holds it."""
UNSPACED = f" ?{JOINED} ?"
"""A mark's sign of being joined, and the blank beside it, in joined pieces."""

_LETTERS = rf"\p{{L}}\p{{M}}\p{{N}}{FORMAT}"
# Korean, Chinese and Japanese continue without a blank after a closing quote.
_SPELLED = rf"[^{CUT} \p{{Hangul}}\p{{Han}}\p{{Hiragana}}\p{{Katakana}}]"
_APOSTROPHE = (
    f"({_SPELLED}){CUT}{JOINED}(['\u2019]){JOINED}{CUT}({_SPELLED})",
    r"\1\2\3",
)
_SPACING = (
    # nothing to the left, nothing to the right, a mark to the right
    (f"(^| ){CUT}{JOINED}", rf"\1{CUT}"),
    (f"{JOINED}{CUT}( |$)", rf"{CUT}\1"),
    (f"{JOINED}{CUT}{CUT}{JOINED}", f"{CUT}{CUT}{JOINED}"),
    # twice, because one pass takes every other of a'b'c only
    _APOSTROPHE,
    _APOSTROPHE,
    (CUT, " "),
)

Steps = tuple[tuple[str, str], ...]
"""Patterns and what replaces them, one after the other."""


def unknown_read_as_blank(known: Iterable[str]) -> Steps:
    """White space and control characters that no piece holds, and blanks, to a space.

    Format characters that no piece holds are left out.

    Args:
        known: The pieces.
    """
    seen = {
        character
        for piece in known
        for character in piece
        if unicodedata.category(character)[0] in "ZC"
    }
    but = "".join(map(_escape, sorted(seen)))
    blanks = [BLANKS, rf"[^\P{{Z}}{but}]", rf"[^\P{{Cc}}{but}]"]
    if ZERO_WIDTH_SPACE not in seen:
        blanks.append(ZERO_WIDTH_SPACE)
    return ((f"(?:{'|'.join(blanks)})+", " "), (rf"[^\P{{Cf}}{but}]", ""))


def _escape(character: str) -> str:
    code = ord(character)
    return rf"\x{code:02x}" if code < 0x100 else character


def cutting_steps(
    symbols: Sequence[str], cuts_at_zero_width: bool, later: str = ""
) -> Steps:
    """Replacements that leave one blank between each two pieces.

    Args:
        symbols: What is never cut.
        cuts_at_zero_width: Whether U+200B is a mark.
        later: Characters, and ranges of them, that are marks although the reader of the
            patterns knows them for something else. RE2 cannot read it.
    """
    marks, format_characters = any_of(symbols), FORMAT
    if cuts_at_zero_width:
        marks.append(ZERO_WIDTH_SPACE)
        format_characters = rf"[^\P{{Cf}}{ZERO_WIDTH_SPACE}]"
    mark, accent = rf"[^{_LETTERS} ]", r"\p{M}"
    if later:
        mark, accent = f"(?:[{later}]|{mark})", f"(?![{later}]){accent}"
    marks.append(f"{mark}(?:{accent}|{format_characters})*")
    cutting = "|".join(marks).join("()"), rf"{CUT}{JOINED}\1{JOINED}{CUT}"
    # an apostrophe that is a symbol stays apart
    never = _APOSTROPHE if {"'", "\u2019"} & {*symbols} else None
    return (cutting, *(step for step in _SPACING if step is not never))


def surface(piece: str) -> str:
    """Returns a piece without its signs of being joined.

    Args:
        piece: Of a vocabulary.

    Example:
    >>> surface(f",{JOINED}")
    ','
    """
    return piece.replace(JOINED, "")


def by_surface(vocabulary: Sequence[str], first: int) -> dict[str, int]:
    """Returns the first id of each surface.

    Args:
        vocabulary: The pieces, in the order of their ids.
        first: The id of the first of them.
    """
    ids: dict[str, int] = {}
    for piece_id, piece in enumerate(vocabulary, first):
        ids.setdefault(surface(piece), piece_id)
    return ids


def word_steps(
    surfaces: Collection[str], symbols: Sequence[str], later: str = ""
) -> Steps:
    """Returns how a tokenizer cuts text.

    Args:
        surfaces: Of its vocabulary.
        symbols: As in `cutting_steps`.
        later: Likewise.
    """
    return (
        *unknown_read_as_blank(surfaces),
        *cutting_steps(symbols, ZERO_WIDTH_SPACE in surfaces, later),
    )
