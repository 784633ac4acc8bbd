"""What a `Translator` computes, as TensorFlow graphs from strings."""

import functools
import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_attention.decoding import Search
from keras_attention.special_ids import PAD, UNKNOWN, SpecialIds
from keras_attention.text import Tokenizer
from keras_attention.translation.buckets import Buckets
from keras_attention.translation.unknown import replace_unknown as replace

REFERENCE_LENGTH = 256  # tokens at least, where a model has no limit

_TEXT = tf.TensorSpec([None], tf.string, name="text")
_TEXTS = tf.TensorSpec(None, tf.string, name="text")  # of any number of axes
_REFERENCE = tf.TensorSpec([None], tf.string, name="reference")


class Serving:
    """The graphs between strings and what a search finds.

    Args:
        model: a `Seq2Seq` or a `LanguageModel`.
        source_tokenizer: of the texts.
        target_tokenizer: of the translations.
        search: how they are found. When it is compiled by XLA, batches are padded to
            the shapes of `Buckets`.
        source_limit: the most source tokens, the end included.
        batch_size: the most rows of a batch that XLA compiles.
        replace_unknown: whether the source word that was attended to stands for an
            unknown one.

    Attributes:
        options: of the search, with the values that hold where none are asked for.
        is_random: whether the same texts are translated otherwise each time.
        translate: from `text` to `translation` and `score`, the best of each, and to
            whether it `is_complete`: it ends before the search's limit.
        hypotheses: from `text` to all parts of `Hypotheses`, the `translation` of each
            and the `source` ids.
        scores: from `text` and `reference` to the parts of the signature `score`, the
            `labels` of the references and their `log_probabilities`.
        search: from `text`, and options of the search, to the parts of the signature
            `nbest` and the `length` of each translation in tokens.
        search_all: likewise, from one text or from texts of any number of axes.
    """

    def __init__(
        self,
        model: Any,
        source_tokenizer: Tokenizer,
        target_tokenizer: Tokenizer,
        search: Search,
        source_limit: int,
        batch_size: int,
        replace_unknown: bool = False,
    ) -> None:
        self._model = model
        self.source_tokenizer = source_tokenizer
        self.target_tokenizer = target_tokenizer
        self._search = search
        self._replace_unknown = replace_unknown
        self._end = SpecialIds.of(model).end
        self._source_end = SpecialIds.of(source_tokenizer).end
        self.source_limit = source_limit
        # Memory grows with the square of a length.
        self._target_limit = model.target_embedding.max_length or max(
            REFERENCE_LENGTH, source_limit, search.max_length
        )
        self.options = {
            name: tf.constant(value, tf.int32 if isinstance(value, int) else tf.float32)
            for name, value in search.options().items()
        }
        self._buckets = Buckets(batch_size, source_limit)
        ids_and_options = (
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            {name: tf.TensorSpec([], v.dtype) for name, v in self.options.items()},
        )
        self._find = _graph(self._find_ids, *ids_and_options)
        if search.jit_compile:
            compiled = _graph(self._find_ids, *ids_and_options, jit_compile=True)
            self._find = _graph(
                functools.partial(self._buckets.apply, compiled), *ids_and_options
            )
        self._seeds = getattr(search, "seeds", None)
        self.is_random = self._seeds is not None
        self.translate = _graph(self._translate, _TEXT)
        self.hypotheses = _graph(self._hypotheses, _TEXT)
        self.scores = _graph(self._score_tokens, _TEXT, _REFERENCE)
        self.search = _with_options(self._search_texts, self.options, _TEXT)
        self.search_all = _with_options(self._search_all, self.options, _TEXTS)

    def signatures(self) -> dict[str, Any]:
        """What a SavedModel offers, by name."""
        found = {
            "serving_default": _graph(self._translate_best, _TEXT),
            "nbest": _graph(self._translate_all, _TEXT),
            "score": _graph(self._score, _TEXT, _REFERENCE),
            "search": self.search,
        }
        if "attention" in self.hypotheses.get_concrete_function().structured_outputs:
            found["attend"] = _graph(self._attend, _TEXT)
        return found

    def resources(self) -> list[Any]:
        """Variables and tables that the graphs use."""
        variables = [variable.value for variable in self._model.variables]
        if self._seeds is not None:
            variables.append(self._seeds.state.value)
        return [variables, self.source_tokenizer, self.target_tokenizer]

    def shapes(
        self, rows: Iterable[int] | None = None, lengths: Iterable[int] | None = None
    ) -> list[tuple[int, int]]:
        """Rows and lengths that XLA compiles the search for; as in `Buckets`."""
        return self._buckets.shapes(rows, lengths) if self._search.jit_compile else []

    def warm_up(self, rows: int, length: int) -> None:
        """Compile the search for one of the shapes, and run it once."""
        limits = tf.ones([rows], tf.int32)
        self._find(tf.fill([rows, length], self._source_end), limits, self.options)

    def example(self, length: int) -> str:
        """A text of up to so many tokens that is put into this length's bucket."""
        fewest = max((0, *(other for other in self._buckets.lengths if other < length)))
        texts = ["a " * count for count in range(1, length + 1)]
        lengths = self.source_tokenizer.tokenize(texts).row_lengths().numpy() + 1
        return texts[int(np.argmax(lengths > fewest))]

    def _find_ids(self, source, limits, options):
        search = self._search.with_options(**{**options, "max_length": limits})
        found = search.search(self._model, source)._asdict()
        return {name: part for name, part in found.items() if part is not None}

    def _hypotheses(self, text, **options):
        """What the search finds when asked for some options, and the source ids."""
        options = {**self.options, **options}
        source = _to_ids(self.source_tokenizer, text, self.source_limit)
        # Rows of nothing, and those that fill a batch, end at once.
        is_nothing = source[:, 0] == self._source_end
        limits = tf.where(is_nothing, 1, options["max_length"])
        found = self._find(source, limits, options)
        if "attention" in found:  # also to what a bucket pads a source with
            length = tf.shape(source)[1]
            found = {**found, "attention": found["attention"][..., :length]}
        found = {**_end_at_once(found, is_nothing, self._end), "source": source}
        return {**found, "translation": self._write(text, found)}

    def _write(self, text, found):
        rows, count, length = tf.unstack(tf.shape(found["ids"]))
        ids = tf.reshape(found["ids"], [rows * count, length])
        written = self.target_tokenizer.detokenize(ids)
        if self._replace_unknown:
            if "attention" not in found:
                raise ValueError("`replace_unknown` needs a model with attention")
            parts = self.source_tokenizer.split(text)
            parts = tf.gather(parts, tf.repeat(tf.range(rows), count))
            shape = [rows * count, length, tf.shape(found["source"])[1]]
            attention = tf.reshape(found["attention"], shape)
            unknown_id = getattr(self.target_tokenizer, "unknown_id", UNKNOWN)
            written = replace(written, ids, attention, parts, unknown_id)
        return tf.reshape(written, [-1, found["ids"].shape[1]])

    def _hypothesis(self, text):
        one = {"num_hypotheses": 1} if "num_hypotheses" in self.options else {}
        return self._hypotheses(text, **one)

    def _translate(self, text):
        found = self._hypothesis(text)
        return {
            "translation": found["translation"][:, 0],
            "score": found["scores"][:, 0],
            "is_complete": tf.reduce_any(found["ids"][:, 0] == self._end, axis=1),
        }

    def _translate_best(self, text):
        found = self._translate(text)
        return {name: found[name] for name in ("translation", "score")}

    def _search_all(self, text, **options):
        found = self.search(tf.reshape(text, [-1]), **options)
        return {
            name: tf.reshape(part, tf.concat([tf.shape(text), tf.shape(part)[1:]], 0))
            for name, part in found.items()
        }

    def _search_texts(self, text, **options):
        found = self._hypotheses(text, **options)
        return {
            "translation": found["translation"],
            "score": found["scores"],
            "length": found["lengths"],
        }

    def _translate_all(self, text):
        found = self._search_texts(text)
        return {name: found[name] for name in ("translation", "score")}

    def _score(self, text, reference):
        found = self._score_tokens(text, reference)
        return {name: found[name] for name in ("log_probability", "length")}

    def _score_tokens(self, text, reference):
        source = _to_ids(self.source_tokenizer, text, self.source_limit)
        labels = _to_ids(self.target_tokenizer, reference, self._target_limit)
        log_probs = self._model.log_probabilities(source, labels)
        return {
            "log_probability": tf.reduce_sum(log_probs, axis=1),
            "length": tf.math.count_nonzero(labels, axis=1, dtype=tf.int32),
            "labels": labels,
            "log_probabilities": log_probs,
        }

    def _attend(self, text):
        found = self._hypothesis(text)
        lengths = found["lengths"][:, 0]
        # Zero rows have no longest one.
        longest = tf.reduce_max(tf.concat([[0], lengths], axis=0))
        ids = found["ids"][:, 0, :longest]
        written = tf.sequence_mask(lengths, longest, dtype=tf.float32)[:, :, None]
        return {
            "translation": found["translation"][:, 0],
            "source_tokens": self.source_tokenizer.tokens(found["source"]),
            "target_tokens": self.target_tokenizer.tokens(ids),
            "attention": found["attention"][:, 0, :longest] * written,
        }


