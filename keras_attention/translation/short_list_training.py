"""Which target ids translate a source id, by counting pairs."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

ROUNDS = 4  # of expectation and maximization
MOST_CELLS = 2**26  # pairs of a source id and a target id of one sentence
_AT_ONCE = 2**22


def count_ids(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """How often each id occurs."""
    return np.bincount(np.concatenate([np.asarray(row, "int64") for row in rows]))


def learn_table(
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    ranks: int,
    left_out: Any = (),
) -> np.ndarray:
    """The most probable translations of each source id (IBM 1, Brown et al. 1993).

    The probability that an id is translated by another is estimated by expectation
    and maximization: each target id of a sentence comes from one of its source ids.
    Of what is too much to be counted, sentences are taken at equal distances.

    Args:
        sources: ids of sentences.
        targets: ids of their translations.
        ranks: how many translations of each id.
        left_out: target ids that are none of them.

    Returns:
        Int32 `(source ids, ranks)`, the most probable first, padded with 0.
    """
    counts = [len(a) * len(b) for a, b in zip(sources, targets, strict=True)]
    step = -(-sum(counts) // MOST_CELLS)
    chunks = [*_chunks(sources[::step], targets[::step], counts[::step])]
    size = 1 + max(int(chunk.targets.max()) for chunk in chunks)
    keys = np.unique(np.concatenate([np.unique(chunk.keys(size)) for chunk in chunks]))
    owners, translations = keys // size, keys % size
    places = [
        np.searchsorted(keys, chunk.keys(size)).astype("int32") for chunk in chunks
    ]
    probabilities = np.ones(len(keys))
    for _ in range(ROUNDS):
        expected = np.zeros(len(keys))
        for chunk, own in zip(chunks, places, strict=True):
            shares = chunk.shares(probabilities[own])
            expected += np.bincount(own, shares, len(keys))
        probabilities = expected / np.bincount(owners, expected)[owners]
    is_kept = ~np.isin(translations, left_out)
    owners, translations = owners[is_kept], translations[is_kept]
    order = np.lexsort((-probabilities[is_kept], owners))
    owners, translations = owners[order], translations[order]
    rank = np.arange(len(owners)) - np.searchsorted(owners, owners)
    table = np.zeros((1 + max(map(max, filter(len, sources))), ranks), "int32")
    is_kept = rank < ranks
    table[owners[is_kept], rank[is_kept]] = translations[is_kept]
    return table


class _Chunk:
    """All pairs of a source id and a target id in some sentences.

    Args:
        pairs: ids of each sentence, different ones on either side.
    """

    def __init__(self, pairs: Sequence[Any]) -> None:
        widths = np.repeat(
            [len(source) for source, _ in pairs], [len(target) for _, target in pairs]
        )
        self._begins = np.cumsum(widths) - widths
        self._widths = widths
        self.sources = np.concatenate(
            [np.tile(source, len(target)) for source, target in pairs]
        )
        self.targets = np.repeat(np.concatenate([own for _, own in pairs]), widths)

    def keys(self, size: int) -> np.ndarray:
        """A number for each pair."""
        return self.sources * size + self.targets

    def shares(self, weights: np.ndarray) -> np.ndarray:
        """The share of each source id in the target id that it is paired with."""
        sums = np.add.reduceat(weights, self._begins)
        return weights / np.repeat(sums, self._widths)


def _chunks(sources, targets, counts) -> Iterator[_Chunk]:
    pairs: list[Any] = []
    cells = 0
    for source, target, count in zip(sources, targets, counts, strict=True):
        if count:
            pairs.append(
                [np.array([*dict.fromkeys(side)], "int64") for side in (source, target)]
            )
            cells += count
        if cells > _AT_ONCE:
            yield _Chunk(pairs)
            pairs, cells = [], 0
    if pairs:
        yield _Chunk(pairs)
