"""Which pairs make a batch: by one length in steps, or by both in few shapes.

Glossary: N = pairs.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np


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
    groups, widths = _group_by_shape(lengths[pairs], count)
    sizes = np.bincount(groups)
    batches = [
        -(-size // rows_of(int(width)))
        for size, width in zip(sizes, widths.max(axis=1), strict=True)
    ]
    # As many batches as needed, all of about the same number of rows.
    rows = -(-sizes // batches)
    return _cut(pairs, groups, rows, np.column_stack([rows, widths]))


def _group_by_shape(lengths: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Splits pairs into groups so that little is padded, at most `count` of them.

    Begins with one group and cuts, again and again, where it saves the most: a group
    into its pairs up to a length, of either side, and its longer ones.

    Returns the group of each pair `(N,)`, and the longest of both sides of each group
    `(groups, 2)`.
    """
    groups = np.zeros(len(lengths), int)
    cuts = [_best_cut(lengths)]
    while len(cuts) < count:
        group = int(np.argmax([saved for saved, _ in cuts]))
        saved, (side, length) = cuts[group]
        if not saved:
            break
        groups[(groups == group) & (lengths[:, side] > length)] = len(cuts)
        cuts.append(_best_cut(lengths[groups == len(cuts)]))
        cuts[group] = _best_cut(lengths[groups == group])
    longest = [lengths[groups == group].max(axis=0) for group in range(len(cuts))]
    return groups, np.array(longest)


def _best_cut(lengths: np.ndarray) -> tuple[int, tuple[int, int]]:
    """The padding that the best cut of a group saves, its side and its length."""
    whole = len(lengths) * lengths.max(axis=0).sum()
    best = 0, (0, 0)
    for side in (0, 1):
        ordered = lengths[np.argsort(lengths[:, side], kind="stable")]
        below = np.maximum.accumulate(ordered)[:-1].sum(axis=1)
        above = np.maximum.accumulate(ordered[::-1])[::-1][1:].sum(axis=1)
        sizes = np.arange(1, len(ordered))
        saved = whole - sizes * below - sizes[::-1] * above
        # Pairs of one length stay together.
        saved[ordered[1:, side] == ordered[:-1, side]] = 0
        if len(saved) and saved.max() > best[0]:
            at = int(saved.argmax())
            best = int(saved[at]), (side, int(ordered[at, side]))
    return best


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
