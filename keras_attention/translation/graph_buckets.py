"""Batches of any shape, for graphs that are compiled for a few."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_attention.translation.buckets import Buckets


class GraphBuckets(Buckets):
    """Calls a graph with batches of the shapes of `Buckets`."""

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


def _fit_tensor(sizes: Sequence[int], size: tf.Tensor) -> tf.Tensor:
    return tf.reduce_min(tf.where(tf.constant(sizes) >= size, sizes, sizes[-1]))
