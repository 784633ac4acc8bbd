"""Batches of any shape, for graphs that are compiled for a few."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_attention.translation.buckets import ALONE, CORES, ROWS, Buckets

Found = dict[str, tf.Tensor]
_AT_ONCE = 16  # batches; TensorFlow's threads take as many as they can


class GraphBatches:
    """Calls compiled graphs with batches of the shapes of `Buckets`, side by side.

    Sources are sorted by their lengths and cut into batches, which are padded to a
    shape. Each is searched with little room first, and again with all where that was
    not enough.

    Args:
        make_graph: called with a number of ids, gives a graph with room for as many,
            from sources, limits and options to a dictionary of tensors `(rows,
            hypotheses, ...)`, and to which rows had enough room.
        buckets: the shapes.
        max_length: the room for all.
        in_parallel: whether batches may be searched at the same time.
    """

    def __init__(
        self,
        make_graph: Callable[[int], Any],
        buckets: Buckets,
        max_length: int,
        in_parallel: bool,
    ) -> None:
        self._lengths = buckets.lengths
        self._max_rows = max(sizes[-1] for sizes in buckets.rows)
        # One table: those with fewer sizes have the last one again.
        count = max(map(len, buckets.rows))
        self._rows = [(sizes + sizes[-1:] * count)[:count] for sizes in buckets.rows]
        rooms = sorted({*buckets.rooms, max_length})
        self._room_of_length = [rooms.index(room) for room in buckets.rooms]
        first, *others = [make_graph(room) for room in rooms]
        self._graphs = [first, *map(_when_asked, others)]
        self._found = first.get_concrete_function().structured_outputs[0]
        self._max_length = max_length
        self._in_parallel = in_parallel

    def __call__(
        self, source: Any, lengths: tf.Tensor, limits: tf.Tensor, options: Any
    ) -> Found:
        """What the graphs find, without what is of padding.

        Args:
            source: nested structure of tensors `(batch, length, ...)`, padded with 0.
            lengths: int32 `(batch,)`, of what is no padding.
            limits: int32 `(batch,)`.
            options: the same for all rows.
        """
        order = tf.argsort(lengths, direction="DESCENDING", stable=True)
        source, lengths, limits = tf.nest.map_structure(
            lambda part: tf.gather(part, order), (source, lengths, limits)
        )
        begins = self._begins(lengths)
        ends = tf.concat([begins[1:], tf.shape(lengths)], axis=0)

        def find(begin, end):
            own = tf.nest.map_structure(lambda part: part[begin:end], source)
            longest = tf.reduce_max(tf.concat([[1], lengths[begin:end]], axis=0))
            return self._find(own, limits[begin:end], longest, options)

        found = tf.cond(
            tf.size(begins) > 1,
            lambda: self._find_all(find, begins, ends),
            lambda: find(0, tf.size(lengths)),
        )
        places = tf.math.invert_permutation(order)
        for name, part in found.items():
            known = [None, self._found[name].shape[1], self._max_length]
            found[name] = tf.gather(part, places)
            found[name].set_shape(known[: part.shape.rank])
        return found

    def _begins(self, lengths: tf.Tensor) -> tf.Tensor:
        """The first row of each batch; of no rows there is one batch too.

        As `Buckets` says.
        """
        places = self._place(lengths)
        counts = tf.math.bincount(places, minlength=len(self._lengths))
        ends = tf.cumsum(counts, reverse=True)
        alike = (tf.gather(ends, places) - tf.range(tf.size(places)))[:, None]
        sizes = tf.minimum(tf.gather(self._rows, places), _most(tf.size(lengths)))
        enough = tf.reduce_min(tf.where(sizes >= alike, sizes, sizes[:, -1:]), axis=1)
        fewer = tf.reduce_max(tf.where(sizes <= alike, sizes, 1), axis=1)
        sizes = tf.where(enough <= 2 * alike[:, 0], enough, fewer)
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
        return begins

    def _place(self, lengths: tf.Tensor) -> tf.Tensor:
        """The place among the possible ones of the length to which it is padded."""
        place = tf.searchsorted(self._lengths, tf.reshape(lengths, [-1]))
        place = tf.minimum(place, len(self._lengths) - 1)
        return tf.reshape(place, tf.shape(lengths))

    def _find(self, source, limits, longest, options):
        """What is found of one batch."""
        place, count = self._place(longest), tf.size(limits)
        width = tf.gather(self._lengths, place)
        sizes = tf.gather(self._rows, place)
        rows = tf.reduce_min(tf.where(sizes >= count, sizes, sizes[-1]))

        def fill(part):
            part = part[:, :width]
            have = tf.shape(part)[1]
            axes = [[0, rows - count], [0, width - have]]
            return tf.pad(part, [*axes, *[[0, 0]] * (part.shape.rank - 2)])

        padded = tf.nest.map_structure(fill, source)
        limits = tf.pad(limits, [[0, rows - count]], constant_values=1)

        def search(graph):
            found, is_done = graph(padded, limits, options)
            fitted = {}
            for name, part in found.items():
                sizes = [count, None, self._max_length][: part.shape.rank]
                fitted[name] = _fit(part, sizes)
            return fitted, tf.reduce_all(is_done)

        def search_again(room, *_):
            searches = [functools.partial(search, graph) for graph in self._graphs]
            return len(searches) - 1, *tf.switch_case(room, searches)

        room = tf.gather(self._room_of_length, place)
        nothing = tf.nest.map_structure(
            lambda spec: tf.zeros([0] * spec.shape.rank, spec.dtype),
            self._found,
        )
        _, found, _ = tf.while_loop(
            lambda room, found, is_done: tf.logical_not(is_done),
            search_again,
            (room, nothing, False),
            shape_invariants=(
                tf.TensorShape([]),
                tf.nest.map_structure(
                    lambda part: tf.TensorShape([None] * part.shape.rank), nothing
                ),
                tf.TensorShape([]),
            ),
        )
        return found

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
    return sizes[tf.argmin(rounds * (sizes + ALONE))]


def _when_asked(graph: Any) -> Any:
    """A graph that TensorFlow makes ready at its first call, and not with others."""

    def call(*inputs):
        # Of a data set, functions are made ready when its elements are asked for.
        one = tf.data.Dataset.from_tensors(inputs)
        return one.map(lambda *parts: graph(*parts)).get_single_element()

    return call


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
