"""What a `Translator` reads: texts, or sequences of vectors."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_attention.special_ids import PAD, SpecialIds
from keras_attention.text import Tokenizer
from keras_attention.text.strings import to_strings
from keras_attention.translation.batches import check_strings


class TextSource:
    """Texts, as the ids of a tokenizer.

    Args:
        tokenizer: of the texts.
        limit: the most ids that are read, the end included.

    Attributes:
        inputs: what a graph takes, by name.
        read_as: what a model takes of it.
    """

    def __init__(self, tokenizer: Tokenizer, limit: int) -> None:
        self._tokenizer = tokenizer
        self._limit = limit
        self._end = SpecialIds.of(tokenizer).end
        self.inputs = {"text": tf.TensorSpec([None], tf.string, name="text")}
        self.read_as: Any = tf.TensorSpec([None, None], tf.int32)

    def describe(self) -> dict[str, Any]:
        """What a SavedModel says of it."""
        return {"source_vocabulary_size": self._tokenizer.vocabulary_size}

    def check(self, name: str, texts: Any) -> None:
        """Raise unless an argument is a list of texts."""
        check_strings(name, texts)

    def lengths(self, texts: Sequence[Any]) -> np.ndarray:
        """How many ids each text has, the end included, before any is cut."""
        return self._tokenizer.tokenize(texts).row_lengths().numpy() + 1

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

    def example(self, rows: int, length: int) -> tf.Tensor:
        """Empty rows, padded to a length, as the model takes them."""
        return tf.fill([rows, length], self._end)

    def examples(self) -> list[Any]:
        """Some texts to be compared."""
        return ["", "a", "A b. C?", "가나", "\u00e9 \U0001f600", "a " * 20]

    def of_length(self, above: int, up_to: int) -> Any:
        """A text of `up_to` tokens at most, and more than `above` where possible."""
        texts = ["a " * count for count in range(1, up_to + 1)]
        return texts[int(np.argmax(self.lengths(texts) > above))]

    def as_json(self, texts: Iterable[Any]) -> list[Any]:
        """Texts as JSON holds them."""
        return [
            text if isinstance(text, str) else text.decode("utf-8", "replace")
            for text in texts
        ]


class VectorSource:
    """Sequences of vectors, such as the frames of a spectrogram.

    Args:
        dim: width of a vector.
        limit: the most vectors that are read.

    Attributes:
        inputs: what a graph takes, by name.
        read_as: what a model takes of it.
    """

    def __init__(self, dim: int, limit: int) -> None:
        self._dim = dim
        self._limit = limit
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

    def check(self, name: str, sources: Any) -> None:
        """Raise unless an argument is a list of arrays of vectors."""
        if isinstance(sources, str | bytes) or not np.iterable(sources):
            raise ValueError(
                f"`{name}` must be a list of arrays (length, {self._dim}). "
                f"Received: {name}={sources!r}"
            )
        for index, source in enumerate(sources):
            array = np.asarray(source)
            if array.dtype.kind not in "fiu" or array.shape[1:] != (self._dim,):
                raise ValueError(
                    f"`{name}` must be a list of arrays (length, {self._dim}). "
                    f"Received: {name}[{index}] with shape={array.shape}, "
                    f"dtype={array.dtype}"
                )

    def lengths(self, sources: Sequence[Any]) -> np.ndarray:
        """How many vectors each has, before any is cut."""
        return np.array([len(source) for source in sources], "int64")

    def batch(self, sources: Sequence[Any]) -> tuple[Any, ...]:
        """The inputs of a graph: vectors, padded, and their mask."""
        lengths = self.lengths(sources)
        longest = max(lengths, default=0)
        vectors = np.zeros((len(sources), longest, self._dim), "float32")
        for row, source in zip(vectors, sources, strict=True):
            row[: len(source)] = np.reshape(source, (-1, self._dim))
        return vectors, np.arange(longest) < lengths[:, None]

    def read(self, source: tf.Tensor, source_mask: tf.Tensor) -> dict[str, tf.Tensor]:
        """The vectors of a row, and one at least."""
        source = source[:, : self._limit]
        source_mask = source_mask[:, : self._limit]
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

    def example(self, rows: int, length: int) -> dict[str, tf.Tensor]:
        """Empty rows, padded to a length, as the model takes them."""
        return {
            "source": tf.zeros([rows, length, self._dim]),
            "source_mask": tf.zeros([rows, length], tf.bool),
        }

    def examples(self) -> list[Any]:
        """Some sources to be compared."""
        drawn = np.random.default_rng(0).normal(size=(20, self._dim))
        return [drawn[:length].astype("float32") for length in (1, 0, 2, 5, 20)]

    def of_length(self, above: int, up_to: int) -> Any:
        """A source of `up_to` vectors."""
        return np.zeros((up_to, self._dim), "float32")

    def as_json(self, sources: Iterable[Any]) -> list[Any]:
        """Sources as JSON holds them."""
        return [np.asarray(source).tolist() for source in sources]


def make_source(model: Any, tokenizer: Any, limit: int) -> TextSource | VectorSource:
    """What a model reads: texts by a tokenizer, or vectors where there is none."""
    if tokenizer is None:
        return VectorSource(model.source_dim, limit)
    return TextSource(tokenizer, limit)


def to_ids(tokenizer: Tokenizer, text: tf.Tensor, limit: int) -> tf.Tensor:
    """Dense int32 ids, each row with its end, no longer than a limit."""
    ids = tokenizer.tokenize(text)[:, : limit - 1]
    end = tf.constant(SpecialIds.of(tokenizer).end, ids.dtype)
    ends = tf.fill([tf.shape(text)[0], 1], end)
    dense = tf.cast(tf.concat([ids, ends], axis=1).to_tensor(PAD), tf.int32)
    # Zero rows have no length, and not every encoder reads that.
    missing = tf.maximum(1 - tf.shape(dense)[1], 0)
    return tf.pad(dense, [[0, 0], [0, missing]], constant_values=PAD)
