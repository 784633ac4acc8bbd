"""A tokenizer of the vocabularies of Marian, in plain Python."""

import re
from collections.abc import Sequence

from keras_attention.text.contents import BLANK, LANGUAGE, MarianVocabulary
from keras_attention.text.plain.given_vocabulary import GivenVocabularyTokenizer
from keras_attention.text.plain.processor import Processor
from keras_attention.text.plain.tokenizer import ASCII_BLANKS

_LANGUAGE = re.compile(LANGUAGE)


class MarianTokenizer(MarianVocabulary, GivenVocabularyTokenizer):
    """Cuts text by a sentencepiece model, and finds its pieces in a list of ids.

    Args:
        vocabulary: The piece of each id: padding, then the others.
        model: The serialized sentencepiece model of this side.
        unknown: The piece for what is not in the vocabulary.
        start: The piece with which a sentence begins.
        end: The piece with which it ends.

    Raises:
        ValueError: If `vocabulary` is empty, names a piece twice, or lacks one of the
            special pieces after the padding, or `model` is no such model.
        ImportError: Without the package `sentencepiece`.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        model: bytes,
        *,
        unknown: str = "<unk>",
        start: str = "<s>",
        end: str = "</s>",
    ) -> None:
        super().__init__(vocabulary, unknown, start, end)
        self._model = model
        self._processor = Processor(model, "MarianTokenizer")
        self._ids = self._spoken()

    def _to_ids(self, text: str) -> list[int]:
        language, rest = _split_language(text)
        pieces = [*language, *(piece for piece, _ in self._processor.cut(rest))]
        return [self._ids.get(piece, self.unknown_id) for piece in pieces]

    def _to_parts(self, text: str) -> list[str]:
        language, rest = _split_language(text)
        return [*language, *self._processor.parts(rest)]

    def _to_text(self, ids: list[int]) -> str:
        return self._join(
            [self._piece(index) for index in ids if index != self.unknown_id]
        )

    def _join(self, pieces: list[str]) -> str:
        joined = self._processor.decode_pieces(pieces)
        return joined.replace(BLANK, " ").strip(ASCII_BLANKS)


def _split_language(text: str) -> tuple[list[str], str]:
    """The name of a language, if there is one, and the text after it."""
    match = _LANGUAGE.match(text)
    return ([match[0]], text[match.end() :]) if match else ([], text)
