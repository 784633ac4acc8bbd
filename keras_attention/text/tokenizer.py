"""What all tokenizers share that are TensorFlow graphs: the calling form.

Glossary: B = batch, T = tokens.
"""

import abc
from typing import Any

import numpy as np
import tensorflow as tf

from keras_attention.special_ids import END, PAD
from keras_attention.text.cleaning import Cleaning
from keras_attention.text.pieces import SPECIAL_PIECES
from keras_attention.text.pieces import UNKNOWN_TEXT as UNKNOWN_TEXT
from keras_attention.text.saved import SavedTokenizer


class Tokenizer(tf.Module, SavedTokenizer):
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

    _clean: Cleaning

    def __init__(self, cleaning: Cleaning) -> None:
        super().__init__()
        self._clean = cleaning

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
