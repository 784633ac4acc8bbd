"""What a `Translator` says about a text."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from keras_attention.special_ids import SpecialIds
from keras_attention.text import Tokenizer


class Hypothesis(NamedTuple):
    """A translation, and how it was found.

    Attributes:
        text: the translation.
        score: of the search; for greedy search the log-probability.
        source_tokens: pieces of the source, its end included; none of vectors.
        target_tokens: pieces of the translation, its end included if it has one.
        attention: `(target tokens, source tokens)`, float32, or `None`.
        is_complete: whether the last target token is the end; else the search's limit
            has cut the translation.
    """

    text: str
    score: float
    source_tokens: list[str]
    target_tokens: list[str]
    attention: np.ndarray | None
    is_complete: bool = True

    def alignment(self) -> list[tuple[int, int]]:
        """Which tokens belong together: pairs of a source and a target position.

        Each target token goes with the source token that it attended to most; the ends
        are left out. `" ".join(f"{s}-{t}" for s, t in ...)` is Pharaoh's format.

        Raises:
            ValueError: without attention.
        """
        if self.attention is None:
            raise ValueError("An alignment needs attention, and this model has none.")
        rows = self.attention[: self.size, :-1]
        best = rows.argmax(axis=1).tolist() if rows.shape[1] else []
        return [(source, target) for target, source in enumerate(best)]

    @property
    def size(self) -> int:
        """The number of target tokens without the end."""
        return len(self.target_tokens) - self.is_complete


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

    def mean(self, length_penalty: float = 1.0) -> float:
        """The log-probability by the number of tokens, to the power of a penalty."""
        return self.log_probability / len(self.tokens) ** length_penalty


def read_hypotheses(
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


def read_translations(
    found: dict[str, Any], target_tokenizer: Tokenizer
) -> list[tuple[str, bool]]:
    """What `Serving.translate` found: each translation, and whether it is complete."""
    translations = map(bytes.decode, found["translation"].numpy())
    return [*zip(translations, found["is_complete"].numpy(), strict=True)]


def read_scores(found: dict[str, Any], target_tokenizer: Tokenizer) -> list[Score]:
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


def rank(
    candidates: Sequence[Sequence[str]], scores: Iterable[Score], length_penalty: float
) -> list[list[str]]:
    """Lists of translations by their scores, which are those of all in turn."""
    remaining = iter(scores)
    ranked = []
    for some in candidates:
        means = [score.mean(length_penalty) for score in islice(remaining, len(some))]
        by_mean = sorted(
            zip(means, some, strict=True), key=lambda pair: pair[0], reverse=True
        )
        ranked.append([one for _, one in by_mean])
    return ranked


def _decode(strings: Any) -> np.ndarray:
    return np.vectorize(bytes.decode, otypes=[object])(np.asarray(strings))
