"""A tokenizer of the words of a `keras.layers.TextVectorization`."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from keras_attention.text.given_vocabulary import GivenVocabularyTokenizer
from keras_attention.text.vectorization_rules import (
    LOWER,
    PUNCTUATION,
    STANDARDIZATIONS,
    STRIP,
    check_changes,
    unknown_word,
)
from keras_attention.text.vocabulary import lookup_table

Change = Callable[[tf.Tensor], Any]


class VectorizationTokenizer(GivenVocabularyTokenizer):
    """Cuts text as a `keras.layers.TextVectorization` does, into the same ids.

    A model for it is built with its `start_id` and `end_id`, whose words must stand in
    the layer's vocabulary: adapt it to texts with `"[start]"` before them and `"[end]"`
    after them, with a `standardize` that leaves these whole. The texts that are
    translated, or made into a dataset, come without them.

    What `standardize` takes off does not come back: `detokenize` joins words by blanks,
    and characters by nothing.

    Args:
        vocabulary: Of the layer: the word of each id, padding first, then the unknown
            one.
        standardize: As of the layer: one of its names, `None`, or a function on a
            tensor of strings.
        split: Likewise, with a ragged result.
        start: The word with which a sentence begins; `None` where all are sources,
            which are read without one.
        end: The word with which it ends; likewise.

    Raises:
        ValueError: If `vocabulary` is empty, names a word twice, or lacks `start` or
            `end`, or another argument is none of its values.

    Example:
    >>> layer = keras.layers.TextVectorization(standardize="lower")
    >>> layer.adapt(["[start] see you [end]"])
    >>> tokenizer = VectorizationTokenizer.from_layer(layer)
    >>> ids = tokenizer.tokenize(["See me"])
    >>> tokenizer.detokenize(ids).numpy()[0].decode()
    'see \u2047'
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        standardize: str | Change | None = STANDARDIZATIONS[1],
        split: str | Change | None = "whitespace",
        *,
        start: str | None = "[start]",
        end: str | None = "[end]",
    ) -> None:
        check_changes(standardize, split)
        super().__init__(vocabulary, unknown_word(vocabulary), start, end)
        self._standardize = standardize
        self._split = split
        words = [word.encode() for word in self.vocabulary[2:]]
        self._table = lookup_table(words, range(2, self.vocabulary_size))

    @classmethod
    def from_layer(
        cls,
        layer: Any,
        *,
        start: str | None = "[start]",
        end: str | None = "[end]",
    ) -> Self:
        """Makes the tokenizer of a layer that was adapted or given a vocabulary.

        Args:
            layer: A `keras.layers.TextVectorization`.
            start: The word with which a sentence begins, or `None`.
            end: The word with which it ends, or `None`.

        Raises:
            ValueError: If the layer counts words, joins them to n-grams, or lacks
                `start` or `end` in its vocabulary.
        """
        config = layer.get_config()
        for name, expected in (("output_mode", "int"), ("ngrams", None)):
            if config[name] != expected:
                raise ValueError(
                    f"`layer` must have {name}={expected!r}, to have an id for each "
                    f"word. Received: {name}={config[name]!r}"
                )
        options = (config["standardize"], config["split"])
        return cls(layer.get_vocabulary(), *options, start=start, end=end)

    def _words(self, text: tf.Tensor) -> tf.RaggedTensor:
        if self._standardize in LOWER:
            text = tf.strings.lower(text)
        if self._standardize in STRIP:
            text = tf.strings.regex_replace(text, PUNCTUATION, "")
        if callable(self._standardize):
            text = self._standardize(text)
        words = tf.RaggedTensor.from_tensor(text[:, None])
        if self._split == "whitespace":
            words = tf.strings.split(text)
        elif self._split == "character":
            words = tf.strings.unicode_split(text, "UTF-8")
        elif callable(self._split):
            words = self._split(text)
        # To the layer, what is empty is padding.
        return tf.ragged.boolean_mask(words, words != "")

    def _to_ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        words = self._words(text)
        return words.with_flat_values(self._table.lookup(words.flat_values))

    def _to_parts(self, text: tf.Tensor) -> tf.RaggedTensor:
        return self._words(text)

    def _join(self, pieces: tf.RaggedTensor) -> tf.Tensor:
        separator = "" if self._split == "character" else " "
        return tf.strings.reduce_join(pieces, axis=1, separator=separator)

    def _content(self) -> dict[str, Any]:
        content = super()._content()
        del content["unknown"]
        changes = {"standardize": self._standardize, "split": self._split}
        return {**content, **keras.saving.serialize_keras_object(changes)}

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        changes = {name: content[name] for name in ("standardize", "split")}
        return cls(**{**content, **keras.saving.deserialize_keras_object(changes)})


def as_tokenizer(value: Any) -> Any:
    """Returns a tokenizer as it is, and that of a `keras.layers.TextVectorization`.

    Args:
        value: Either of them.

    Raises:
        ValueError: As `VectorizationTokenizer.from_layer` does.
    """
    if isinstance(value, keras.layers.TextVectorization):
        return VectorizationTokenizer.from_layer(value)
    return value
