"""Translations by graphs of TensorFlow, from strings to strings."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_attention.special_ids import SpecialIds
from keras_attention.text import Tokenizer
from keras_attention.text.strings import to_strings
from keras_attention.translation.graphs import Serving
from keras_attention.translation.results import Hypothesis, Score

# What comes of operations that XLA lacks, and of states that change their shapes.
_NOT_COMPILED = (
    tf.errors.InvalidArgumentError,
    tf.errors.UnimplementedError,
    TypeError,
    ValueError,
)


class TensorFlowEngine:
    """An `Engine` of the graphs that a SavedModel holds too.

    Args:
        make_serving: makes the graphs, compiled by XLA or not.
        is_compiled: whether they are to be compiled; `None` for where that is possible,
            which the first translation finds out.

    Attributes:
        serving: the graphs.
        source: what they read.
    """

    def __init__(
        self, make_serving: Callable[[bool], Serving], is_compiled: bool | None
    ) -> None:
        self._make_serving = make_serving
        self._is_settled = is_compiled is not None
        self.serving = make_serving(is_compiled is not False)
        self.source: Any = self.serving.source

    @property
    def cuts_batches(self) -> bool:
        """As of an `Engine`."""
        return self.serving.is_compiled

    def settle(self) -> Serving:
        """The graphs, when it is known whether XLA compiles them."""
        if not self._is_settled:
            self.translate(self.source.examples()[:1])
        return self.serving

    def _run(self, name, *inputs):
        """What one of the graphs gives."""
        if self._is_settled:
            return getattr(self.serving, name)(*inputs)
        try:
            found = getattr(self.serving, name)(*inputs)
        except _NOT_COMPILED as error:
            self.serving = self._make_serving(False)
            found = getattr(self.serving, name)(*inputs)
            warnings.warn(
                "The search runs several times slower than it might, since XLA does "
                "not compile all of this model; with `jit_compile=False` of the search "
                f"it is not tried. XLA says: {error}",
                stacklevel=2,
            )
        self._is_settled = True
        return found

    def translate(self, sources: Sequence[Any]) -> list[tuple[str, bool]]:
        """The best translation of each, and whether it is complete."""
        found = self._run("translate", *self.source.batch(sources))
        translations = map(bytes.decode, found["translation"].numpy())
        return [*zip(translations, found["is_complete"].numpy(), strict=True)]

    def hypotheses(self, sources: Sequence[Any]) -> list[list[Hypothesis]]:
        """The translations that were found of each, best first."""
        found = self._run("hypotheses", *self.source.batch(sources))
        return _read_hypotheses(found, self.serving.target_tokenizer)

    def scores(self, sources: Sequence[Any], references: Sequence[str]) -> list[Score]:
        """How probable a reference of each is."""
        given = self.source.batch(sources)
        found = self.serving.scores(*given, to_strings(references))
        return _read_scores(found, self.serving.target_tokenizer)

    def shapes(
        self, rows: Iterable[int] | None, lengths: Iterable[int] | None
    ) -> list[tuple[int, int]]:
        """Numbers of rows and lengths that are compiled each by itself."""
        return self.serving.shapes(rows, lengths)

    def warm_up(self, rows: int, length: int) -> None:
        """Compile one of these shapes."""
        self.serving.warm_up(rows, length)


def _read_hypotheses(
    found: dict[str, Any], target_tokenizer: Tokenizer
) -> list[list[Hypothesis]]:
    """What `Serving.hypotheses` found, a list for each row, without empty places."""
    found = {name: part.numpy() for name, part in found.items()}
    texts = _decode(found["translation"])
    target_tokens = _decode(target_tokenizer.tokens(found["ids"]))
    source_tokens = _decode(found.get("source_tokens", np.zeros((len(texts), 0))))
    end_id = SpecialIds.of(target_tokenizer).end
    sizes, attention = found["source_mask"].sum(axis=1), found.get("attention")

    def read(row: int, rank: int) -> Hypothesis:
        size, end = sizes[row], found["lengths"][row, rank]
        return Hypothesis(
            text=texts[row, rank],
            score=float(found["scores"][row, rank]),
            source_tokens=list(source_tokens[row, :size]),
            target_tokens=list(target_tokens[row, rank, :end]),
            attention=None if attention is None else attention[row, rank, :end, :size],
            is_complete=bool(found["ids"][row, rank, end - 1] == end_id),
        )

    exists = found["scores"] > -np.inf
    exists[:, 0] = True
    return [
        [read(row, rank) for rank, one in enumerate(ranks) if one]
        for row, ranks in enumerate(exists)
    ]


def _read_scores(found: dict[str, Any], target_tokenizer: Tokenizer) -> list[Score]:
    """What `Serving.scores` found, one for each row."""
    found = {name: part.numpy() for name, part in found.items()}
    tokens = _decode(target_tokenizer.tokens(found["labels"]))
    return [
        Score(
            float(found["log_probability"][row]),
            list(tokens[row, :length]),
            found["log_probabilities"][row, :length],
        )
        for row, length in enumerate(found["length"])
    ]


def _decode(strings: Any) -> np.ndarray:
    return np.vectorize(bytes.decode, otypes=[object])(np.asarray(strings))
