"""What a `Translator` computes, as TensorFlow graphs to strings."""

import inspect
from collections.abc import Iterable
from functools import cache, partial
from typing import Any

import numpy as np
import tensorflow as tf

from keras_attention.decoding import Hypotheses, Search
from keras_attention.decoding.outputs import attend_to_outputs
from keras_attention.special_ids import UNKNOWN, SpecialIds
from keras_attention.text import Tokenizer
from keras_attention.translation.buckets import CORES, Buckets
from keras_attention.translation.candidates import (
    MOST,
    make_candidates,
    search_in_lists,
)
from keras_attention.translation.graph_batches import GraphBatches
from keras_attention.translation.graph_candidates import GraphCandidates
from keras_attention.translation.graph_sources import make_source, to_ids
from keras_attention.translation.graph_unknown import replace_unknown as replace
from keras_attention.translation.model_graphs import make_graph, make_model_graph
from keras_attention.translation.portable_programs import (
    ChangingPrograms,
    PortablePrograms,
)
from keras_attention.translation.short_list import ShortList
from keras_attention.translation.weights import Weights

REFERENCE_LENGTH = 256  # tokens at least, where a model has no limit

_TEXTS = tf.TensorSpec(None, tf.string, name="text")  # of any number of axes
_REFERENCE = tf.TensorSpec([None], tf.string, name="reference")


