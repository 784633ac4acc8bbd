"""Which rows make a batch: by the longest column in steps, or by all in few shapes.

Glossary: N = rows of the text, C = columns.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

_REACH = 4  # tokens of a near move


class BatchPlan(NamedTuple):
    """Rows in the order of their groups, cut into batches."""

    order: np.ndarray  # (N,) row at each position
    groups: np.ndarray  # (N,) group of each position
    starts: np.ndarray  # (batches,) first position of each batch
    stops: np.ndarray  # (batches,) position after its last
    shapes: np.ndarray  # (batches, 1 + C) minimum of rows, and tokens of each column


def plan_buckets(
    lengths: np.ndarray,
    kept: np.ndarray,
    bucket: int,
    max_length: int,
    rows_of: Callable[[int], int],
) -> BatchPlan:
    """Groups the kept rows by their longest column; each batch has its own widths."""
    levels, groups = np.unique(
        -(-lengths[kept].max(axis=1) // bucket), return_inverse=True
    )
    rows = [rows_of(min(int(level) * bucket, max_length)) for level in levels]
    shapes = np.zeros((len(levels), 1 + lengths.shape[1]), int)
    return _cut(kept, groups, rows, shapes)


def plan_shapes(
    lengths: np.ndarray, kept: np.ndarray, count: int, rows_of: Callable[[int], int]
) -> BatchPlan:
    """Groups the kept rows by all columns, into at most `count` shapes."""
    shapes = _choose_shapes(lengths[kept], count)
    chosen = _padded(lengths[kept], shapes).argmin(axis=1)
    _, groups = np.unique(chosen, return_inverse=True)
    widths = np.zeros((groups.max() + 1, lengths.shape[1]), int)
    np.maximum.at(widths, groups, lengths[kept])
    sizes = np.bincount(groups)
    batches = [
        -(-size // rows_of(int(width)))
        for size, width in zip(sizes, widths.max(axis=1), strict=True)
    ]
    # As many batches as needed, all of about the same number of rows.
    rows = -(-sizes // batches)
    return _cut(kept, groups, rows, np.column_stack([rows, widths]))


def _choose_shapes(lengths: np.ndarray, count: int) -> np.ndarray:
    """Finds shapes `(shapes, C)` that pad little, one of which has room for all.

    Begins with shapes for equally many rows each, and moves one after another to where
    it saves the most, by a few tokens or far away, until no move saves any.
    """
    kinds, numbers = np.unique(lengths, axis=0, return_counts=True)  # (K, C), (K,)
    if len(kinds) <= count:
        return kinds
    longer = np.sort(lengths.max(axis=1))
    ends = longer[np.arange(1, count) * len(longer) // count]
    columns = lengths.shape[1]
    shapes = np.vstack([np.tile(ends[:, None], columns), lengths.max(axis=0)])
    reach = [np.arange(-_REACH, _REACH + 1)] * columns
    steps = np.stack(np.meshgrid(*reach), axis=-1).reshape(-1, columns)
    far = kinds[:: -(-len(kinds) // 300)]
    total = np.inf
    while (cost := numbers @ _padded(kinds, shapes).min(axis=1)) < total:
        total = cost
        for index in range(count - 1):
            near = np.clip(shapes[index] + steps, 1, shapes[-1])
            moved = np.vstack([near, far])  # (moves, C)
            others = _padded(kinds, np.delete(shapes, index, axis=0)).min(axis=1)
            costs = np.minimum(others[:, None], _padded(kinds, moved))  # (K, moves)
            shapes[index] = moved[(numbers @ costs).argmin()]
    return shapes


def _padded(lengths: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Tokens of each row in each shape, `(N, shapes)`; infinite if too long."""
    fits = (lengths[:, None] <= shapes).all(axis=2)
    return np.where(fits, shapes.sum(axis=1), np.inf)


def _cut(
    kept: np.ndarray,
    groups: np.ndarray,
    rows: Sequence[int] | np.ndarray,
    shapes: np.ndarray,
) -> BatchPlan:
    """Sorts the kept rows by group, and cuts each group into batches."""
    by_group = np.argsort(groups, kind="stable")
    ends = np.cumsum(np.bincount(groups))
    starts = [
        np.arange(first, last, step)
        for first, last, step in zip([0, *ends[:-1]], ends, rows, strict=True)
    ]
    return BatchPlan(
        kept[by_group],
        groups[by_group],
        np.concatenate(starts),
        np.concatenate(
            [np.append(own[1:], end) for own, end in zip(starts, ends, strict=True)]
        ),
        np.repeat(shapes, [len(own) for own in starts], axis=0),
    )
