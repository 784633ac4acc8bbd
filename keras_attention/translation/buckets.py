"""A few shapes for batches of any shape."""

import itertools
from collections.abc import Iterable, Iterator, Sequence

SHORTEST = 32


class Buckets:
    """The few shapes to which batches are padded, since each is compiled by itself.

    Rows are a power of two, up to the most; a batch of more rows is cut into such of
    the most. Lengths are 32, four times as many, and so on, up to the longest. So at
    most half of the rows are padding, and lengths cost little where sources are read
    once and outputs are written step by step.

    Args:
        max_rows: of one call of the function.
        longest: length of the longest row.

    Attributes:
        rows: possible numbers of rows, the lowest first.
        lengths: possible lengths, likewise.
    """

    def __init__(self, max_rows: int, longest: int) -> None:
        self.rows = [*_steps(1, 2, max_rows)]
        self.lengths = [*_steps(SHORTEST, 4, longest)]

    def shapes(
        self, rows: Iterable[int] | None = None, lengths: Iterable[int] | None = None
    ) -> list[tuple[int, int]]:
        """The shapes of batches of such numbers of rows, and such lengths; or all."""
        chosen = _chosen(self.rows, rows), _chosen(self.lengths, lengths)
        return list(itertools.product(*chosen))

    def fit(self, rows: int, length: int) -> tuple[int, int]:
        """The shape to which a batch is padded that is no larger than the largest."""
        return _fit(self.rows, rows), _fit(self.lengths, length)


def _steps(first: int, factor: int, last: int) -> Iterator[int]:
    while first < last:
        yield first
        first *= factor
    yield last


def _chosen(sizes: list[int], asked: Iterable[int] | None) -> list[int]:
    return sizes if asked is None else sorted({_fit(sizes, size) for size in asked})


def _fit(sizes: Sequence[int], size: int) -> int:
    """The smallest size that is large enough, or else the last."""
    return min((enough for enough in sizes if enough >= size), default=sizes[-1])
