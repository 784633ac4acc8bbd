"""What tokenizers share that are made of a list of pieces, whose ids begin at 4."""

from collections.abc import Sequence
from typing import Any, Self

from keras_attention.special_ids import UNKNOWN
from keras_attention.text.arguments import check_symbols
from keras_attention.text.cleaning_rules import NORMALIZATIONS
from keras_attention.text.contents import OwnVocabulary
from keras_attention.text.pieces import (
    FIRST,
    SPECIAL_PIECES,
    UNKNOWN_TEXT,
    check_held,
    encode_pieces,
)
from keras_attention.text.plain.cleaning import Cleaning
from keras_attention.text.plain.tokenizer import Tokenizer
from keras_attention.text.plain.training import train


class VocabularyTokenizer(OwnVocabulary, Tokenizer):
    """A tokenizer that is made of a list of pieces.

    Args:
        vocabulary: The pieces, in the order of their ids, beginning at id 4.
        lowercase: Whether to lower-case the input.
        normalization: How to normalize the input.
        user_symbols: Pieces that are never cut, normalized or lower-cased.

    Raises:
        ValueError: If `vocabulary` is empty, names a piece twice, holds an empty
            string or lacks a symbol, or another argument is none of its values.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        lowercase: bool = False,
        *,
        normalization: str = NORMALIZATIONS[0],
        user_symbols: Sequence[str] = (),
    ) -> None:
        symbols = check_symbols("user_symbols", user_symbols)
        super().__init__(Cleaning(lowercase, normalization, symbols))
        encode_pieces(vocabulary)
        check_held(symbols, vocabulary)
        self._pieces = (*SPECIAL_PIECES, *vocabulary)
        self._ids = {piece: index for index, piece in enumerate(vocabulary, FIRST)}

    @classmethod
    def train(cls, *arguments: Any, **options: Any) -> Self:
        """Trains the tokenizer of this name that needs TensorFlow.

        Args:
            *arguments: Of its `train`.
            **options: Likewise.

        Raises:
            ImportError: Without TensorFlow.
        """
        return train(cls, *arguments, **options)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The pieces, in the order of their ids, beginning at id 4."""
        return self._pieces[FIRST:]

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, the special ones included."""
        return len(self._pieces)

    def _piece(self, piece_id: int) -> str:
        return self._pieces[piece_id]

    def _join(self, ids: list[int], separator: str) -> str:
        return separator.join(
            UNKNOWN_TEXT if index == UNKNOWN else self._pieces[index] for index in ids
        )
