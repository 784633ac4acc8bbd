"""What all tokenizers share: special ids, the calling form, save and load.

Glossary: B = batch, T = tokens.
"""

import abc
import os
from typing import Any, Self

import numpy as np
import tensorflow as tf

from keras_attention.special_ids import END, PAD, START, UNKNOWN
from keras_attention.text.cleaning import Cleaning
from keras_attention.text.storage import (
    checksum,
    damaged,
    read_tokenizer,
    write_tokenizer,
)

SPECIAL_PIECES = ("", "<unk>", "<s>", "</s>")
"""How `tokens` shows the ids 0 to 3."""
UNKNOWN_TEXT = "\u2047"
"""How `detokenize` renders an unknown word or character."""


class Tokenizer(tf.Module, abc.ABC):
    """Strings to ids and back, as TensorFlow graphs.

    Ids are 0 for padding, `unknown_id`, `start_id` and `end_id` of a sentence, 1 to 3
    where a class does not say otherwise; the others belong to the vocabulary. Every
    method takes Python
    lists, NumPy arrays or tensors, and works inside a `tf.function` with an
    unknown batch size, so a tokenizer set as an attribute of a `tf.Module`
    becomes part of its SavedModel.

    Args:
        cleaning: What happens to text before it is cut.
    """

    pad_id = PAD
    unknown_id = UNKNOWN
    start_id = START
    end_id = END

    def __init__(self, cleaning: Cleaning) -> None:
        super().__init__()
        self._clean = cleaning

    @property
    def lowercase(self) -> bool:
        """Whether `tokenize` lower-cases its input."""
        return self._clean.lowercase

    @property
    def normalization(self) -> str:
        """The rule by which `tokenize` normalizes its input."""
        return self._clean.normalization

    @property
    def user_symbols(self) -> tuple[str, ...]:
        """Strings that are never cut, normalized or lower-cased."""
        return self._clean.symbols

    @property
    @abc.abstractmethod
    def vocabulary_size(self) -> int:
        """The number of ids, the special ones included."""

    def tokenize(self, strings: Any) -> tf.RaggedTensor:
        """Turns sentences into ids, without start, end or padding.

        Bytes that are no UTF-8 count as U+FFFD.

        Args:
            strings: List, array or tensor `(batch,)` of strings.

        Returns:
            int32 ragged tensor `(batch, tokens)`.

        Raises:
            ValueError: If `strings` is no batch of strings.
        """
        return self._to_ids(self._clean(strings))

    def split(self, strings: Any) -> tf.RaggedTensor:
        """Cuts sentences where `tokenize` does, but keeps what is unknown.

        Args:
            strings: As in `tokenize`.

        Returns:
            Ragged string tensor `(batch, tokens)`: the part of the text that each id
            stands for.

        Raises:
            ValueError: If `strings` is no batch of strings.
        """
        return self._to_parts(self._clean(strings))

    def detokenize(self, ids: Any) -> tf.Tensor:
        """Turns ids into sentences.

        Padding and start ids are left out, and a sentence stops at its first end
        id. Ids outside the vocabulary count as unknown.

        Args:
            ids: Integers `(batch, tokens)`, ragged or dense.

        Returns:
            String tensor `(batch,)`.

        Raises:
            ValueError: If `ids` are not integers of rank 2.
        """
        return self._to_text(self._sentences(self._known(ids)))

    def tokens(self, ids: Any) -> tf.Tensor | tf.RaggedTensor:
        """Names each id, to label the axes of an attention map.

        Args:
            ids: Integers of any shape, ragged or dense.

        Returns:
            String tensor of the same shape: the vocabulary's piece for each id,
            `""` for padding, and for unknown, start and end `"<unk>"`, `"<s>"` and
            `"</s>"`, or what the vocabulary calls them.

        Raises:
            ValueError: If `ids` are not integers.
        """
        known = self._known(ids)
        if isinstance(known, tf.RaggedTensor):
            return known.with_flat_values(self._names(known.flat_values))
        return self._names(known)

    def checksum(self) -> str:
        """Returns what two tokenizers have in common if they do the same."""
        return checksum(type(self).__name__, self._content())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the tokenizer as one JSON file.

        Args:
            path: The file; its folder must exist. A file that stands there is
                replaced only once the new one is complete.

        Raises:
            ValueError: If the folder does not exist, or `path` is a folder.
        """
        write_tokenizer(path, type(self).__name__, self._content())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads a tokenizer of this class from the file that `save` wrote.

        Args:
            path: The file.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is truncated, altered, or holds something
                other than a tokenizer of this class.
        """
        kind, content = read_tokenizer(path)
        if kind != cls.__name__:
            raise damaged(path, f"it holds a {kind}, not a {cls.__name__}")
        return cls.from_content(content, path)

    @classmethod
    def from_content(
        cls, content: dict[str, Any], path: str | os.PathLike[str]
    ) -> Self:
        """Makes a tokenizer from the content of a file that was read already.

        Args:
            content: What `read_tokenizer` returned.
            path: The file, for the message.

        Raises:
            ValueError: If the content does not make a tokenizer.
        """
        try:
            return cls._from_content(content)
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(path, f"its content is unusable ({error})") from error

    def __repr__(self) -> str:
        """Shows the class and the vocabulary's size."""
        return f"{type(self).__name__}(vocabulary_size={self.vocabulary_size})"

    @abc.abstractmethod
    def _to_ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        """Ids `(batch, tokens)` of valid UTF-8 strings `(batch,)`."""

    @abc.abstractmethod
    def _to_parts(self, text: tf.Tensor) -> tf.RaggedTensor:
        """What ids stand for `(batch, tokens)` in valid UTF-8 strings `(batch,)`."""

    @abc.abstractmethod
    def _to_text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """Strings `(batch,)` of ids `(batch, tokens)` without pad, start, end."""

    @abc.abstractmethod
    def _pieces(self, ids: tf.Tensor) -> tf.Tensor:
        """Strings for ids inside the vocabulary, in their shape."""

    @abc.abstractmethod
    def _content(self) -> dict[str, Any]:
        """What `save` writes, as JSON's own types."""

    @classmethod
    @abc.abstractmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        """The tokenizer that `_content` describes."""

    def _names(self, ids: tf.Tensor) -> tf.Tensor:
        special = tf.gather(tf.constant(SPECIAL_PIECES), tf.minimum(ids, END))
        return tf.where(ids <= END, special, self._pieces(ids))

    def _known(self, ids: Any) -> tf.Tensor | tf.RaggedTensor:
        """Ids as int32, those outside the vocabulary replaced by the unknown id."""
        ids = _integers(ids)
        # sentencepiece's kernels read outside their table when given a foreign id
        foreign = tf.logical_or(ids < 0, ids >= self.vocabulary_size)
        unknown = tf.constant(self.unknown_id, ids.dtype)
        return tf.cast(tf.where(foreign, unknown, ids), tf.int32)

    def _sentences(self, ids: tf.Tensor | tf.RaggedTensor) -> tf.RaggedTensor:
        """Ids up to the first end id, without padding and start ids."""
        if ids.shape.rank != 2:
            raise ValueError(
                f"`ids` must be of shape (batch, tokens). Received: shape={ids.shape}"
            )
        if isinstance(ids, tf.RaggedTensor):
            ids = ids.to_tensor(PAD)  # (B, T)
        ends = tf.cumsum(tf.cast(ids == self.end_id, tf.int32), axis=1)  # (B, T)
        spoken = (ends == 0) & (ids != PAD) & (ids != self.start_id)  # (B, T)
        return tf.ragged.boolean_mask(ids, spoken)


def _integers(ids: Any) -> tf.Tensor | tf.RaggedTensor:
    if not tf.is_tensor(ids):
        ids = _from_sequence(ids)
    if not ids.dtype.is_integer:
        raise ValueError(f"`ids` must be integers. Received: dtype={ids.dtype.name}")
    return tf.cast(ids, tf.int64)


def _from_sequence(ids: Any) -> tf.Tensor | tf.RaggedTensor:
    rows = isinstance(ids, list | tuple)
    if rows and not len(ids):
        return tf.zeros([0, 0], tf.int32)
    if rows and len({np.shape(row)[:1] for row in ids}) > 1:
        return tf.ragged.constant(ids, ragged_rank=1)
    dense = np.asarray(ids)
    # NumPy makes floats of empty rows
    return tf.convert_to_tensor(dense if dense.size else dense.astype(np.int32))
