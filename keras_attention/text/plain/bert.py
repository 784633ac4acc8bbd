"""Text as BERT reads it: without control characters, cut into words and marks.

It is what tensorflow-text does, character by character: a character's neighbours change
nothing.
"""

import unicodedata
from typing import NamedTuple

from keras_attention.optional_packages import needs

# Blocks of Han characters, by which BERT means Chinese.
_HAN = (
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df"
    "\U0002a700-\U0002ceaf\U0002f800-\U0002fa1f"
)
# Marks, the symbols of ASCII among them.
_MARK = rf"\p{{P}}!-/:-@\[-`{{-~{_HAN}"


class Cleaned(NamedTuple):
    """Text that was changed character by character."""

    text: str
    origins: list[int]
    """Where each character comes from in the text before, and the end of that."""


class Bert:
    """What happens to text before its words are cut into pieces.

    Args:
        lowercase: Whether to lower-case text and to strip its accents.
        by: Who needs it, for the message.

    Raises:
        ImportError: Without the package `regex`.
    """

    def __init__(self, lowercase: bool, by: str) -> None:
        with needs("regex", extra="text", by=by):
            import regex
        self._lowercase = lowercase
        self._words = regex.compile(rf"[{_MARK}]|[^\p{{White_Space}}{_MARK}]+")
        self._unseen = regex.compile(r"[\p{Cc}\p{Cf}]")
        self._ignored = regex.compile(r"\p{Default_Ignorable_Code_Point}")
        # U+1171E was an accent up to Unicode's version 15, by which they are found
        self._accents = regex.compile("[\\p{Mn}\U0001171e]")
        self._changes: dict[str, str] = {}

    def clean(self, text: str) -> Cleaned:
        """Makes blanks of control characters, and lower-cases if asked for.

        Args:
            text: Any.
        """
        for character in {*text} - self._changes.keys():
            self._changes[character] = self._change(character)
        changed = [self._changes[character] for character in text]
        origins = [
            index for index, characters in enumerate(changed) for _ in characters
        ]
        return Cleaned("".join(changed), [*origins, len(text)])

    def words(self, text: str) -> list[tuple[int, int]]:
        """Returns where each word or mark begins and ends.

        Args:
            text: As `clean` returns it.
        """
        return [match.span() for match in self._words.finditer(text)]

    def _change(self, character: str) -> str:
        text = character
        if self._lowercase:
            text = unicodedata.normalize("NFD", self._fold(character))
            text = self._accents.sub("", text)
        return self._unseen.sub(" ", text)

    def _fold(self, character: str) -> str:
        """Unicode's NFKC_Casefold."""
        before, text = "", unicodedata.normalize("NFKC", character)
        while text != before:
            before, folded = text, self._ignored.sub("", text.casefold())
            text = unicodedata.normalize("NFKC", folded)
        return text
