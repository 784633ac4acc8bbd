"""A tokenizer of single characters.

Glossary: B = batch, T = tokens.
"""

from collections.abc import Iterable, Sequence
from typing import Self

import tensorflow as tf

from keras_attention.text.arguments import check_symbols
from keras_attention.text.cleaning import BORDER, NORMALIZATIONS, Cleaning
from keras_attention.text.cleaning_rules import any_of
from keras_attention.text.pieces import check_single
from keras_attention.text.strings import check_corpus
from keras_attention.text.vocabulary import VocabularyTokenizer, frequent_pieces


class CharacterTokenizer(VocabularyTokenizer):
    """Cuts text into Unicode characters (code points), white space included.

    Text of known characters comes back exactly, trailing blanks included; an
    unknown character comes back as U+2047.

    Args:
        vocabulary: The characters, in the order of their ids, beginning at id 4.
        lowercase: Whether to lower-case the input.
        normalization: How to normalize the input.
        user_symbols: Strings that are pieces of the vocabulary as a whole, and are
            never cut, normalized or lower-cased.

    Raises:
        ValueError: If `vocabulary` is empty, names a character twice, holds a string
            of several characters that is no symbol or lacks a symbol, or another
            argument is none of its values.
        ImportError: Without tensorflow-text, which `normalization` may need.

    Example:
    >>> tokenizer = CharacterTokenizer.train(["16+75", "52+607"])
    >>> tokenizer.detokenize(tokenizer.tokenize(["75+1 "])).numpy()[0].decode()
    '75+1⁇'
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
        check_single(vocabulary, self.user_symbols)

    @classmethod
    def train(
        cls,
        lines: Iterable[str],
        vocabulary_size: int | None = None,
        *,
        lowercase: bool = False,
        normalization: str = NORMALIZATIONS[0],
        user_symbols: Iterable[str] = (),
    ) -> Self:
        """Makes a tokenizer of the characters of a corpus, frequent ones first.

        Args:
            lines: The corpus.
            vocabulary_size: How many ids there may be, the four special ones
                included; `None` keeps every character.
            lowercase: Whether to lower-case, now and in `tokenize`.
            normalization: How to normalize, now and in `tokenize`: `"identity"`,
                which keeps text as it is, or a rule of `SentencePieceTokenizer`.
            user_symbols: Strings without blanks, such as `"<URL>"`, of which each is
                one id. They are never cut, normalized or lower-cased.

        Raises:
            ValueError: If the corpus holds no text, `vocabulary_size` leaves room
                for no character, or another argument is none of its values.
            ImportError: Without tensorflow-text, which `normalization` may need.
        """
        symbols = check_symbols("user_symbols", user_symbols)
        cleaning = Cleaning(lowercase, normalization, symbols)
        chunks = cleaning.chunks(check_corpus(lines))
        characters = (_characters(chunk, symbols) for chunk in chunks)
        return cls(
            frequent_pieces(characters, vocabulary_size, 1, symbols),
            lowercase,
            normalization=normalization,
            user_symbols=symbols,
        )

    def _to_ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        characters = _characters(text, self.user_symbols)  # (B, T)
        ids = self._vocabulary.ids(characters.flat_values)
        return characters.with_flat_values(ids)

    def _to_parts(self, text: tf.Tensor) -> tf.RaggedTensor:
        return _characters(text, self.user_symbols)

    def _to_text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        return self._vocabulary.join(ids, separator="")


def _characters(text: tf.Tensor, symbols: Sequence[str]) -> tf.RaggedTensor:
    if not symbols:
        return tf.strings.unicode_split(text, "UTF-8")
    piece = "|".join([*any_of(symbols), "."])
    ended = tf.strings.regex_replace(text, f"(?s)({piece})", rb"\1" + BORDER)
    return tf.strings.split(ended, BORDER)[:, :-1]
