"""Batches of any shape, for graphs that are compiled for a few."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_attention.translation.buckets import CORES, GROWTH, ROWS, Buckets
from keras_attention.translation.model_graphs import make_graph

Found = dict[str, tf.Tensor]
_AT_ONCE = 16  # batches; TensorFlow's threads take as many as they can


class GraphBatches:
    """Calls compiled graphs with batches of the shapes of `Buckets`, side by side.

    Sources are sorted by their lengths and cut into batches, which are padded to a
    shape. Each is searched with little room first, and again with all where that was
    not enough.

    Args:
        make_program: called with rows, length and room, gives a function of batches of
            that shape, with room for as many ids, from sources, limits and what is the
            same for all rows to a dictionary of tensors `(rows, hypotheses, ...)`, and
            to which rows had enough room.
        found: what such a dictionary holds, as far as shapes are known.
        buckets: the shapes.
        max_length: the room for all.
        prepare: from the sources of a batch to what programs take too, after limits.
    """

    def __init__(
        self,
        make_program: Callable[[int, int, int], Any],
        found: dict[str, tf.TensorSpec],
        buckets: Buckets,
        max_length: int,
        prepare: Callable[[Any], Any] | None = None,
    ) -> None:
        self._lengths = buckets.lengths
        self._max_rows = max(sizes[-1] for sizes in buckets.rows)
        # One table: those with fewer sizes have the last one again.
        count = max(map(len, buckets.rows))
        self._rows = [(sizes + sizes[-1:] * count)[:count] for sizes in buckets.rows]
        self._alike = [buckets.lengths.index(length) for length in buckets.alike]
        shapes = zip(buckets.lengths, buckets.rooms, self._rows, strict=True)
        self._kinds: list[tuple[int, int, int]] = []
        # The program of each place and number of rows, and the one after each.
        self._first = [
            [self._number(rows, length, room) for rows in sizes]
            for length, room, sizes in shapes
        ]
        first = [*self._kinds]
        again = [self._number(*shape, max_length) for *shape, _ in first]
        self._again = [*again, *range(len(first), len(self._kinds))]
        self._programs = [make_program(*kind) for kind in self._kinds]
        self._found = found
        self._max_length = max_length
        self._in_parallel = buckets.in_parallel
        self._prepare = prepare

    def __call__(
        self, source: Any, lengths: tf.Tensor, limits: tf.Tensor, *shared: Any
    ) -> Found:
        """What the graphs find, without what is of padding.

        Args:
            source: nested structure of tensors `(batch, length, ...)`, padded with 0.
            lengths: int32 `(batch,)`, of what is no padding.
            limits: int32 `(batch,)`.
            *shared: the same for all rows.
        """
        order, begins = tf.cond(
            tf.size(lengths) > 1,
            lambda: self._cut(lengths),
            # One row or none is one batch.
            lambda: (tf.range(tf.size(lengths)), tf.constant([0])),
        )
        source, lengths, limits = tf.nest.map_structure(
            lambda part: tf.gather(part, order), (source, lengths, limits)
        )
        ends = tf.concat([begins[1:], tf.shape(lengths)], axis=0)

        def find(begin, end):
            own = tf.nest.map_structure(lambda part: part[begin:end], source)
            longest = tf.reduce_max(tf.concat([[1], lengths[begin:end]], axis=0))
            return self._find(own, limits[begin:end], longest, *shared)

        # One graph for both, so that all programs stand in it once.
        graph = make_graph(find, [tf.TensorSpec([], tf.int32)] * 2)
        graph = graph.get_concrete_function()
        found = tf.cond(
            tf.size(begins) > 1,
            lambda: self._find_all(graph, begins, ends),
            lambda: graph(0, tf.size(lengths)),
        )
        places = tf.math.invert_permutation(order)
        for name, part in found.items():
            known = [None, self._found[name].shape[1], self._max_length]
            found[name] = tf.gather(part, places)
            found[name].set_shape(known[: part.shape.rank])
        return found

    def _cut(self, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Rows by their lengths, and the first of them in each batch.

        Batches are those of `Buckets`.
        """
        order = tf.argsort(lengths, direction="DESCENDING", stable=True)
        lengths = tf.gather(lengths, order)
        places = self._place(lengths)
        counts = tf.math.bincount(places, minlength=len(self._lengths))
        ends = tf.cumsum(counts, reverse=True)
        alike = tf.gather(tf.gather(ends, self._alike), places)
        alike = (alike - tf.range(tf.size(places)))[:, None]
        sizes = tf.minimum(tf.gather(self._rows, places), _most(tf.size(lengths)))
        enough = tf.reduce_min(tf.where(sizes >= alike, sizes, sizes[:, -1:]), axis=1)
        fewer = tf.reduce_max(tf.where(sizes <= alike, sizes, 1), axis=1)
        alike = alike[:, 0]
        batches = (alike + enough - 1) // enough
        evenly = (alike + batches - 1) // batches
        sizes = tf.where(enough <= 2 * alike, evenly, fewer)
        sizes = tf.concat([sizes, [1]], axis=0)

        def add(begin, begins):
            begin = begin + sizes[begin]
            return begin, tf.concat([begins, [begin]], axis=0)

        _, begins = tf.while_loop(
            lambda begin, _: begin + sizes[begin] < tf.size(lengths),
            add,
            (tf.constant(0), tf.constant([0])),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape([None])),
        )
        return order, begins

    def _place(self, lengths: tf.Tensor) -> tf.Tensor:
        """The place among the possible ones of the length to which it is padded."""
        place = tf.searchsorted(self._lengths, tf.reshape(lengths, [-1]))
        place = tf.minimum(place, len(self._lengths) - 1)
        return tf.reshape(place, tf.shape(lengths))

    def _find(self, source, limits, longest, *shared):
        """What is found of one batch."""
        place, count = self._place(longest), tf.size(limits)
        sizes = tf.gather(self._rows, place)
        # Of the last size, some places have several.
        which = tf.math.count_nonzero(sizes[:-1] < count, dtype=tf.int32)
        rows, width = tf.gather(sizes, which), tf.gather(self._lengths, place)

        def fill(part):
            part = part[:, :width]
            have = tf.shape(part)[1]
            axes = [[0, rows - count], [0, width - have]]
            return tf.pad(part, [*axes, *[[0, 0]] * (part.shape.rank - 2)])

        padded = tf.nest.map_structure(fill, source)
        limits = tf.pad(limits, [[0, rows - count]], constant_values=1)
        prepared = [] if self._prepare is None else [self._prepare(padded)]

        def search(kind, *_):
            runs = [
                functools.partial(program, padded, limits, *prepared, *shared)
                for program in self._programs
            ]
            found, is_done = tf.switch_case(kind, runs)
            fitted = {}
            for name, part in found.items():
                sizes = [count, None, self._max_length][: part.shape.rank]
                fitted[name] = _fit(part, sizes)
            return tf.gather(self._again, kind), fitted, tf.reduce_all(is_done)

        nothing = tf.nest.map_structure(
            lambda spec: tf.zeros([0] * spec.shape.rank, spec.dtype),
            self._found,
        )
        _, found, _ = tf.while_loop(
            lambda kind, found, is_done: tf.logical_not(is_done),
            search,
            (tf.gather_nd(self._first, [place, which]), nothing, False),
            shape_invariants=(
                tf.TensorShape([]),
                tf.nest.map_structure(
                    lambda part: tf.TensorShape([None] * part.shape.rank), nothing
                ),
                tf.TensorShape([]),
            ),
        )
        return found

    def _number(self, *kind):
        """The place of a kind of program, which is a new one if need be."""
        if kind not in self._kinds:
            self._kinds.append(kind)
        return self._kinds.index(kind)

    def _find_all(self, find, begins, ends):
        """What is found of several batches, which are searched side by side."""

        def find_padded(begin, end):
            return {
                name: _fit(part, [self._max_rows])
                for name, part in find(begin, end).items()
            }

        found = tf.data.Dataset.from_tensor_slices((begins, ends)).map(
            find_padded, num_parallel_calls=_AT_ONCE if self._in_parallel else None
        )
        found = found.batch(tf.size(begins, out_type=tf.int64)).get_single_element()
        is_row = tf.sequence_mask(ends - begins, self._max_rows)
        return {name: tf.boolean_mask(part, is_row) for name, part in found.items()}


def _most(count: tf.Tensor) -> tf.Tensor:
    """The rows of batches in which so many rows are done soonest."""
    sizes = tf.constant(ROWS[::-1])
    batches = (count + sizes - 1) // sizes
    rounds = (batches + CORES - 1) // CORES
    costs = tf.cast(rounds, tf.float32) * [size**GROWTH for size in ROWS[::-1]]
    return sizes[tf.argmin(costs)]


def _fit(tensor: tf.Tensor, sizes: Sequence[Any]) -> tf.Tensor:
    """Cut the first axes to sizes, or fill them up with zeros; `None` stays."""
    for axis, size in enumerate(sizes):
        if size is not None:
            begin = [slice(None)] * axis
            tensor = tensor[(*begin, slice(None, size))]
            missing = size - tf.shape(tensor)[axis]
            axes = [[0, 0]] * tensor.shape.rank
            axes[axis] = [0, missing]
            tensor = tf.pad(tensor, axes)
    return tensor