def _graph(function: Any, *signature: Any, jit_compile: bool | None = None) -> Any:
    # Loops are those of `keras.ops` already, and without autograph a graph is made
    # sooner.
    return tf.function(function, signature, autograph=False, jit_compile=jit_compile)


def _with_options(
    function: Any, defaults: dict[str, tf.Tensor], texts: tf.TensorSpec
) -> Any:
    """The graph of a function of `text`, whose options need not be given."""

    def call(text, *options):
        return function(text, **dict(zip(defaults, options, strict=True)))

    # TensorFlow reads names and defaults from a function's signature, and writes them
    # into the SavedModel.
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("text", kind)]
    for name, value in defaults.items():
        parameters.append(inspect.Parameter(name, kind, default=value))
    setattr(call, "__signature__", inspect.Signature(parameters))  # noqa: B010
    specs = [tf.TensorSpec([], v.dtype, name=name) for name, v in defaults.items()]
    return _graph(call, texts, *specs)


def _to_ids(tokenizer: Tokenizer, text: tf.Tensor, limit: int) -> tf.Tensor:
    """Dense int32 ids, each row with its end, no longer than a limit."""
    ids = tokenizer.tokenize(text)[:, : limit - 1]
    end = tf.constant(SpecialIds.of(tokenizer).end, ids.dtype)
    ends = tf.fill([tf.shape(text)[0], 1], end)
    dense = tf.cast(tf.concat([ids, ends], axis=1).to_tensor(PAD), tf.int32)
    # Zero rows have no length, and not every encoder reads that.
    missing = tf.maximum(1 - tf.shape(dense)[1], 0)
    return tf.pad(dense, [[0, 0], [0, missing]], constant_values=PAD)


def _end_at_once(
    found: dict[str, tf.Tensor], where: tf.Tensor, end: int
) -> dict[str, tf.Tensor]:
    """Translate rows of nothing by nothing: an end with a score of 0, and no more."""
    rows, count, length = tf.unstack(tf.shape(found["ids"]))
    first = tf.one_hot(0, count, on_value=1, off_value=0)
    ids = end * first[:, None] * tf.one_hot(0, length, dtype=tf.int32)
    scores = tf.where(first == 1, 0.0, -np.inf)

    def put(name, value):
        chosen = tf.reshape(where, [rows] + [1] * (found[name].shape.rank - 1))
        return tf.where(chosen, value, found[name])

    changed = {"ids": ids, "lengths": first, "scores": scores}
    return {**found, **{name: put(name, value) for name, value in changed.items()}}
