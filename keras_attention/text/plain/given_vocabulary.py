"""What tokenizers share whose vocabulary was made elsewhere, special ids included."""

import abc
from collections.abc import Sequence

from keras_attention.text.contents import GivenVocabulary
from keras_attention.text.pieces import UNKNOWN_TEXT
from keras_attention.text.plain.cleaning import Cleaning
from keras_attention.text.plain.tokenizer import Tokenizer


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

    def _name(self, piece_id: int) -> str:
        return self._piece(piece_id)

    def _piece(self, piece_id: int) -> str:
        return self._vocabulary[piece_id] if piece_id else ""

    def _to_text(self, ids: list[int]) -> str:
        return self._join(
            [
                UNKNOWN_TEXT if index == self.unknown_id else self._piece(index)
                for index in ids
            ]
        )

    @abc.abstractmethod
    def _join(self, pieces: list[str]) -> str:
        """The text of pieces."""
