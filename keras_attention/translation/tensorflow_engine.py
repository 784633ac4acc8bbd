"""Translations by graphs of TensorFlow, from strings to strings."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_attention.special_ids import SpecialIds
from keras_attention.text import Tokenizer
from keras_attention.text.strings import to_strings
from keras_attention.translation.graphs import Serving
from keras_attention.translation.results import Hypothesis, Score


class TensorFlowEngine:
    """An `Engine` of the graphs that a SavedModel holds too.

    Args:
        serving: the graphs.

    Attributes:
        serving: as given.
        source: what they read.
        cuts_batches: as of an `Engine`.
    """

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.source: Any = serving.source
        self.cuts_batches = serving.is_compiled

    def translate(self, sources: Sequence[Any]) -> list[tuple[str, bool]]:
        """The best translation of each, and whether it is complete."""
        found = self.serving.translate(*self.source.batch(sources))
        translations = map(bytes.decode, found["translation"].numpy())
        return [*zip(translations, found["is_complete"].numpy(), strict=True)]

    def hypotheses(self, sources: Sequence[Any]) -> list[list[Hypothesis]]:
        """The translations that were found of each, best first."""
        found = self.serving.hypotheses(*self.source.batch(sources))
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
