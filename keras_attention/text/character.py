"""A tokenizer of single characters.

Glossary: B = batch, T = tokens.
"""

from collections.abc import Iterable, Sequence
from typing import Self

import tensorflow as tf

from keras_attention.text.strings import check_corpus, cleaned_chunks
from keras_attention.text.vocabulary import VocabularyTokenizer, frequent_pieces


class CharacterTokenizer(VocabularyTokenizer):
    """Cuts text into Unicode characters (code points), white space included.

    Text of known characters comes back exactly, trailing blanks included; an
    unknown character comes back as U+2047.

    Args:
        vocabulary: The characters, in the order of their ids, beginning at id 4.
        lowercase: Whether to lower-case the input.

    Raises:
        ValueError: If `vocabulary` is empty, names a character twice, or holds a
            string of several characters.

    Example:
    >>> tokenizer = CharacterTokenizer.train(["16+75", "52+607"])
    >>> tokenizer.detokenize(tokenizer.tokenize(["75+1 "])).numpy()[0].decode()
    '75+1⁇'
    """

    def __init__(self, vocabulary: Sequence[str], lowercase: bool = False) -> None:
        super().__init__(vocabulary, lowercase)
        for piece in vocabulary:
            if len(piece) > 1:
                raise ValueError(
                    f"`vocabulary` must hold single characters. Received: {piece!r}"
                )

    @classmethod
    def train(
        cls,
        lines: Iterable[str],
        vocabulary_size: int | None = None,
        *,
        lowercase: bool = False,
    ) -> Self:
        """Makes a tokenizer of the characters of a corpus, frequent ones first.

        Args:
            lines: The corpus.
            vocabulary_size: How many ids there may be, the four special ones
                included; `None` keeps every character.
            lowercase: Whether to lower-case, now and in `tokenize`.

        Raises:
            ValueError: If the corpus holds no text, or `vocabulary_size` leaves
                room for no character.
        """
        chunks = cleaned_chunks(check_corpus(lines), lowercase)
        pieces = frequent_pieces(map(_characters, chunks), vocabulary_size, 1)
        return cls(pieces, lowercase)

    def _to_ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        characters = _characters(text)  # (B, T)
        ids = self._vocabulary.ids(characters.flat_values)
        return characters.with_flat_values(ids)

    def _to_parts(self, text: tf.Tensor) -> tf.RaggedTensor:
        return _characters(text)

    def _to_text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        return self._vocabulary.join(ids, separator="")


def _characters(text: tf.Tensor) -> tf.RaggedTensor:
    return tf.strings.unicode_split(text, "UTF-8")
