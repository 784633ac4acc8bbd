"""Strings in, strings out."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, Self

import keras
import numpy as np
import tensorflow as tf

from keras_attention.checks import check_positive
from keras_attention.decoding import Greedy, Hypotheses
from keras_attention.export import export_saved_model
from keras_attention.folders import (
    check_free,
    new_folder,
    read_manifest,
    write_manifest,
)
from keras_attention.ids import END, PAD
from keras_attention.models import LanguageModel, Seq2Seq
from keras_attention.text import Tokenizer, load_tokenizer
from keras_attention.text.strings import to_strings

FORMAT = "keras_attention.Translator"
VERSION = 1
MARKER = "translator.json"
MODEL, SOURCE, TARGET = "model.keras", "source_tokenizer.json", "target_tokenizer.json"
DEFAULT_LENGTH = 128

_TEXT = tf.TensorSpec([None], tf.string, name="text")
_REFERENCE = tf.TensorSpec([None], tf.string, name="reference")


class Hypothesis(NamedTuple):
    """A translation, and how it was found.

    Attributes:
        text: the translation.
        score: of the search; for greedy search the log-probability.
        source_tokens: pieces of the source, its end included.
        target_tokens: pieces of the translation, its end included if it has one.
        attention: `(target tokens, source tokens)`, float32, or `None`.
    """

    text: str
    score: float
    source_tokens: list[str]
    target_tokens: list[str]
    attention: np.ndarray | None


class Score(NamedTuple):
    """How probable a translation is.

    Attributes:
        log_probability: of the whole, its end included.
        tokens: its pieces, the end included.
        log_probabilities: of each piece after those before it, float32.
    """

    log_probability: float
    tokens: list[str]
    log_probabilities: np.ndarray


class Translator:
    """A model between two tokenizers.

    Runs on Keras's TensorFlow backend, since its tokenizers are TensorFlow graphs. Any
    string gives a result: empty ones, bytes that are not UTF-8, unknown characters.
    Rows do not influence each other.

    Args:
        model: a `Seq2Seq` whose vocabularies are those of the tokenizers; or a
            `LanguageModel`, which continues the texts, with one tokenizer given twice.
        source_tokenizer: of `keras_attention.text`, or one with its methods.
        target_tokenizer: likewise.
        search: how the translation is found; `Greedy(max_length=128)` when left out,
            or less where the model's own limit is lower.
        max_source_length: the most source tokens, the end included; what is longer is
            cut. The model's own limit holds where it is lower.
        batch_size: the most texts that are translated at once.

    Raises:
        ValueError: for a tokenizer with more ids than the model has, or a search that
            writes more of them than the model has positions for.
        RuntimeError: on another backend than TensorFlow.

    Example:
    >>> from keras_attention.models import transformer
    >>> from keras_attention.text import CharacterTokenizer
    >>> letters = CharacterTokenizer.train(["ab"])
    >>> size = letters.vocabulary_size
    >>> model = transformer(size, size, num_layers=1, num_heads=2, embedding_dim=8)
    >>> translator = Translator(model, letters, letters, Greedy(max_length=5))
    >>> len(translator(["ab", "b"]))
    2
    """

    def __init__(
        self,
        model: Any,
        source_tokenizer: Tokenizer,
        target_tokenizer: Tokenizer,
        search: Any = None,
        max_source_length: int = 256,
        batch_size: int = 64,
    ) -> None:
        _check_backend()
        check_positive(max_source_length=max_source_length, batch_size=batch_size)
        if not isinstance(model, Seq2Seq | LanguageModel):
            raise ValueError(
                "`model` must be a `Seq2Seq` or a `LanguageModel`. "
                f"Received: model={model!r}"
            )
        _check_ids("source_tokenizer", source_tokenizer, model.source_embedding)
        _check_ids("target_tokenizer", target_tokenizer, model.target_embedding)
        longest = model.target_embedding.max_length or DEFAULT_LENGTH
        if search is None:
            search = Greedy(max_length=min(DEFAULT_LENGTH, longest))
        _check_search(search, model.target_embedding.max_length)
        self.model = model
        self.source_tokenizer = source_tokenizer
        self.target_tokenizer = target_tokenizer
        self.search = search
        self.max_source_length = max_source_length
        self.batch_size = batch_size
        limit = model.source_embedding.max_length or max_source_length
        self._source_limit = min(max_source_length, limit)
        self._target_limit = model.target_embedding.max_length
        self._serve = _graph(self._translate, _TEXT)
        self._serve_all = _graph(self._translate_all, _TEXT)
        self._serve_attention = _graph(self._attend, _TEXT)
        self._serve_score = _graph(self._score, _TEXT, _REFERENCE)
        self._find = _graph(self._hypotheses, _TEXT)
        self._find_score = _graph(self._score_tokens, _TEXT, _REFERENCE)

    def __call__(self, texts: str | Sequence[str]) -> Any:
        """Translate a list of texts to a list, or one text to one."""
        if isinstance(texts, str):
            return self([texts])[0]
        return self._in_batches(self._call_batch, texts=texts)

    def hypotheses(self, texts: Sequence[str]) -> list[list[Hypothesis]]:
        """The translations that the search found of each text, best first."""
        return self._in_batches(self._hypotheses_batch, texts=texts)

    def score(self, texts: Sequence[str], references: Sequence[str]) -> list[Score]:
        """How probable given translations are.

        Args:
            texts: to translate.
            references: a translation of each. What is longer than the model's limit is
                cut.
        """
        columns = {"texts": texts, "references": references}
        return self._in_batches(self._score_batch, **columns)

    def save(self, path: str | PathLike[str], overwrite: bool = False) -> None:
        """Write the model, the tokenizers and the search into one folder.

        Args:
            path: the folder to write; it appears when it is complete.
            overwrite: whether a saved `Translator` there may be replaced.

        Raises:
            FileExistsError: when something stands at `path` that may not be replaced.
        """
        with new_folder(path, MARKER, overwrite) as folder:
            self.model.save(folder / MODEL)
            self.source_tokenizer.save(folder / SOURCE)
            self.target_tokenizer.save(folder / TARGET)
            settings = {
                "search": keras.saving.serialize_keras_object(self.search),
                "max_source_length": self.max_source_length,
                "batch_size": self.batch_size,
            }
            write_manifest(folder, MARKER, FORMAT, VERSION, settings)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: when a file of the folder is missing.
            ValueError: for a file that is truncated, altered or of something else.
        """
        _check_backend()
        folder = Path(path)
        files = (MODEL, SOURCE, TARGET)
        settings = read_manifest(folder, MARKER, FORMAT, VERSION, files)
        return cls(
            _load_model(folder / MODEL),
            load_tokenizer(folder / SOURCE),
            load_tokenizer(folder / TARGET),
            _load_search(folder / MARKER, settings["search"]),
            settings["max_source_length"],
            settings["batch_size"],
        )

    def export(self, path: str | PathLike[str], overwrite: bool = False) -> None:
        """Write a SavedModel that takes strings and returns strings.

        It loads with `tensorflow` and `tensorflow_text` alone. Signatures, all of any
        number of texts:

        - `serving_default`: `text` to `translation` and `score`.
        - `nbest`: `text` to `translation (batch, hypotheses)` and `score`, best first.
        - `attend`, of a model with attention: `text` to `translation`, `source_tokens`,
          `target_tokens` and `attention (batch, target, source)`; tokens behind the end
          are empty strings.
        - `score`: `text` and `reference` to the `log_probability` of the reference with
          its end, and its `length` in tokens.

        Args:
            path: the folder to write; it appears when it is complete.
            overwrite: whether a SavedModel there may be replaced.

        Raises:
            FileExistsError: when something stands at `path` that may not be replaced.
        """
        signatures = {
            "serving_default": self._serve,
            "nbest": self._serve_all,
            "score": self._serve_score,
        }
        if "attention" in self._find.get_concrete_function().structured_outputs:
            signatures["attend"] = self._serve_attention
        variables = [variable.value for variable in self.model.variables]
        seeds = getattr(self.search, "seeds", None)
        if seeds is not None:
            variables.append(seeds.state.value)
        tokenizers = [self.source_tokenizer, self.target_tokenizer]
        export_saved_model(path, signatures, [variables, tokenizers], overwrite)

    @staticmethod
    def check_free(path: str | PathLike[str], overwrite: bool = False) -> None:
        """Raise now what `save` would raise later for this path."""
        check_free(path, MARKER, overwrite)

    def _hypotheses(self, text, search=None):
        source = _to_ids(self.source_tokenizer, text, self._source_limit)
        found = (search or self.search).search(self.model, source)
        found = _end_at_once(found, where=source[:, 0] == END)._asdict()
        found = {name: part for name, part in found.items() if part is not None}
        return {**found, "source": source}

    def _translate(self, text):
        found = self._hypotheses(text, self.search.best())
        translation = self.target_tokenizer.detokenize(found["ids"][:, 0])
        return {"translation": translation, "score": found["scores"][:, 0]}

    def _translate_all(self, text):
        found = self._hypotheses(text)
        rows, count, length = tf.unstack(tf.shape(found["ids"]))
        flat = tf.reshape(found["ids"], [rows * count, length])
        translation = self.target_tokenizer.detokenize(flat)
        return {
            "translation": tf.reshape(translation, [rows, count]),
            "score": found["scores"],
        }

    def _score(self, text, reference):
        found = self._score_tokens(text, reference)
        return {name: found[name] for name in ("log_probability", "length")}

    def _score_tokens(self, text, reference):
        source = _to_ids(self.source_tokenizer, text, self._source_limit)
        labels = _to_ids(self.target_tokenizer, reference, self._target_limit)
        log_probs = self.model.log_probabilities(source, labels)
        return {
            "log_probability": tf.reduce_sum(log_probs, axis=1),
            "length": tf.math.count_nonzero(labels, axis=1, dtype=tf.int32),
            "labels": labels,
            "log_probabilities": log_probs,
        }

    def _attend(self, text):
        found = self._hypotheses(text, self.search.best())
        lengths = found["lengths"][:, 0]
        # Zero rows have no longest one.
        longest = tf.reduce_max(tf.concat([[0], lengths], axis=0))
        ids = found["ids"][:, 0, :longest]
        written = tf.sequence_mask(lengths, longest, dtype=tf.float32)[:, :, None]
        return {
            "translation": self.target_tokenizer.detokenize(ids),
            "source_tokens": self.source_tokenizer.tokens(found["source"]),
            "target_tokens": self.target_tokenizer.tokens(ids),
            "attention": found["attention"][:, 0, :longest] * written,
        }

    def _score_batch(self, texts, references):
        found = {
            name: part.numpy()
            for name, part in self._find_score(texts, references).items()
        }
        pieces = _decode(self.target_tokenizer.tokens(found["labels"]))
        results = []
        for row, length in enumerate(found["length"]):
            log_probs = found["log_probabilities"][row, :length]
            total, tokens = found["log_probability"][row], pieces[row, :length]
            results.append(Score(float(total), list(tokens), log_probs))
        return results

    def _call_batch(self, texts):
        translations = self._serve(texts)["translation"].numpy()
        return [translation.decode() for translation in translations]

    def _hypotheses_batch(self, texts):
        found = {name: part.numpy() for name, part in self._find(texts).items()}
        batch, count, length = found["ids"].shape
        flat = found["ids"].reshape(-1, length)
        words = _decode(self.target_tokenizer.detokenize(flat)).reshape(batch, count)
        pieces = _decode(self.target_tokenizer.tokens(found["ids"]))
        source_pieces = _decode(self.source_tokenizer.tokens(found["source"]))
        results = []
        for row in range(batch):
            size = int(np.sum(found["source"][row] != PAD))
            results.append([])
            for rank in range(count):
                end = found["lengths"][row, rank]
                attention = found.get("attention")
                results[row].append(
                    Hypothesis(
                        text=words[row, rank],
                        score=float(found["scores"][row, rank]),
                        source_tokens=list(source_pieces[row, :size]),
                        target_tokens=list(pieces[row, rank, :end]),
                        attention=None
                        if attention is None
                        else attention[row, rank, :end, :size],
                    )
                )
        return results

    def _in_batches(self, function: Any, **columns: Any) -> list[Any]:
        """Texts of one length together: short ones do not wait for long ones."""
        for name, texts in columns.items():
            is_list = isinstance(texts, Sequence | np.ndarray)
            is_list = is_list and not isinstance(texts, str | bytes)
            if not is_list or not all(isinstance(text, str | bytes) for text in texts):
                raise ValueError(
                    f"`{name}` must be a list of strings. Received: {name}={texts!r}"
                )
        counts = {name: len(texts) for name, texts in columns.items()}
        if len(set(counts.values())) > 1:
            raise ValueError(f"Lists must be of one length. Received: {counts}")
        rows = list(zip(*columns.values(), strict=True))
        order = sorted(range(len(rows)), key=lambda row: max(map(len, rows[row])))
        results: list[Any] = [None] * len(rows)
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            batch = (
                to_strings([texts[row] for row in chosen]) for texts in columns.values()
            )
            for row, result in zip(chosen, function(*batch), strict=True):
                results[row] = result
        return results


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