class Serving:
    """The graphs between what a model reads and the strings that a search finds.

    Args:
        model: a `Seq2Seq` or a `LanguageModel`.
        source_tokenizer: of the texts; `None` for a model that reads vectors, whose
            graphs take `source` and `source_mask` in the place of `text`.
        target_tokenizer: of the translations.
        search: how they are found.
        source_limit: the most source tokens, the end included.
        batch_size: the most rows of a batch that XLA compiles.
        replace_unknown: whether the source word that was attended to stands for an
            unknown one.
        is_compiled: whether XLA compiles the search, for batches of the shapes of
            `Buckets`.
        short_list: of the ids that a source may ask for, if there is one.

    Attributes:
        options: of the search, with the values that hold where none are asked for.
        source: what is read, a `TextSource` or a `VectorSource`.
        is_compiled: as given.
        search: from `text`, and options of the search, to the parts of the signature
            `nbest` and the `length` of each translation in tokens.
        search_all: likewise, from one text or from texts of any number of axes.
    """

    def __init__(
        self,
        model: Any,
        source_tokenizer: Tokenizer | None,
        target_tokenizer: Tokenizer,
        search: Search,
        source_limit: int,
        batch_size: int,
        replace_unknown: bool = False,
        is_compiled: bool = False,
        short_list: ShortList | None = None,
    ) -> None:
        self._model = model
        self.source_tokenizer = source_tokenizer
        self.target_tokenizer = target_tokenizer
        self._search = search
        self._replace_unknown = replace_unknown
        self._end = SpecialIds.of(model).end
        self.source_limit = source_limit
        self.source: Any = make_source(model, source_tokenizer, source_limit)
        # Memory grows with the square of a length.
        self._target_limit = model.target_embedding.max_length or max(
            REFERENCE_LENGTH, source_limit, search.max_length
        )
        self.options = {
            name: tf.constant(value, tf.int32 if isinstance(value, int) else tf.float32)
            for name, value in search.options().items()
        }
        self._buckets = Buckets(search, batch_size, source_limit, model.count_params())
        self.is_compiled = is_compiled
        self._seeds = getattr(search, "seeds", None)
        self._candidates = make_candidates(short_list, model, search)
        self._weights = Weights(model.variables)
        self._find = self._make_find()
        self._log_probabilities = make_model_graph(
            model.log_probabilities,
            [self.source.read_as, tf.TensorSpec([None, None], tf.int32)],
            self._weights,
        )
        inputs = self.source.inputs
        self.search = _of_names(self._search_rows, inputs, self.options)
        self.search_all = self.search
        if source_tokenizer is not None:
            texts = {"text": _TEXTS}
            self.search_all = _of_names(self._search_all, texts, self.options)

    def signatures(self) -> dict[str, Any]:
        """What a SavedModel offers, by name."""
        inputs = self.source.inputs
        found = {
            "serving_default": _of_names(self._translate, inputs),
            "nbest": _of_names(self._translate_all, inputs),
            "score": _of_names(self._score, {**inputs, "reference": _REFERENCE}),
            "search": self.search,
        }
        attend = _of_names(self._attend, inputs)
        if "attention" in attend.get_concrete_function().structured_outputs:
            found["attend"] = attend
        return found

    def resources(self) -> list[Any]:
        """Variables and tables that the graphs use."""
        variables = self._weights.resources
        if self._seeds is not None:
            changed = [*self._model.variables, self._seeds.state]
            variables = [*variables, *(one.value for one in changed)]
        tokenizers = [self.source_tokenizer, self.target_tokenizer]
        return [variables, *filter(None, tokenizers)]

    def shapes(
        self, rows: Iterable[int] | None = None, lengths: Iterable[int] | None = None
    ) -> list[tuple[int, int]]:
        """Rows and lengths that XLA compiles the search for; as in `Buckets`."""
        return self._buckets.shapes(rows, lengths) if self.is_compiled else []

    def request(self, rows: int = 1, length: int = 1) -> dict[str, Any]:
        """Inputs that fall into the bucket of these rows and tokens."""
        one = self.source.of_length(self._buckets.below(length), length)
        # Fewer would be cut into smaller batches.
        some = [one] * (rows * CORES if rows > 1 else 1)
        return dict(zip(self.source.inputs, self.source.batch(some), strict=True))

    def _make_find(self):
        """The graph of a search, from what the model reads."""
        inputs = (
            self.source.read_as,
            tf.TensorSpec([None], tf.int32),
            {name: tf.TensorSpec([], v.dtype) for name, v in self.options.items()},
        )
        candidates = self._candidates
        listed = None if candidates is None else GraphCandidates(candidates)

        def in_room(room, departures, source, limits, *others):
            *lists, options = others
            search = self._search.with_options(**{**options, "max_length": limits})
            found, is_done = search_in_lists(
                search, self._model, source, *lists, room=room, departures=departures
            )
            return _by_name(found), is_done

        def at_once(source, lengths, limits, options):
            lists = [] if listed is None else [listed.lists(source)]
            inputs = source, limits, *lists, options
            return in_room(self._search.max_length, 0, *inputs)[0]

        all_inputs = [*inputs[:2], *inputs[1:]]
        if not self.is_compiled:
            if self._seeds is not None:
                return make_graph(at_once, all_inputs)
            return make_model_graph(at_once, all_inputs, self._weights)

        @cache
        def programs(room, departures, size):
            find = partial(in_room, room, departures)
            if self._seeds is not None:
                return ChangingPrograms(find, inputs)
            lists = [] if size is None else [tf.TensorSpec([None, size], tf.int32)]
            signature = [*inputs[:2], *lists, inputs[2]]
            return PortablePrograms(find, signature, self._weights)

        def make_program(rows, length, room):
            size = None if candidates is None else candidates.size(length)
            found = programs(room, self._buckets.departures(rows), size)
            program = found.of_shape(rows, length)
            if size is None:
                return program
            return lambda source, limits, lists, *shared: program(
                source, limits, lists[:, :size], *shared
            )

        size = None if candidates is None else MOST
        batches = GraphBatches(
            make_program,
            programs(self._search.max_length, 0, size).found[0],
            self._buckets,
            self._search.max_length,
            None if listed is None else listed.lists,
        )
        return make_graph(
            lambda *inputs: batches(*inputs, self._weights.bundle()), all_inputs
        )

    def _attend_to(self, source, ids):
        """What hypotheses attended to, by name, if the model has attention."""
        count, length = ids.shape[1:]

        def attend(source, ids):
            attention = attend_to_outputs(self._model, source, ids)
            parts = {} if attention is None else {"attention": attention}
            return {name: _in_single_precision(part) for name, part in parts.items()}

        spec = tf.TensorSpec([None, count, length], tf.int32)
        signature = [self.source.read_as, spec]
        graph = make_model_graph(attend, signature, self._weights)
        return graph(source, ids)

    def _hypotheses(self, inputs, with_attention=False, **options):
        """What the search finds when asked for some options, and what was read."""
        options = {**self.options, **options}
        source = self.source.read(**inputs)
        mask = self.source.mask(source)
        # Rows of nothing, and those that fill a batch, end at once.
        is_nothing = self.source.is_nothing(source)
        limits = tf.where(is_nothing, 1, options["max_length"])
        lengths = tf.math.count_nonzero(mask, axis=1, dtype=tf.int32)
        found = self._find(source, lengths, limits, options)
        found = {**_end_at_once(found, is_nothing, self._end), "source_mask": mask}
        if with_attention or self._replace_unknown:
            found |= self._attend_to(source, found["ids"])
        if self.source_tokenizer is not None:
            found["source_tokens"] = self.source.tokens(source)
        return {**found, "translation": self._write(inputs, found)}

    def _write(self, inputs, found):
        rows, count, length = tf.unstack(tf.shape(found["ids"]))
        ids = tf.reshape(found["ids"], [rows * count, length])
        written = self.target_tokenizer.detokenize(ids)
        if self._replace_unknown:
            if "attention" not in found or self.source_tokenizer is None:
                raise ValueError(
                    "`replace_unknown` needs a model with attention that reads texts"
                )
            parts = self.source.parts(**inputs)
            parts = tf.gather(parts, tf.repeat(tf.range(rows), count))
            shape = [rows * count, length, tf.shape(found["source_mask"])[1]]
            attention = tf.reshape(found["attention"], shape)
            unknown_id = getattr(self.target_tokenizer, "unknown_id", UNKNOWN)
            written = replace(written, ids, attention, parts, unknown_id)
        return tf.reshape(written, [-1, found["ids"].shape[1]])

    def _hypothesis(self, inputs, with_attention=False):
        one = {"num_hypotheses": 1} if "num_hypotheses" in self.options else {}
        return self._hypotheses(inputs, with_attention, **one)

    def _translate(self, inputs):
        found = self._hypothesis(inputs)
        return {
            "translation": found["translation"][:, 0],
            "score": found["scores"][:, 0],
        }

    def _search_all(self, inputs, **options):
        """What `_search_rows` finds, of texts of any number of axes."""
        text = inputs["text"]
        found = self.search(tf.reshape(text, [-1]), **options)
        return {
            name: tf.reshape(part, tf.concat([tf.shape(text), tf.shape(part)[1:]], 0))
            for name, part in found.items()
        }

    def _search_rows(self, inputs, **options):
        found = self._hypotheses(inputs, **options)
        return {
            "translation": found["translation"],
            "score": found["scores"],
            "length": found["lengths"],
        }

    def _translate_all(self, inputs):
        found = self._search_rows(inputs)
        return {name: found[name] for name in ("translation", "score")}

    def _score(self, inputs):
        inputs = {**inputs}
        reference = inputs.pop("reference")
        labels = to_ids(self.target_tokenizer, reference, self._target_limit)
        source = self.source.read(**inputs)
        log_probs = self._log_probabilities(source, labels)
        return {
            "log_probability": tf.reduce_sum(_in_single_precision(log_probs), axis=1),
            "length": tf.math.count_nonzero(labels, axis=1, dtype=tf.int32),
        }

    def _attend(self, inputs):
        found = self._hypothesis(inputs, with_attention=True)
        lengths = found["lengths"][:, 0]
        # Zero rows have no longest one.
        longest = tf.reduce_max(tf.concat([[0], lengths], axis=0))
        parts = {
            "translation": found["translation"][:, 0],
            "target_tokens": self.target_tokenizer.tokens(found["ids"][:, 0, :longest]),
        }
        if "source_tokens" in found:
            parts["source_tokens"] = found["source_tokens"]
        if "attention" in found:
            parts["attention"] = found["attention"][:, 0, :longest]
        return parts


