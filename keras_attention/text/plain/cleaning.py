"""What happens to text before it is cut, in plain Python."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras_attention.text.arguments import encode_strings
from keras_attention.text.cleaning_rules import NMT, NMT_KEPT, NUL, CleaningRules
from keras_attention.text.plain.later_characters import LATER_CAPITALS

_LATER_CAPITALS = re.compile(f"([{LATER_CAPITALS}])")

Change = Callable[[str], str]


@dataclass(frozen=True)
class Cleaning(CleaningRules):
    """Makes valid text of strings, normalizes it and lower-cases it, as asked for.

    Bytes that are no UTF-8 become U+FFFD. Symbols stay as they are.

    Example:
    >>> Cleaning(lowercase=True, symbols=("<URL>",))(["ÉTÉ <URL>"])
    ['été <URL>']
    """

    def __call__(self, strings: Any) -> list[str]:
        """Returns clean text.

        Args:
            strings: List or array `(batch,)` of `str` or `bytes`.

        Raises:
            ValueError: If `strings` is no batch of strings.
        """
        decoded = (text.decode("utf-8", "replace") for text in encode_strings(strings))
        return [self._clean(text) for text in decoded]

    def _clean(self, text: str) -> str:
        if self.nul_is_blank:
            text = text.replace("\0", " ")
        if self.is_nmt:
            text = _change(text, _normalize_nmt, self.kept(NMT_KEPT))
        elif self.normalizes:
            text = _change(text, _normalize, self.kept())
        if self.lowers:
            text = _change(text, _lower, self.kept(NUL))
        return text


def _change(text: str, change: Change, kept: str) -> str:
    """Changes what does not match the pattern `kept`."""
    if not kept:
        return change(text)
    parts = re.split(f"({kept})", text)
    parts[::2] = map(change, parts[::2])
    return "".join(parts)


def _lower(text: str) -> str:
    parts = _LATER_CAPITALS.split(text)
    parts[::2] = [part.lower() for part in parts[::2]]
    return "".join(parts)


def _normalize(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _normalize_nmt(text: str) -> str:
    for pattern, rewrite in NMT:
        text = re.sub(pattern, rewrite, text)
    return _normalize(text)
