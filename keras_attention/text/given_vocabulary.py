"""What tokenizers share whose vocabulary was made elsewhere, special ids included.

Glossary: B = batch, T = tokens.
"""

import abc
from collections.abc import Sequence

import tensorflow as tf

from keras_attention.text.cleaning import Cleaning
from keras_attention.text.contents import GivenVocabulary
from keras_attention.text.pieces import UNKNOWN_TEXT
from keras_attention.text.strings import string_constant
from keras_attention.text.tokenizer import Tokenizer


class GivenVocabularyTokenizer(GivenVocabulary, Tokenizer):
    """A tokenizer of a list of all ids, of which the first is padding.

    Args:
        vocabulary: The piece of each id.
        unknown: The piece for what is not in the vocabulary.
        start: The piece with which a sentence begins.
        end: The piece with which it ends.

    Raises:
        ValueError: If `vocabulary` is empty, names a piece twice, or lacks one of the
            special pieces after the padding.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        unknown: str,
        start: str | None,
        end: str | None,
    ) -> None:
        super().__init__(Cleaning())
        self._set_vocabulary(vocabulary, unknown, start, end)
        names = ["", *self.vocabulary[1:]]
        self._piece_names = string_constant([name.encode() for name in names])

    def _pieces(self, ids: tf.Tensor) -> tf.Tensor:
        return tf.gather(self._piece_names, ids)

    def _names(self, ids: tf.Tensor) -> tf.Tensor:
        return self._pieces(ids)

    def _to_text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        flat = ids.flat_values
        shown = tf.where(flat == self.unknown_id, UNKNOWN_TEXT, self._pieces(flat))
        return self._join(ids.with_flat_values(shown))

    @abc.abstractmethod
    def _join(self, pieces: tf.RaggedTensor) -> tf.Tensor:
        """Strings `(batch,)` of pieces `(batch, tokens)`."""
