"""What all tokenizers of plain Python share: the calling form."""

import abc
from typing import Any

import numpy as np

from keras_attention.special_ids import END, PAD
from keras_attention.text.pieces import SPECIAL_PIECES
from keras_attention.text.plain.cleaning import Cleaning
from keras_attention.text.saved import SavedTokenizer

ASCII_BLANKS = " \t\n\v\f\r"
"""What TensorFlow takes for white space; U+001C to U+001F are none."""


class Tokenizer(SavedTokenizer):
    """Strings to ids and back, without TensorFlow.

    The ids and the texts are those of the tokenizer of TensorFlow graphs of the same
    name, and so are the files. What comes back are lists and `str`.

    Args:
        cleaning: What happens to text before it is cut.
    """

    _clean: Cleaning

    def __init__(self, cleaning: Cleaning) -> None:
        self._clean = cleaning

    def tokenize(self, strings: Any) -> list[list[int]]:
        """Turns sentences into ids, without start, end or padding.

        Bytes that are no UTF-8 count as U+FFFD.

        Args:
            strings: List or array `(batch,)` of `str` or `bytes`.

        Returns:
            The ids of each sentence.

        Raises:
            ValueError: If `strings` is no batch of strings.
        """
        return [self._to_ids(text) for text in self._clean(strings)]

    def split(self, strings: Any) -> list[list[str]]:
        """Cuts sentences where `tokenize` does, but keeps what is unknown.

        Args:
            strings: As in `tokenize`.

        Returns:
            The part of the text that each id stands for.

        Raises:
            ValueError: If `strings` is no batch of strings.
        """
        return [self._to_parts(text) for text in self._clean(strings)]

    def detokenize(self, ids: Any) -> list[str]:
        """Turns ids into sentences.

        Padding and start ids are left out, and a sentence stops at its first end
        id. Ids outside the vocabulary count as unknown.

        Args:
            ids: Integers `(batch, tokens)`, as lists or an array.

        Returns:
            The sentences.

        Raises:
            ValueError: If `ids` are not integers of rank 2.
        """
        rows = _as_lists(ids)
        if not isinstance(rows, list) or not all(map(_is_row, rows)):
            raise ValueError(
                f"`ids` must be of shape (batch, tokens). Received: ids={ids!r}"
            )
        return [self._to_text(self._sentence(row)) for row in rows]

    def tokens(self, ids: Any) -> Any:
        """Names each id, to label the axes of an attention map.

        Args:
            ids: Integers of any shape, as nested lists or an array.

        Returns:
            Strings in lists nested alike: the vocabulary's piece for each id, `""` for
            padding, and for unknown, start and end `"<unk>"`, `"<s>"` and `"</s>"`, or
            what the vocabulary calls them.

        Raises:
            ValueError: If `ids` are not integers.
        """
        return self._names(_as_lists(ids))

    def __reduce__(self) -> tuple[Any, ...]:
        # not all that its libraries make can be pickled
        return type(self)._from_content, (self._content(),)

    @abc.abstractmethod
    def _to_ids(self, text: str) -> list[int]:
        """The ids of clean text."""

    @abc.abstractmethod
    def _to_parts(self, text: str) -> list[str]:
        """What the ids of clean text stand for."""

    @abc.abstractmethod
    def _to_text(self, ids: list[int]) -> str:
        """The text of ids inside the vocabulary, without padding, start and end."""

    @abc.abstractmethod
    def _piece(self, piece_id: int) -> str:
        """The piece of an id inside the vocabulary."""

    def _name(self, piece_id: int) -> str:
        return SPECIAL_PIECES[piece_id] if piece_id <= END else self._piece(piece_id)

    def _names(self, ids: Any) -> Any:
        if isinstance(ids, list):
            return [self._names(part) for part in ids]
        return self._name(self._known(ids))

    def _known(self, piece_id: int) -> int:
        return piece_id if 0 <= piece_id < self.vocabulary_size else self.unknown_id

    def _sentence(self, row: list[int]) -> list[int]:
        """Ids up to the first end id, without padding and start ids."""
        known = [self._known(piece_id) for piece_id in row]
        if self.end_id in known:
            known = known[: known.index(self.end_id)]
        return [piece_id for piece_id in known if piece_id not in (PAD, self.start_id)]


def _as_lists(ids: Any) -> Any:
    """Ids as integers in nested lists."""
    if isinstance(ids, list | tuple):
        return [_as_lists(part) for part in ids]
    if type(ids) is int:
        return ids
    array = np.asarray(ids)
    # NumPy makes floats of empty rows
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"`ids` must be integers. Received: dtype={array.dtype.name}")
    return array.tolist()


def _is_row(ids: Any) -> bool:
    return isinstance(ids, list) and not any(isinstance(part, list) for part in ids)
