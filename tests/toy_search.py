"""A model for searches that is a table of transitions, and greedy search in Python."""

import math
from typing import Any

import numpy as np
from keras import ops

PAD, START, END = 0, 2, 3


class Transitions:
    """Scores the next id by the last one, with a table for each kind of source.

    Args:
        tables: logits `(kinds, vocabulary, vocabulary)`; the first id of a source says
            which table holds for its row.
        with_attention: whether steps attend, each to the position of its number.
    """

    def __init__(self, tables: Any, with_attention: bool = True) -> None:
        self.tables = tables
        self.with_attention = with_attention
        self.steps = 0

    def encode(self, source: Any) -> Any:
        """The source itself."""
        return source

    def start(self, memory: Any, max_length: int) -> dict[str, Any]:
        """The source, and the number of steps done as a cache."""
        return {"memory": {"source": memory}, "cache": ops.zeros_like(memory[:, 0])}

    def step(self, ids: Any, state: dict[str, Any], index: Any) -> tuple[Any, Any, Any]:
        """Logits of the table, and all attention at the step's own position."""
        self.steps += 1
        source, count = state["memory"]["source"], state["cache"]
        vocabulary = self.tables.shape[-1]
        tables = ops.take(ops.convert_to_tensor(self.tables), source[:, 0], axis=0)
        chosen = ops.one_hot(ids, vocabulary)[:, :, None]
        logits = ops.sum(tables * chosen, axis=1)
        attention = None
        if self.with_attention:
            length = source.shape[1]
            attention = ops.one_hot(count % length, length)
        return logits, {**state, "cache": count + 1}, attention


def log_softmax(logits: np.ndarray) -> list[float]:
    """Log-probabilities, in double precision."""
    highest = max(logits)
    total = sum(math.exp(float(score) - highest) for score in logits)
    return [float(score) - highest - math.log(total) for score in logits]


def greedy(table: np.ndarray, max_length: int) -> tuple[list[int], float]:
    """The ids, with the end where it was reached, and their log-probability."""
    ids, score = [START], 0.0
    while len(ids) <= max_length and ids[-1] != END:
        scores = log_softmax(table[ids[-1]])
        allowed = [i for i in range(len(scores)) if i not in (PAD, START)]
        best = max(allowed, key=scores.__getitem__)
        score += scores[best]
        ids.append(best)
    return ids[1:], score
