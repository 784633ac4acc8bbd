"""What each kind of tokenizer is made of, as its file holds it."""

import abc
import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from keras_attention.special_ids import PAD
from keras_attention.text.pieces import encode_pieces
from keras_attention.text.saved import SavedTokenizer

LANGUAGE = r">>[^\n]+<<"
"""A pattern of what a text for a `MarianTokenizer` may begin with."""
BLANK = "\u2581"
"""How a sentencepiece model writes a blank."""
CONTINUES = "##"
"""How a piece of BERT begins that is not the first of its word."""

_OPTIONS = "normalization", "user_symbols"


class OwnVocabulary(SavedTokenizer):
    """A list of pieces, whose ids begin at 4, after the special ones."""

    @property
    @abc.abstractmethod
    def vocabulary(self) -> tuple[str, ...]:
        """The pieces, in the order of their ids, beginning at id 4."""

    def _content(self) -> dict[str, Any]:
        return {
            "vocabulary": list(self.vocabulary),
            "lowercase": self.lowercase,
            "normalization": self.normalization,
            "user_symbols": list(self.user_symbols),
        }

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        # files of earlier versions hold neither
        options = {name: content[name] for name in _OPTIONS if name in content}
        return cls(content["vocabulary"], content["lowercase"], **options)  # type: ignore[call-arg]


class GivenVocabulary(SavedTokenizer):
    """A list of all pieces, made elsewhere, of which the first is padding."""

    _vocabulary: tuple[str, ...]
    _special: dict[str, str | None]

    def _set_vocabulary(
        self,
        vocabulary: Sequence[str],
        unknown: str,
        start: str | None,
        end: str | None,
    ) -> None:
        """Checks the pieces, and finds the special ones among them."""
        vocabulary = list(vocabulary)
        encode_pieces(vocabulary[1:])
        special = {"unknown": unknown, "start": start, "end": end}
        given = {name: piece for name, piece in special.items() if piece is not None}
        for name, piece in given.items():
            if piece not in vocabulary[1:]:
                raise ValueError(
                    f"`{name}` must be a piece of the vocabulary, after its padding. "
                    f"Received: {name}={piece!r}, vocabulary={_shown(vocabulary)}"
                )
        if len({*given.values()}) < len(given):
            raise ValueError(
                "`unknown`, `start` and `end` must differ. "
                f"Received: unknown={unknown!r}, start={start!r}, end={end!r}"
            )
        self._vocabulary = tuple(vocabulary)
        self._special = special
        self.unknown_id = vocabulary.index(unknown)
        self.start_id = PAD if start is None else vocabulary.index(start)
        self.end_id = PAD if end is None else vocabulary.index(end)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The piece of each id, padding first."""
        return self._vocabulary

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, the special ones included."""
        return len(self._vocabulary)

    def _content(self) -> dict[str, Any]:
        return {"vocabulary": list(self._vocabulary), **self._special}

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        return cls(**content)


class WordPieceVocabulary(GivenVocabulary):
    """Word pieces of BERT, and whether to lower-case."""

    _lowercase: bool

    @property
    def lowercase(self) -> bool:
        """Whether `tokenize` lower-cases its input."""
        return self._lowercase

    def _content(self) -> dict[str, Any]:
        return {**super()._content(), "lowercase": self._lowercase}


class ModelOfSentencePiece(SavedTokenizer):
    """A sentencepiece model with ids of its own."""

    _model: bytes
    _size: int
    _rule: str

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, the special ones included."""
        return self._size

    @property
    def model(self) -> bytes:
        """The serialized sentencepiece model."""
        return self._model

    @property
    def normalization(self) -> str:
        """The name of the model's rule of normalization."""
        return self._rule

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], lowercase: bool = False) -> Self:
        """Takes a `.model` file that sentencepiece wrote, whatever its special ids.

        Args:
            path: The file.
            lowercase: Whether to lower-case the input.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is no sentencepiece model.
        """
        model = Path(path).read_bytes()
        try:
            return cls(model, lowercase)  # type: ignore[call-arg]
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)!r}: {error}") from error

    def _content(self) -> dict[str, Any]:
        return {"model": _to_text(self._model), "lowercase": self.lowercase}

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        model = _to_bytes(content["model"])
        return cls(model, content["lowercase"])  # type: ignore[call-arg]


class MarianVocabulary(GivenVocabulary):
    """The vocabulary of a Marian model, and the sentencepiece model of one side."""

    _model: bytes

    @property
    def model(self) -> bytes:
        """The serialized sentencepiece model."""
        return self._model

    def _spoken(self) -> dict[str, int]:
        """The ids of pieces but the special ones: no text is cut into one of those."""
        special = {*self._special.values()}
        return {
            piece: index
            for index, piece in enumerate(self._vocabulary)
            if index and piece not in special
        }

    def _content(self) -> dict[str, Any]:
        return {**super()._content(), "model": _to_text(self._model)}

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        return cls(**{**content, "model": _to_bytes(content["model"])})


def _shown(vocabulary: list[str]) -> str:
    first = ", ".join(map(repr, vocabulary[:8]))
    return f"[{first}{', ...' if len(vocabulary) > 8 else ''}]"


def _to_text(model: bytes) -> str:
    return base64.b64encode(model).decode("ascii")


def _to_bytes(model: str) -> bytes:
    return base64.b64decode(model, validate=True)