def _decode(strings: tf.Tensor) -> np.ndarray:
    return np.vectorize(bytes.decode, otypes=[object])(strings.numpy())


def _check_ids(name: str, tokenizer: Tokenizer, embedding: Any) -> None:
    if tokenizer.vocabulary_size > embedding.vocabulary_size:
        raise ValueError(
            f"`{name}` must not have more ids than the model. Received: {name} with "
            f"{tokenizer.vocabulary_size} ids, model with {embedding.vocabulary_size}"
        )


def _check_search(search: Any, limit: int | None) -> None:
    if not callable(getattr(search, "search", None)):
        raise ValueError(
            f"`search` must be one of `decoding`. Received: search={search!r}"
        )
    length = getattr(search, "max_length", 0)
    if limit is not None and length > limit:
        raise ValueError(
            "`search` must not write more ids than the model has positions for. "
            f"Received: search={search!r}, model with max_length={limit}"
        )


def _check_backend() -> None:
    if keras.config.backend() != "tensorflow":
        raise RuntimeError(
            "A Translator runs on Keras's TensorFlow backend: save the model as .keras "
            "and load it in a process with KERAS_BACKEND=tensorflow. Received: "
            f"backend={keras.config.backend()!r}"
        )


def _load_search(path: Path, config: dict[str, Any]) -> Any:
    try:
        return keras.saving.deserialize_keras_object(config)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{str(path)!r} names an unknown search: {error}") from error


def _load_model(path: Path) -> Any:
    try:
        return keras.models.load_model(path)
    except Exception as error:  # Keras raises whatever its readers raise.
        raise ValueError(
            f"{str(path)!r} is not a usable Keras model: {error}"
        ) from error
