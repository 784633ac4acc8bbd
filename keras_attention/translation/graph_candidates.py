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
        rows = tf.shape(source)[0]
        # By rank, then by position.
        found = tf.gather(self._candidates.table, source)
        found = tf.reshape(tf.transpose(found, [0, 2, 1]), [rows, -1])
        count = int(self._candidates.table.max()) + 1
        keys = found + count * tf.range(rows)[:, None]
        keys, _ = tf.unique(tf.boolean_mask(keys, found != PAD))
        owners, ids = keys // count, keys % count
        places = tf.range(tf.size(owners)) - tf.gather(
            tf.searchsorted(owners, tf.range(rows)), owners
        )
        first = self._candidates.first
        lengths = tf.math.count_nonzero(source, axis=1, dtype=tf.int32)
        ends = tf.minimum(ANY + EACH * lengths, MOST)
        places += len(first)
        is_listed = places < tf.gather(ends, owners)
        where = tf.stack([owners, places], axis=1)
        lists = tf.scatter_nd(
            tf.boolean_mask(where, is_listed),
            tf.boolean_mask(ids, is_listed),
            [rows, MOST],
        )
        begin = tf.tile(first[None], [rows, 1])
        return tf.concat([begin, lists[:, len(first) :]], axis=1)
