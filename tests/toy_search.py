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
        attends: whether a step attends to the position of its number, of its id, or
            (None) not at all.
    """

    def __init__(self, tables: Any, attends: str | None = "number") -> None:
        self.tables = tables
        self.attends = attends
        self.steps = 0

    def encode(self, source: Any) -> Any:
        """The source itself."""
        return source

    def start(self, memory: Any, max_length: int) -> dict[str, Any]:
        """The source, and the number of ids read."""
        return memory, ops.zeros_like(memory[:, 0])

    def step(self, ids: Any, state: Any, index: Any) -> tuple[Any, Any, Any]:
        """Logits of the table, and all attention at one position."""
        if len(ids.shape) == 2:
            found = []
            for position in range(ids.shape[1]):
                *one, attention = self.step(ids[:, position], state, index + position)
                logits, state = one
                found.append((logits, attention))
            logits = ops.stack([logits for logits, _ in found], axis=1)
            attention = None
            if self.attends:
                attention = ops.stack([attention for _, attention in found], axis=1)
            return logits, state, attention
        self.steps += 1
        source, count = state
        vocabulary = self.tables.shape[-1]
        tables = ops.take(ops.convert_to_tensor(self.tables), source[:, 0], axis=0)
        chosen = ops.one_hot(ids, vocabulary)[:, :, None]
        logits = ops.sum(tables * chosen, axis=1)
        attention = None
        if self.attends:
            length = source.shape[1]
            place = {"number": count, "id": ids}[self.attends]
            attention = ops.one_hot(place % length, length)
        return logits, (source, count + 1), attention


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


def outputs(
    table: np.ndarray, max_length: int, allowed: Any = None
) -> list[tuple[list[int], float]]:
    """All outputs with their log-probabilities, by enumeration.

    Args:
        table: logits `(vocabulary, vocabulary)` of the next id by the last.
        max_length: at which outputs are cut.
        allowed: tells of the ids written so far, and one more, whether it may follow.
    """
    found, begun = [], [([], 0.0)]
    while begun:
        ids, score = begun.pop()
        scores = log_softmax(table[ids[-1] if ids else START])
        for last in range(len(scores)):
            if last in (PAD, START) or (allowed and not allowed(ids, last)):
                continue
            longer = [*ids, last], score + scores[last]
            is_complete = last == END or len(ids) + 1 == max_length
            (found if is_complete else begun).append(longer)
    return found


def beam(
    table: np.ndarray,
    max_length: int,
    places: int,
    groups: int = 1,
    diversity: float = 0,
) -> list[tuple[list[int], float]]:
    """What a beam of some places keeps, with the log-probabilities, in no order."""
    width = places // groups
    ended: list[list[Any]] = [[] for _ in range(groups)]
    begun: list[list[Any]] = [[([], 0.0)] for _ in range(groups)]
    for _ in range(max_length):
        written: list[int] = []
        for group in range(groups):
            candidates = []
            for ids, score in begun[group]:
                scores = log_softmax(table[ids[-1] if ids else START])
                for last, more in enumerate(scores):
                    if last not in (PAD, START):
                        off = diversity * written.count(last)
                        longer = [*ids, last], score + more
                        candidates.append((score + more - off, longer))
            candidates.sort(key=lambda candidate: -candidate[0])
            chosen = [longer for _, longer in candidates[: width - len(ended[group])]]
            begun[group] = [longer for longer in chosen if longer[0][-1] != END]
            ended[group] += [longer for longer in chosen if longer[0][-1] == END]
            written += [longer[0][-1] for longer in chosen]
    return [output for group in range(groups) for output in ended[group] + begun[group]]
