"""What a `Translator` tells of a text."""

from typing import NamedTuple

import numpy as np

from keras_attention.ids import END
from keras_attention.text.tokenizer import SPECIAL_PIECES


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

    def alignment(self) -> list[tuple[int, int]]:
        """Which tokens belong together: pairs of a source and a target position.

        Each target token goes with the source token that it attended to most; the ends
        are left out. `" ".join(f"{s}-{t}" for s, t in ...)` is Pharaoh's format.

        Raises:
            ValueError: without attention.
        """
        if self.attention is None:
            raise ValueError("An alignment needs attention, and this model has none.")
        rows = self.attention[:, :-1]
        return [
            (int(rows[position].argmax()), position)
            for position, token in enumerate(self.target_tokens)
            if token != SPECIAL_PIECES[END] and rows.shape[1]
        ]


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
