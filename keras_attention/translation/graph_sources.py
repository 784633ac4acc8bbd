"""What a `Translator` reads, as graphs of TensorFlow take it."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_attention.special_ids import PAD, SpecialIds
from keras_attention.text import Tokenizer
from keras_attention.text.strings import to_strings
from keras_attention.translation.sources import TextSource, VectorSource


class GraphTextSource(TextSource):
    """Texts, as the ids of a tokenizer that is a graph.

    Args:
        tokenizer: of the texts.
        limit: the most ids that are read, the end included.

    Attributes:
        inputs: what a graph takes, by name.
        read_as: what a model takes of it.
    """

    def __init__(self, tokenizer: Tokenizer, limit: int) -> None:
        super().__init__(tokenizer, limit)
        self.inputs = {"text": tf.TensorSpec([None], tf.string, name="text")}
        self.read_as: Any = tf.TensorSpec([None, None], tf.int32)

    def describe(self) -> dict[str, Any]:
        """What a SavedModel says of it."""
        return {"source_vocabulary_size": self._tokenizer.vocabulary_size}

    def batch(self, texts: Sequence[Any]) -> tuple[Any, ...]:
        """The inputs of a graph."""
        return (to_strings(texts),)

    def read(self, text: tf.Tensor) -> tf.Tensor:
        """Int32 ids, each row with its end."""
        return to_ids(self._tokenizer, text, self._limit)

    def is_nothing(self, ids: tf.Tensor) -> tf.Tensor:
        """Which rows have an end alone."""
        return ids[:, 0] == self._end

    def mask(self, ids: tf.Tensor) -> tf.Tensor:
        """Which positions are no padding."""
        return ids != PAD

    def tokens(self, ids: tf.Tensor) -> tf.Tensor:
        """The piece of each id."""
        return self._tokenizer.tokens(ids)

    def parts(self, text: tf.Tensor) -> tf.RaggedTensor:
        """The part of the text that each id stands for."""
        return self._tokenizer.split(text)


class GraphVectorSource(VectorSource):
    """Sequences of vectors, such as the frames of a spectrogram.

    Args:
        dim: width of a vector.
        limit: the most vectors that are read.

    Attributes:
        inputs: what a graph takes, by name.
        read_as: what a model takes of it.
    """

    def __init__(self, dim: int, limit: int) -> None:
        super().__init__(dim, limit)
        self.inputs = {
            "source": tf.TensorSpec([None, None, dim], tf.float32, name="source"),
            "source_mask": tf.TensorSpec([None, None], tf.bool, name="source_mask"),
        }
        self.read_as: Any = {
            name: tf.TensorSpec(spec.shape, spec.dtype)
            for name, spec in self.inputs.items()
        }

    def describe(self) -> dict[str, Any]:
        """What a SavedModel says of it."""
        return {"source_dim": self._dim}

    def read(self, source: tf.Tensor, source_mask: tf.Tensor) -> dict[str, tf.Tensor]:
        """The vectors of a row, and one at least."""
        source = source[:, : self.limit]
        source_mask = source_mask[:, : self.limit]
        missing = tf.maximum(1 - tf.shape(source)[1], 0)
        return {
            "source": tf.pad(source, [[0, 0], [0, missing], [0, 0]]),
            "source_mask": tf.pad(source_mask, [[0, 0], [0, missing]]),
        }

    def is_nothing(self, source: dict[str, tf.Tensor]) -> tf.Tensor:
        """Which rows have no vector."""
        return tf.logical_not(tf.reduce_any(source["source_mask"], axis=1))

    def mask(self, source: dict[str, tf.Tensor]) -> tf.Tensor:
        """Which positions are no padding."""
        return source["source_mask"]


def make_source(
    model: Any, tokenizer: Any, limit: int
) -> GraphTextSource | GraphVectorSource:
    """What a model reads: texts by a tokenizer, or vectors where there is none."""
    if tokenizer is None:
        return GraphVectorSource(model.source_dim, limit)
    return GraphTextSource(tokenizer, limit)


def to_ids(tokenizer: Tokenizer, text: tf.Tensor, limit: int) -> tf.Tensor:
    """Dense int32 ids, each row with its end, no longer than a limit."""
    ids = tokenizer.tokenize(text)[:, : limit - 1]
    end = tf.constant(SpecialIds.of(tokenizer).end, ids.dtype)
    ends = tf.fill([tf.shape(text)[0], 1], end)
    dense = tf.cast(tf.concat([ids, ends], axis=1).to_tensor(PAD), tf.int32)
    # Zero rows have no length, and not every encoder reads that.
    missing = tf.maximum(1 - tf.shape(dense)[1], 0)
    return tf.pad(dense, [[0, 0], [0, missing]], constant_values=PAD)
