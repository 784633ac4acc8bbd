"""The ids that outputs of each source are chosen from, in graphs."""

import tensorflow as tf

from keras_attention.special_ids import PAD
from keras_attention.translation.candidates import ANY, EACH, MOST, Candidates
from keras_attention.translation.model_graphs import make_graph


class GraphCandidates:
    """The lists of `Candidates`, as a graph.

    Args:
        candidates: that give the same lists.
    """

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._lists = make_graph(self._all, [tf.TensorSpec([None, None], tf.int32)])

    def lists(self, source: tf.Tensor, size: int = MOST) -> tf.Tensor:
        """The lists of sources `(rows, length)`, which have so many ids at most."""
        return self._lists(source)[:, :size]

    def _all(self, source):
        rows, first = tf.shape(source)[0], self._candidates.first
        # By rank, then by position; and what is no id before all.
        found = tf.gather(self._candidates.table, source)
        found = tf.reshape(tf.transpose(found, [0, 2, 1]), [rows, -1])
        found = tf.pad(found, [[0, 0], [1, 0]], constant_values=PAD)
        count = int(self._candidates.table.max()) + 1
        keys, _ = tf.unique(tf.reshape(found + count * tf.range(rows)[:, None], [-1]))
        owners, ids = keys // count, keys % count
        begins = tf.searchsorted(owners, tf.range(rows))
        places = tf.range(tf.size(keys)) - tf.gather(begins, owners)
        places += len(first) - 1
        lengths = tf.math.count_nonzero(source, axis=1, dtype=tf.int32)
        ends = tf.minimum(ANY + EACH * lengths, MOST)
        # One column more, for what is left out.
        places = tf.where(places < tf.gather(ends, owners), places, MOST)
        where = tf.stack([owners, places], axis=1)
        lists = tf.scatter_nd(where, ids, [rows, MOST + 1])
        begin = tf.tile(first[None], [rows, 1])
        return tf.concat([begin, lists[:, len(first) : MOST]], axis=1)
