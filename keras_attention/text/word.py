"""A tokenizer of words and punctuation marks that can be put together again.

Glossary: B = batch, T = tokens.
"""

from collections.abc import Iterable, Sequence
from typing import Self

import tensorflow as tf

from keras_attention.text.arguments import check_symbols
from keras_attention.text.cleaning import NORMALIZATIONS, Cleaning
from keras_attention.text.pieces import FIRST
from keras_attention.text.strings import check_corpus
from keras_attention.text.vocabulary import (
    VocabularyTokenizer,
    frequent_pieces,
    lookup_table,
)
from keras_attention.text.word_patterns import (
    BLANKS,
    FORMAT,
    JOINED,
    UNSPACED,
    Steps,
    by_surface,
    cutting_steps,
    word_steps,
)


class WordTokenizer(VocabularyTokenizer):
    """Cuts text into words and punctuation marks.

    A word is a run of letters, digits, combining marks and format characters of any
    script; an apostrophe between letters stays inside ("don't"), except next to
    Hangul, Han and Kana, where it is a quotation mark. Every other character is a
    piece of its own, which remembers at which sides no blank stood: punctuation,
    symbols, the zero-width space between words, and all white space but blanks. Blanks
    are U+0020 and the characters before it, tab and line feed among them; each run of
    them becomes one space, and those at the ends are left out. So known text comes
    back exactly, but for its blanks; an unknown word comes back as U+2047.

    What the vocabulary does not know is read as what is nearest: a mark with new
    spacing as the same mark with its most frequent spacing, a word with format
    characters (soft hyphens, joiners, marks of direction) as the word without them,
    and white space as a blank.

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
        ImportError: Without tensorflow-text, which `normalization` may need.

    Example:
    >>> tokenizer = WordTokenizer.train(["I don't know, do you?"])
    >>> ids = tokenizer.tokenize(["you don't, do you?"])
    >>> [piece.decode() for piece in tokenizer.tokens(ids).numpy()[0]]
    ['you', "don't", ',', 'do', 'you', '?']
    >>> tokenizer.detokenize(ids).numpy()[0].decode()
    "you don't, do you?"
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
        ids = by_surface(vocabulary, FIRST)
        surfaces = [surface.encode() for surface in ids]
        self._by_surface = lookup_table(surfaces, ids.values())
        self._steps = word_steps(ids, self.user_symbols)

    @classmethod
    def train(
        cls,
        lines: Iterable[str],
        vocabulary_size: int | None = None,
        *,
        lowercase: bool = False,
        minimum_count: int = 1,
        normalization: str = NORMALIZATIONS[0],
        user_symbols: Iterable[str] = (),
    ) -> Self:
        """Makes a tokenizer of the words of a corpus, frequent ones first.

        Args:
            lines: The corpus.
            vocabulary_size: How many ids there may be, the four special ones
                included; `None` keeps every word.
            lowercase: Whether to lower-case, now and in `tokenize`.
            minimum_count: How often a word must occur to be kept.
            normalization: How to normalize, now and in `tokenize`: `"identity"`,
                which keeps text as it is, or a rule of `SentencePieceTokenizer`.
            user_symbols: Strings without blanks, such as `"<URL>"`, of which each
                gets four ids, for the blanks at its sides. They are never cut,
                normalized or lower-cased.

        Raises:
            ValueError: If the corpus holds no text, the arguments leave no word, or
                one of them is none of its values.
            ImportError: Without tensorflow-text, which `normalization` may need.
        """
        symbols = check_symbols("user_symbols", user_symbols)
        cleaning = Cleaning(lowercase, normalization, symbols)
        chunks = cleaning.chunks(check_corpus(lines))
        steps = ((f"{BLANKS}+", " "), *cutting_steps(symbols, True))
        spaced = [
            f"{left}{symbol}{right}"
            for symbol in symbols
            for left in ("", JOINED)
            for right in ("", JOINED)
        ]
        words = (_words(chunk, steps) for chunk in chunks)
        return cls(
            frequent_pieces(words, vocabulary_size, minimum_count, spaced),
            lowercase,
            normalization=normalization,
            user_symbols=symbols,
        )

    def _to_ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        words = _words(text, self._steps)  # (B, T)
        pieces = words.flat_values
        ids = self._vocabulary.ids(pieces)
        surfaces = _surfaces(pieces)
        visible = tf.strings.regex_replace(surfaces, FORMAT, "")
        for nearest in (surfaces, visible):
            ids = tf.where(ids < FIRST, self._by_surface.lookup(nearest), ids)
        return words.with_flat_values(ids)

    def _to_parts(self, text: tf.Tensor) -> tf.RaggedTensor:
        words = _words(text, self._steps)  # (B, T)
        return words.with_flat_values(_surfaces(words.flat_values))

    def _to_text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        spaced = self._vocabulary.join(ids, separator=" ")
        return tf.strings.regex_replace(spaced, UNSPACED, "")

    def _pieces(self, ids: tf.Tensor) -> tf.Tensor:
        return _surfaces(super()._pieces(ids))


def _words(text: tf.Tensor, steps: Steps) -> tf.RaggedTensor:
    """Pieces `(batch, tokens)` of valid UTF-8 strings `(batch,)`."""
    for pattern, rewrite in steps:
        text = tf.strings.regex_replace(text, pattern, rewrite)
    return tf.strings.split(text)


def _surfaces(pieces: tf.Tensor) -> tf.Tensor:
    return tf.strings.regex_replace(pieces, JOINED, "")
