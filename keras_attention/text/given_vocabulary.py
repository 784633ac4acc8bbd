"""What tokenizers share whose vocabulary was made elsewhere, special ids included.

Glossary: B = batch, T = tokens.
"""

import abc
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_attention.text.cleaning import Cleaning
from keras_attention.text.strings import string_constant
from keras_attention.text.tokenizer import UNKNOWN_TEXT, Tokenizer
from keras_attention.text.vocabulary import encode_pieces


class GivenVocabularyTokenizer(Tokenizer):
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
        self, vocabulary: Sequence[str], unknown: str, start: str, end: str
    ) -> None:
        super().__init__(Cleaning())
        vocabulary = list(vocabulary)
        encoded = encode_pieces(vocabulary[1:])
        special = {"unknown": unknown, "start": start, "end": end}
        for name, piece in special.items():
            if piece not in vocabulary[1:]:
                raise ValueError(
                    f"`{name}` must be a piece of the vocabulary, after its padding. "
                    f"Received: {name}={piece!r}, vocabulary={_shown(vocabulary)}"
                )
        if len({*special.values()}) < len(special):
            raise ValueError(
                "`unknown`, `start` and `end` must differ. "
                f"Received: unknown={unknown!r}, start={start!r}, end={end!r}"
            )
        self._vocabulary = tuple(vocabulary)
        self._special = special
        self.unknown_id = vocabulary.index(unknown)
        self.start_id = vocabulary.index(start)
        self.end_id = vocabulary.index(end)
        self._piece_names = string_constant([b"", *encoded])

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The piece of each id, padding first."""
        return self._vocabulary

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, the special ones included."""
        return len(self._vocabulary)

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

    def _content(self) -> dict[str, Any]:
        return {"vocabulary": list(self._vocabulary), **self._special}


def _shown(vocabulary: list[str]) -> str:
    first = ", ".join(map(repr, vocabulary[:8]))
    return f"[{first}{', ...' if len(vocabulary) > 8 else ''}]"
