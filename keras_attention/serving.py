"""What a `Translator` computes, as TensorFlow graphs from strings."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_attention.decoding import Hypotheses, Search
from keras_attention.ids import END, PAD
from keras_attention.text import Tokenizer

_TEXT = tf.TensorSpec([None], tf.string, name="text")
_REFERENCE = tf.TensorSpec([None], tf.string, name="reference")


class Serving:
    """The graphs between strings and what a search finds.

    Args:
        model: a `Seq2Seq` or a `LanguageModel`.
        source_tokenizer: of the texts.
        target_tokenizer: of the translations.
        search: how they are found.
        source_limit: the most source tokens, the end included.

    Attributes:
        translate: from `text` to `translation` and `score`, the best of each.
        hypotheses: from `text` to all parts of `Hypotheses`, and the `source` ids.
        scores: from `text` and `reference` to the parts of the signature `score`, the
            `labels` of the references and their `log_probabilities`.
    """

    def __init__(
        self,
        model: Any,
        source_tokenizer: Tokenizer,
        target_tokenizer: Tokenizer,
        search: Search,
        source_limit: int,
    ) -> None:
        self._model = model
        self._source_tokenizer = source_tokenizer
        self._target_tokenizer = target_tokenizer
        self._search_all, self._search_best = search, search.best()
        self._source_limit = source_limit
        self._target_limit = model.target_embedding.max_length
        self.translate = _graph(self._translate, _TEXT)
        self.hypotheses = _graph(self._hypotheses, _TEXT)
        self.scores = _graph(self._score_tokens, _TEXT, _REFERENCE)

    def signatures(self) -> dict[str, Any]:
        """What a SavedModel offers, by name."""
        found = {
            "serving_default": self.translate,
            "nbest": _graph(self._translate_all, _TEXT),
            "score": _graph(self._score, _TEXT, _REFERENCE),
        }
        if "attention" in self.hypotheses.get_concrete_function().structured_outputs:
            found["attend"] = _graph(self._attend, _TEXT)
        return found

    def resources(self) -> list[Any]:
        """Variables and tables that the graphs use."""
        variables = [variable.value for variable in self._model.variables]
        seeds = getattr(self._search_all, "seeds", None)
        if seeds is not None:
            variables.append(seeds.state.value)
        return [variables, self._source_tokenizer, self._target_tokenizer]

    def _hypotheses(self, text):
        return self._search(text, self._search_all)

    def _search(self, text, search):
        source = _to_ids(self._source_tokenizer, text, self._source_limit)
        found = search.search(self._model, source)
        found = _end_at_once(found, where=source[:, 0] == END)._asdict()
        found = {name: part for name, part in found.items() if part is not None}
        return {**found, "source": source}

    def _translate(self, text):
        found = self._search(text, self._search_best)
        translation = self._target_tokenizer.detokenize(found["ids"][:, 0])
        return {"translation": translation, "score": found["scores"][:, 0]}

    def _translate_all(self, text):
        found = self._hypotheses(text)
        rows, count, length = tf.unstack(tf.shape(found["ids"]))
        flat = tf.reshape(found["ids"], [rows * count, length])
        translation = self._target_tokenizer.detokenize(flat)
        return {
            "translation": tf.reshape(translation, [rows, count]),
            "score": found["scores"],
        }

    def _score(self, text, reference):
        found = self._score_tokens(text, reference)
        return {name: found[name] for name in ("log_probability", "length")}

    def _score_tokens(self, text, reference):
        source = _to_ids(self._source_tokenizer, text, self._source_limit)
        labels = _to_ids(self._target_tokenizer, reference, self._target_limit)
        log_probs = self._model.log_probabilities(source, labels)
        return {
            "log_probability": tf.reduce_sum(log_probs, axis=1),
            "length": tf.math.count_nonzero(labels, axis=1, dtype=tf.int32),
            "labels": labels,
            "log_probabilities": log_probs,
        }

    def _attend(self, text):
        found = self._search(text, self._search_best)
        lengths = found["lengths"][:, 0]
        # Zero rows have no longest one.
        longest = tf.reduce_max(tf.concat([[0], lengths], axis=0))
        ids = found["ids"][:, 0, :longest]
        written = tf.sequence_mask(lengths, longest, dtype=tf.float32)[:, :, None]
        return {
            "translation": self._target_tokenizer.detokenize(ids),
            "source_tokens": self._source_tokenizer.tokens(found["source"]),
            "target_tokens": self._target_tokenizer.tokens(ids),
            "attention": found["attention"][:, 0, :longest] * written,
        }


def _graph(function: Any, *signature: tf.TensorSpec) -> Any:
    # Loops are those of `keras.ops` already, and without autograph a graph is made
    # sooner.
    return tf.function(function, signature, autograph=False)


def _to_ids(tokenizer: Tokenizer, text: tf.Tensor, limit: int | None) -> tf.Tensor:
    """Dense int32 ids, each row with its end, no longer than a limit."""
    ids = tokenizer.tokenize(text)
    if limit is not None:
        ids = ids[:, : limit - 1]
    ends = tf.fill([tf.shape(text)[0], 1], tf.constant(END, ids.dtype))
    dense = tf.cast(tf.concat([ids, ends], axis=1).to_tensor(PAD), tf.int32)
    # Zero rows have no length, and not every encoder reads that.
    missing = tf.maximum(1 - tf.shape(dense)[1], 0)
    return tf.pad(dense, [[0, 0], [0, missing]], constant_values=PAD)


def _end_at_once(found: Hypotheses, where: tf.Tensor) -> Hypotheses:
    """Translate rows of nothing by nothing: an end with a score of 0, and no more."""
    rows, count, length = tf.unstack(tf.shape(found.ids))
    first = tf.one_hot(0, count, on_value=1, off_value=0)
    ids = END * first[:, None] * tf.one_hot(0, length, dtype=tf.int32)
    scores = tf.where(first == 1, 0.0, -np.inf)

    def put(part, value):
        chosen = tf.reshape(where, [rows] + [1] * (part.shape.rank - 1))
        return tf.where(chosen, value, part)

    return found._replace(
        ids=put(found.ids, ids),
        lengths=put(found.lengths, first),
        scores=put(found.scores, scores),
    )
