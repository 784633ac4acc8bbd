"""A tokenizer of learned subwords, in plain Python."""

from typing import Any, Self

from keras_attention.text.contents import ModelOfSentencePiece
from keras_attention.text.plain.cleaning import Cleaning
from keras_attention.text.plain.processor import Processor
from keras_attention.text.plain.tokenizer import Tokenizer
from keras_attention.text.plain.training import train
from keras_attention.text.sentence_piece_model import check_model


class SentencePieceTokenizer(ModelOfSentencePiece, Tokenizer):
    """Cuts text into subwords learned from a corpus (Kudo and Richardson, 2018).

    Args:
        model: A serialized sentencepiece model. Its special pieces get the ids 0 for
            padding, 1 for unknown, 2 for the start and 3 for the end; the others
            follow in their order.
        lowercase: Whether to lower-case the input, but for the model's user-defined
            symbols.

    Raises:
        ValueError: If `model` is no such model.
        ImportError: Without the package `sentencepiece`.
    """

    def __init__(self, model: bytes, lowercase: bool = False) -> None:
        self._model, summary = check_model(model)
        self._size = summary.size
        self._rule = summary.normalization
        symbols = tuple(symbol.decode() for symbol in summary.user_defined)
        super().__init__(
            Cleaning(lowercase, symbols=symbols, nul_is_blank=summary.puts_back)
        )
        self._processor = Processor(self._model, "SentencePieceTokenizer")

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

    def _to_ids(self, text: str) -> list[int]:
        return [index for _, index in self._processor.cut(text)]

    def _to_parts(self, text: str) -> list[str]:
        return self._processor.parts(text)

    def _to_text(self, ids: list[int]) -> str:
        return self._processor.decode_ids(ids)

    def _piece(self, piece_id: int) -> str:
        return self._processor.piece(piece_id)
