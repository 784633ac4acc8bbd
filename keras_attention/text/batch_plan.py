"""Which pairs make a batch: by one length in steps, or by both in few shapes.

Glossary: N = pairs.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

_MOVES = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 2), axis=-1).reshape(-1, 2)


class BatchPlan(NamedTuple):
    """Pairs in the order of their groups, cut into batches."""

    order: np.ndarray  # (N,) pair at each position
    groups: np.ndarray  # (N,) group of each position
    starts: np.ndarray  # (batches,) first position of each batch
    stops: np.ndarray  # (batches,) position after its last
    shapes: np.ndarray  # (batches, 3) the fewest rows, source and target tokens


def plan_buckets(
    lengths: np.ndarray,
    pairs: np.ndarray,
    bucket: int,
    max_length: int,
    rows_of: Callable[[int], int],
) -> BatchPlan:
    """Groups the pairs by their longer side; the widths are up to each batch."""
    levels, groups = np.unique(
        -(-lengths[pairs].max(axis=1) // bucket), return_inverse=True
    )
    rows = [rows_of(min(int(level) * bucket, max_length)) for level in levels]
    return _cut(pairs, groups, rows, np.zeros((len(levels), 3), int))


def plan_shapes(
    lengths: np.ndarray, pairs: np.ndarray, count: int, rows_of: Callable[[int], int]
) -> BatchPlan:
    """Groups the pairs by both sides, into so many shapes at most."""
    shapes = _choose_shapes(lengths[pairs], count)
    chosen = _padded(lengths[pairs], shapes).argmin(axis=1)
    _, groups = np.unique(chosen, return_inverse=True)
    widths = np.zeros((groups.max() + 1, 2), int)
    np.maximum.at(widths, groups, lengths[pairs])
    sizes = np.bincount(groups)
    batches = [
        -(-size // rows_of(int(width)))
        for size, width in zip(sizes, widths.max(axis=1), strict=True)
    ]
    # As many batches as needed, all of about the same number of rows.
    rows = -(-sizes // batches)
    return _cut(pairs, groups, rows, np.column_stack([rows, widths]))


def _choose_shapes(lengths: np.ndarray, count: int) -> np.ndarray:
    """Finds shapes `(shapes, 2)` that pad little, one of which has room for all pairs.

    Begins with shapes for equally many pairs each, and moves one after another to where
    it saves the most, by a few tokens or far away, until no move saves any.
    """
    kinds, numbers = np.unique(lengths, axis=0, return_counts=True)  # (K, 2), (K,)
    if len(kinds) <= count:
        return kinds
    longer = np.sort(lengths.max(axis=1))
    ends = longer[np.arange(1, count) * len(longer) // count]
    shapes = np.vstack([np.stack([ends, ends], axis=1), lengths.max(axis=0)])
    far = kinds[:: -(-len(kinds) // 300)]
    total = np.inf
    while (cost := numbers @ _padded(kinds, shapes).min(axis=1)) < total:
        total = cost
        for index in range(count - 1):
            near = np.clip(shapes[index] + _MOVES, 1, shapes[-1])
            moved = np.vstack([near, far])  # (moves, 2)
            others = _padded(kinds, np.delete(shapes, index, axis=0)).min(axis=1)
            costs = np.minimum(others[:, None], _padded(kinds, moved))  # (K, moves)
            shapes[index] = moved[(numbers @ costs).argmin()]
    return shapes


def _padded(lengths: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Tokens of each pair in each shape, `(pairs, shapes)`; infinite if too long."""
    fits = (lengths[:, None] <= shapes).all(axis=2)
    return np.where(fits, shapes.sum(axis=1), np.inf)


def _cut(
    pairs: np.ndarray,
    groups: np.ndarray,
    rows: Sequence[int] | np.ndarray,
    shapes: np.ndarray,
) -> BatchPlan:
    """Sorts pairs by their groups, and cuts the groups into batches of so many rows."""
    by_group = np.argsort(groups, kind="stable")
    ends = np.cumsum(np.bincount(groups))
    starts = [
        np.arange(first, last, step)
        for first, last, step in zip([0, *ends[:-1]], ends, rows, strict=True)
    ]
    return BatchPlan(
        pairs[by_group],
        groups[by_group],
        np.concatenate(starts),
        np.concatenate(
            [np.append(own[1:], end) for own, end in zip(starts, ends, strict=True)]
        ),
        np.repeat(shapes, [len(own) for own in starts], axis=0),
    )
