"""What a `Translator` says about a text."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from keras_attention.translation.alignments import best_pairs


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
        return best_pairs(self.attention[: self.size, :-1])

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
