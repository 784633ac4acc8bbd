"""A few shapes for batches of any shape."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from keras_attention.decoding.steps import count_departures

SHORTEST = 8
ROWS = (1, 4, 16, 64)
ROOMS = (32, 128)  # ids of an output, before there is room for all
TOKENS = 4096  # of all hypotheses of a batch
CORES = 2  # where the number of them is not known
LARGE = 2**26  # weights
GROWTH = 0.7  # the power of the number of rows by which a batch takes longer


class Buckets:
    """The few shapes to which batches are padded, since each is compiled by itself.

    Lengths of sources are 8, twice as many, and so on, up to the longest. Outputs have
    room for twice as many ids as the source has, rounded up to a few numbers; an output
    that needs more is searched again with room for all. Of short sources more rows are
    in a batch than of long ones, and of few hypotheses more than of many.

    Args:
        search: what is compiled.
        max_rows: the most rows of a batch.
        longest: length of the longest source.
        weights: numbers of the model that is searched. Where they are many, a batch
            keeps all cores busy by itself, and memory is short: then batches follow one
            another, and no rows leave them.

    Attributes:
        lengths: possible lengths, the lowest first.
        rooms: of each, the ids that there is room for.
        alike: of each, the lowest that goes into one batch with it.
        rows: of each, the possible numbers of rows, the lowest first.
        in_parallel: whether batches are searched side by side.
    """

    def __init__(
        self, search: Any, max_rows: int, longest: int, weights: int = 0
    ) -> None:
        self._is_large = weights > LARGE
        self._width = search.width
        self.in_parallel = not (self._is_large or search.is_random)
        self.lengths = [*_steps(SHORTEST, 2, longest)]
        self._limit = limit = search.max_length
        self.rooms = [
            min(room for room in (*ROOMS, limit) if room >= min(2 * length, limit))
            for length in self.lengths
        ]
        self.rooms = [min(room, limit) for room in self.rooms]
        self.alike = [
            self.lengths[max(place - 1, self.rooms.index(room))]
            for place, room in enumerate(self.rooms)
        ]
        self.rows = [
            _rows(min(max_rows, TOKENS // (search.width * room))) for room in self.rooms
        ]

    def shapes(
        self, rows: Iterable[int] | None = None, lengths: Iterable[int] | None = None
    ) -> list[tuple[int, int]]:
        """The shapes of batches of such numbers of rows, and such lengths; or all."""
        asked = None if rows is None else [*rows]
        found: list[tuple[int, int]] = []
        for length in _chosen(self.lengths, lengths):
            sizes = self.rows[self.lengths.index(length)]
            found += itertools.product(_chosen(sizes, asked), [length])
        return found

    def departures(self, rows: int) -> int:
        """How often sources that have ended leave a batch of so many."""
        return 0 if self._is_large else count_departures(rows, self._width)

    def below(self, length: int) -> int:
        """The longest source for which there are shorter shapes than for this one."""
        return max((other for other in self.lengths if other < length), default=0)

    def room(self, length: int) -> int:
        """The least room for outputs of a length."""
        return _fit(sorted({*self.rooms, self._limit}), length)

    def batches(
        self, lengths: Sequence[int], cores: int = CORES
    ) -> Iterator[tuple[list[int], tuple[int, int], int]]:
        """Which sources make a batch, the shape that it is padded to, and its room.

        Long ones come first, so that none waits for them at the end, and those up to
        half as long go with them. Many are spread evenly over batches of one shape; few
        are cut into small batches, so that all cores have some.
        """
        costs = {size: _cost(size, len(lengths), cores) for size in reversed(ROWS)}
        most = min(costs, key=costs.__getitem__)
        order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
        padded = [_fit(self.lengths, lengths[row]) for row in order]
        begin = 0
        while begin < len(order):
            length = padded[begin]
            place = self.lengths.index(length)
            alike = sum(other >= self.alike[place] for other in padded[begin:])
            sizes = [min(size, most) for size in self.rows[place]]
            chosen = order[begin : begin + _cut(sizes, alike)]
            begin += len(chosen)
            shape = _fit(self.rows[place], len(chosen)), length
            yield chosen, shape, self.rooms[place]


def _rows(most: int) -> list[int]:
    """Possible numbers of rows up to the most, of which there is one at least."""
    return [rows for rows in ROWS if rows <= most] or [1]


def _steps(first: int, factor: int, last: int) -> Iterator[int]:
    while first < last:
        yield first
        first *= factor
    yield last


def _chosen(sizes: list[int], asked: Iterable[int] | None) -> list[int]:
    return sizes if asked is None else sorted({_fit(sizes, size) for size in asked})


def _cost(size: int, count: int, cores: int) -> float:
    """How long so many rows take in batches of a size, by that of one row."""
    batches = -(-count // size)
    return -(-batches // cores) * size**GROWTH


def _cut(sizes: Sequence[int], count: int) -> int:
    """How many of so many rows are in the first batch; half of it are, at least."""
    enough = _fit(sizes, count)
    if enough <= 2 * count:
        return -(-count // -(-count // enough))
    return max(size for size in sizes if size <= count)


def _fit(sizes: Sequence[int], size: int) -> int:
    """The smallest size that is large enough, or else the last."""
    return min((enough for enough in sizes if enough >= size), default=sizes[-1])
