"""A tokenizer of words and punctuation marks that can be put together again.

Glossary: B = batch, T = tokens.
"""

from collections.abc import Iterable, Sequence
from typing import Self

import tensorflow as tf

from keras_attention.text.strings import check_corpus, cleaned_chunks
from keras_attention.text.vocabulary import (
    FIRST,
    VocabularyTokenizer,
    frequent_pieces,
    lookup_table,
)

# Control characters count as white space, so neither mark can come from the text.
JOINED = "\x1e"
"""In a piece: no white space between the mark at this side and its neighbour."""
CUT = "\x1f"
"""While splitting: a piece ends here."""

_LETTERS = r"\p{L}\p{M}\p{N}\p{Cf}"
_BLANKS = r"[\s\p{Z}\p{Cc}]+"
_MARK = rf"([^{_LETTERS} ][\p{{M}}\p{{Cf}}]*)"
# Korean, Chinese and Japanese go on without white space after a closing quote.
_SPELLED = rf"[^{CUT} \p{{Hangul}}\p{{Han}}\p{{Hiragana}}\p{{Katakana}}]"
_APOSTROPHE = (
    rf"({_SPELLED}){CUT}{JOINED}(['\x{{2019}}]){JOINED}{CUT}({_SPELLED})",
    r"\1\2\3",
)
_SPLITTING = (
    (_MARK, rf"{CUT}{JOINED}\1{JOINED}{CUT}"),
    # nothing to the left, nothing to the right, a mark to the right
    (f"(^| ){CUT}{JOINED}", rf"\1{CUT}"),
    (f"{JOINED}{CUT}( |$)", rf"{CUT}\1"),
    (f"{JOINED}{CUT}{CUT}{JOINED}", f"{CUT}{CUT}{JOINED}"),
    # twice, because one pass takes every other of a'b'c only
    _APOSTROPHE,
    _APOSTROPHE,
    (CUT, " "),
)


class WordTokenizer(VocabularyTokenizer):
    """Cuts text into words and punctuation marks.

    A word is a run of letters, digits and combining marks of any script; an
    apostrophe between letters stays inside ("don't"), except next to Hangul, Han
    and Kana, where it is a quotation mark. Every other visible character is a
    piece of its own, which remembers at which sides no white space stood. So known
    text comes back exactly, but for its white space, of which each run becomes one
    blank; an unknown word comes back as U+2047.

    A mark that was never seen with the spacing at hand takes the id of its most
    frequent spacing.

    Args:
        vocabulary: The pieces, in the order of their ids, beginning at id 4.
            U+001E at a side of a mark says that it is joined to its neighbour.
        lowercase: Whether to lower-case the input.

    Raises:
        ValueError: If `vocabulary` is empty, names a piece twice, or holds an
            empty string.

    Example:
    >>> tokenizer = WordTokenizer.train(["I don't know, do you?"])
    >>> ids = tokenizer.tokenize(["you don't, do you?"])
    >>> [piece.decode() for piece in tokenizer.tokens(ids).numpy()[0]]
    ['you', "don't", ',', 'do', 'you', '?']
    >>> tokenizer.detokenize(ids).numpy()[0].decode()
    "you don't, do you?"
    """

    def __init__(self, vocabulary: Sequence[str], lowercase: bool = False) -> None:
        super().__init__(vocabulary, lowercase)
        by_surface: dict[bytes, int] = {}
        for piece_id, piece in enumerate(vocabulary, FIRST):
            by_surface.setdefault(_surface(piece).encode(), piece_id)
        self._by_surface = lookup_table(list(by_surface), by_surface.values())

    @classmethod
    def train(
        cls,
        lines: Iterable[str],
        vocabulary_size: int | None = None,
        *,
        lowercase: bool = False,
        minimum_count: int = 1,
    ) -> Self:
        """Makes a tokenizer of the words of a corpus, frequent ones first.

        Args:
            lines: The corpus.
            vocabulary_size: How many ids there may be, the four special ones
                included; `None` keeps every word.
            lowercase: Whether to lower-case, now and in `tokenize`.
            minimum_count: How often a word must occur to be kept.

        Raises:
            ValueError: If the corpus holds no text, or the arguments leave no
                word.
        """
        chunks = cleaned_chunks(check_corpus(lines), lowercase)
        words = map(_words, chunks)
        pieces = frequent_pieces(words, vocabulary_size, minimum_count)
        return cls(pieces, lowercase)

    def _to_ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        words = _words(text)  # (B, T)
        pieces = words.flat_values
        ids = self._vocabulary.ids(pieces)
        respaced = self._by_surface.lookup(_surfaces(pieces))
        return words.with_flat_values(tf.where(ids < FIRST, respaced, ids))

    def _to_parts(self, text: tf.Tensor) -> tf.RaggedTensor:
        words = _words(text)  # (B, T)
        return words.with_flat_values(_surfaces(words.flat_values))

    def _to_text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        spaced = self._vocabulary.join(ids, separator=" ")
        return tf.strings.regex_replace(spaced, f" ?{JOINED} ?", "")

    def _pieces(self, ids: tf.Tensor) -> tf.Tensor:
        return _surfaces(super()._pieces(ids))


def _words(text: tf.Tensor) -> tf.RaggedTensor:
    """Pieces `(batch, tokens)` of valid UTF-8 strings `(batch,)`."""
    text = tf.strings.strip(tf.strings.regex_replace(text, _BLANKS, " "))
    for pattern, rewrite in _SPLITTING:
        text = tf.strings.regex_replace(text, pattern, rewrite)
    return tf.strings.split(text)


def _surfaces(pieces: tf.Tensor) -> tf.Tensor:
    return tf.strings.regex_replace(pieces, JOINED, "")


def _surface(piece: str) -> str:
    return piece.replace(JOINED, "")
