"""A tokenizer of words and punctuation marks, in plain Python."""

from collections.abc import Sequence

from keras_attention.optional_packages import needs
from keras_attention.special_ids import UNKNOWN
from keras_attention.text.cleaning_rules import NORMALIZATIONS
from keras_attention.text.pieces import FIRST
from keras_attention.text.plain.later_characters import LATER_LETTERS
from keras_attention.text.plain.vocabulary import VocabularyTokenizer
from keras_attention.text.word_patterns import (
    FORMAT,
    UNSPACED,
    by_surface,
    surface,
    word_steps,
)


class WordTokenizer(VocabularyTokenizer):
    r"""Cuts text into words and punctuation marks.

    Args:
        vocabulary: The pieces, in the order of their ids, beginning at id 4.
            U+001E at a side of a mark says that it is joined to its neighbour.
        lowercase: Whether to lower-case the input.
        normalization: How to normalize the input.
        user_symbols: Pieces of the vocabulary that are never cut, normalized or
            lower-cased, and are marks whatever they are made of.

    Raises:
        ValueError: If `vocabulary` is empty, names a piece twice, holds an empty
            string or lacks a symbol, or another argument is none of its values.
        ImportError: Without the package `regex`.

    Example:
    >>> tokenizer = WordTokenizer(["you", "don't", "\x1e,", "do", "\x1e?"])
    >>> ids = tokenizer.tokenize(["you don't, do you?"])
    >>> tokenizer.tokens(ids)
    [['you', "don't", ',', 'do', 'you', '?']]
    >>> tokenizer.detokenize(ids)
    ["you don't, do you?"]
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        lowercase: bool = False,
        *,
        normalization: str = NORMALIZATIONS[0],
        user_symbols: Sequence[str] = (),
    ) -> None:
        super().__init__(
            vocabulary,
            lowercase,
            normalization=normalization,
            user_symbols=user_symbols,
        )
        with needs("regex", extra="text", by="WordTokenizer"):
            import regex
        self._by_surface = by_surface(vocabulary, FIRST)
        self._steps = [
            (regex.compile(pattern), rewrite)
            for pattern, rewrite in word_steps(
                self._by_surface, self.user_symbols, LATER_LETTERS
            )
        ]
        self._format = regex.compile(FORMAT)
        self._unspaced = regex.compile(UNSPACED)

    def _to_ids(self, text: str) -> list[int]:
        return [self._id(word) for word in self._words(text)]

    def _to_parts(self, text: str) -> list[str]:
        return [surface(word) for word in self._words(text)]

    def _to_text(self, ids: list[int]) -> str:
        return self._unspaced.sub("", self._join(ids, separator=" "))

    def _piece(self, piece_id: int) -> str:
        return surface(super()._piece(piece_id))

    def _words(self, text: str) -> list[str]:
        for pattern, rewrite in self._steps:
            text = pattern.sub(rewrite, text)
        return [word for word in text.split(" ") if word]

    def _id(self, word: str) -> int:
        """The id of what is nearest."""
        if word in self._ids:
            return self._ids[word]
        plain = surface(word)
        visible = self._format.sub("", plain)
        return self._by_surface.get(plain, self._by_surface.get(visible, UNKNOWN))
