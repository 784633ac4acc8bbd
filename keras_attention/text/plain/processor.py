"""The package `sentencepiece`, with the results of tensorflow-text."""

import re
from collections.abc import Iterator
from itertools import dropwhile, groupby
from typing import NamedTuple

from keras_attention.optional_packages import needs
from keras_attention.text.contents import BLANK
from keras_attention.text.plain.tokenizer import ASCII_BLANKS
from keras_attention.text.plain.unigram import UnigramCutter
from keras_attention.text.segmentation import piece_scores
from keras_attention.text.sentence_piece_model import not_a_model, summarize


class Token(NamedTuple):
    """A piece, its id, and how many normalized characters it stands for."""

    piece: str
    piece_id: int
    size: int


class Processor:
    """A loaded model.

    Args:
        model: The content of a `.model` file.
        by: Who needs it, for the message.

    Raises:
        ValueError: If the model cannot be loaded.
        ImportError: Without the package `sentencepiece`.
    """

    def __init__(self, model: bytes, by: str) -> None:
        with needs("sentencepiece", extra="text", by=by):
            import sentencepiece
        try:
            summary = summarize(model)
            self._library = sentencepiece.SentencePieceProcessor(model_proto=model)
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            raise not_a_model(model, "it cannot be loaded") from error
        self._is_byte = self._library.is_byte
        self._has_bytes = self._is_byte(self._library.piece_to_id("<0x00>"))
        # what is spelled by bytes at a time
        is_of_words = summary.model_type == "word"
        unit = f"{BLANK}[^{BLANK}]*|[^{BLANK}]+" if is_of_words else "."
        self._spelled = re.compile(unit, re.DOTALL)
        # releases of sentencepiece drop one blank at the beginning, or all
        self._drops_blanks = len(self._library.decode([BLANK, BLANK])) < 2
        self._unigram = None
        if summary.model_type == "unigram":
            symbols = {symbol.decode() for symbol in summary.user_defined}
            self._unigram = UnigramCutter(piece_scores(self._library), symbols)

    def cut(self, text: str) -> list[tuple[str, int]]:
        """Returns pieces and their ids; what is unknown is a piece in a row.

        Args:
            text: Any.
        """
        return [(piece, index) for piece, index, _ in self._tokens(text)]

    def parts(self, text: str) -> list[str]:
        """Returns what pieces stand for, without blanks at its ends.

        Args:
            text: Any.
        """
        _, origins = self._library.normalize(text, with_offsets=True)
        parts, start = [], 0
        for token in self._tokens(text):
            end = start + token.size
            parts.append(text[origins[start] : origins[end]].strip(ASCII_BLANKS))
            start = end
        return parts

    def piece(self, index: int) -> str:
        """Returns the piece of an id.

        Args:
            index: The id.
        """
        return self._library.id_to_piece(index)

    def decode_ids(self, ids: list[int]) -> str:
        """Returns the text of ids.

        Args:
            ids: Inside the vocabulary.
        """
        if self._drops_blanks:
            ids = [*dropwhile(self._is_unheard, ids)]
        return self._library.decode(ids)

    def decode_pieces(self, pieces: list[str]) -> str:
        """Returns the text of pieces.

        Args:
            pieces: Any strings.
        """
        if self._drops_blanks:
            pieces = [
                *dropwhile(
                    lambda piece: self._is_unheard(self._library.piece_to_id(piece)),
                    pieces,
                )
            ]
        return self._library.decode(pieces)

    def _is_unheard(self, index: int) -> bool:
        """Whether a piece at the beginning is no text."""
        return self._library.is_control(index) or self.piece(index) == BLANK

    def _tokens(self, text: str) -> Iterator[Token]:
        if self._unigram is None:
            pieces = self._library.encode(text, out_type=str)
            ids = self._library.encode(text, out_type=int)
            return self._sized(pieces, ids)
        return self._from_unigram(self._unigram, self._library.normalize(text))

    def _from_unigram(self, unigram: UnigramCutter, text: str) -> Iterator[Token]:
        for known, run in groupby(unigram.cut(text), unigram.knows):
            pieces = [*run]
            if known:
                for piece in pieces:
                    index = self._library.piece_to_id(piece)
                    yield Token(piece, index, len(piece))
            elif self._has_bytes:
                for character in pieces:
                    yield from self._bytes(character)
            else:
                yield Token("".join(pieces), self._library.unk_id(), len(pieces))

    def _bytes(self, text: str) -> Iterator[Token]:
        """Bytes for unknown text, of which the last stands for it."""
        encoded = text.encode()
        for place, byte in enumerate(encoded, 1):
            piece = f"<0x{byte:02X}>"
            size = len(text) if place == len(encoded) else 0
            yield Token(piece, self._library.piece_to_id(piece), size)

    def _sized(self, pieces: list[str], ids: list[int]) -> Iterator[Token]:
        tokens = zip(pieces, ids, strict=True)
        for is_byte, run in groupby(tokens, lambda token: self._is_byte(token[1])):
            if is_byte:
                spelled = bytes(int(piece[3:5], 16) for piece, _ in run).decode()
                for unknown in self._spelled.findall(spelled):
                    yield from self._bytes(unknown)
            else:
                for piece, index in run:
                    size = 0 if self._library.is_control(index) else len(piece)
                    yield Token(piece, index, size)