def _of_names(
    function: Any,
    inputs: dict[str, tf.TensorSpec],
    defaults: dict[str, tf.Tensor] | None = None,
) -> Any:
    """The graph of a function of named inputs, and of options that need not be given.

    Args:
        function: called with a dictionary of the inputs, and with the options by name.
        inputs: their names and what they are.
        defaults: of the options.
    """
    defaults = defaults or {}

    def call(*values):
        given = dict(zip([*inputs, *defaults], values, strict=True))
        return function({name: given.pop(name) for name in inputs}, **given)

    # TensorFlow reads names and defaults from a function's signature, and writes them
    # into the SavedModel.
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in inputs]
    for name, value in defaults.items():
        parameters.append(inspect.Parameter(name, kind, default=value))
    setattr(call, "__signature__", inspect.Signature(parameters))  # noqa: B010
    specs = [tf.TensorSpec([], v.dtype, name=name) for name, v in defaults.items()]
    return make_graph(call, [*inputs.values(), *specs])


def _by_name(found: Hypotheses) -> dict[str, tf.Tensor]:
    """What there is of hypotheses, as a graph gives it."""
    parts = found._asdict().items()
    return {name: _in_single_precision(p) for name, p in parts if p is not None}


def _in_single_precision(part: tf.Tensor) -> tf.Tensor:
    """What a graph gives, whatever the precision of its model: float32, or integers."""
    return tf.cast(part, tf.float32) if part.dtype.is_floating else part


def _end_at_once(
    found: dict[str, tf.Tensor], where: tf.Tensor, end: int
) -> dict[str, tf.Tensor]:
    """Give empty rows an empty translation: an end with a score of 0."""
    rows, count, length = tf.unstack(tf.shape(found["ids"]))
    first = tf.one_hot(0, count, on_value=1, off_value=0)
    ids = end * first[:, None] * tf.one_hot(0, length, dtype=tf.int32)
    scores = tf.where(first == 1, 0.0, -np.inf)

    def put(name, value):
        chosen = tf.reshape(where, [rows] + [1] * (found[name].shape.rank - 1))
        return tf.where(chosen, value, found[name])

    changed = {"ids": ids, "lengths": first, "scores": scores}
    return {**found, **{name: put(name, value) for name, value in changed.items()}}
