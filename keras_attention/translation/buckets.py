"""A few shapes for batches of any shape."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import tensorflow as tf

SHORTEST = 32


class Buckets:
    """Calls a function of batches with few shapes, since each is compiled by itself.

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

    def apply(
        self, function: Any, source: Any, limits: tf.Tensor, options: Any
    ) -> dict[str, tf.Tensor]:
        """The results of a function, without those of padding.

        Args:
            function: a `tf.function` with an input signature, of the other arguments,
                to a dictionary of tensors that count rows first.
            source: nested structure of tensors `(batch, length, ...)`, padded with 0.
            limits: int32 `(batch,)`, padded with 1.
            options: the same for all rows.
        """
        batch, length = tf.unstack(tf.shape(tf.nest.flatten(source)[0])[:2])
        rows = _fit_tensor(self.rows, batch)
        width = _fit_tensor(self.lengths, length)
        parts = -(-tf.maximum(batch, 1) // rows)
        more = parts * rows - batch

        def fill(part):
            axes = [[0, more], [0, width - length], *[[0, 0]] * (part.shape.rank - 2)]
            shape = [parts, rows, width, *part.shape[2:]]
            return tf.reshape(tf.pad(part, axes), shape)

        source = tf.nest.map_structure(fill, source)
        limits = tf.pad(limits, [[0, more]], constant_values=1)
        spec = function.get_concrete_function().structured_outputs
        found = tf.map_fn(
            lambda part: function(*part, options),
            (source, tf.reshape(limits, [parts, rows])),
            fn_output_signature={name: one.dtype for name, one in spec.items()},
            parallel_iterations=1,
        )
        results = {}
        for name, part in found.items():
            shape = tf.concat([[parts * rows], tf.shape(part)[2:]], axis=0)
            results[name] = tf.reshape(part, shape)[:batch]
            results[name].set_shape(spec[name].shape)
        return results


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


def _fit_tensor(sizes: Sequence[int], size: tf.Tensor) -> tf.Tensor:
    return tf.reduce_min(tf.where(tf.constant(sizes) >= size, sizes, sizes[-1]))
