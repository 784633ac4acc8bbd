"""Positions as a learned bias of distances."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    check_positive,
    takes_numpy,
)
from keras_attention.layers.positions.distance_bias import DistanceBias
from keras_attention.layers.sublayers import quantized_dtype
from keras_attention.precision import precise
from keras_attention.tensor import Tensor


@keras.saving.register_keras_serializable(
    "keras_attention", name="RelativePositionBias"
)
class RelativePositionBias(DistanceBias):
    """Add a number learned for each bucket of distances, by heads (Raffel et al. 2020).

    Near distances have a bucket each, far ones share wider and wider buckets. Give it
    to `MultiHeadAttention` or a Transformer block as `position=`; given to several, it
    is shared by them, as in T5.

    Args:
        num_buckets: number of buckets; even if `bidirectional`.
        max_distance: distance from which on everything is one bucket.
        bidirectional: whether keys ahead of the query have buckets of their own. Under
            a causal mask `False` leaves all buckets to the past.
        embeddings_initializer: of the table.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        attention_scores: `(batch, heads, target, source)`; positions are counted from
            the first query and the first key.

    Returns:
        The scores plus the bias.

    Raises:
        ValueError: for numbers that are not positive, an odd number of buckets for two
            directions, or a `max_distance` within the buckets of one distance each.

    Example:
    >>> layer = RelativePositionBias(num_buckets=8, max_distance=16)
    >>> tuple(layer(keras.ops.zeros((2, 4, 3, 5))).shape), layer.count_params()
    ((2, 4, 3, 5), 32)
    """

    @takes_numpy
    def __init__(
        self,
        num_buckets: int = 32,
        max_distance: int = 128,
        bidirectional: bool = True,
        embeddings_initializer: Any = "uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(num_buckets=num_buckets, max_distance=max_distance)
        directions = 2 if bidirectional else 1
        if num_buckets % (2 * directions):
            raise ValueError(
                f"`num_buckets` must be a multiple of {2 * directions}: half of the "
                "buckets of a direction hold one distance each. Received: "
                f"num_buckets={num_buckets}, bidirectional={bidirectional}"
            )
        if max_distance <= num_buckets // directions // 2:
            raise ValueError(
                "`max_distance` must lie beyond the distances with a bucket each, "
                f"{num_buckets // directions // 2}. "
                f"Received: max_distance={max_distance}, num_buckets={num_buckets}"
            )
        self.num_buckets = num_buckets
        self.max_distance = max_distance
        self.bidirectional = bidirectional
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, attention_scores_shape):
        super().build(attention_scores_shape)
        self._table = keras.layers.Embedding(
            self.num_buckets,
            self.num_heads,
            embeddings_initializer=self.embeddings_initializer,
            dtype=self.dtype_policy,
            name="table",
        )
        self._table.build((None,))

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "num_buckets": self.num_buckets,
            "max_distance": self.max_distance,
            "bidirectional": self.bidirectional,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
        }

    def bias(self, distances: Tensor) -> Tensor:
        """Bias `(heads, ...)` of distances, the key's position less the query's."""
        buckets = functional.relative_buckets(
            distances, self.num_buckets, self.max_distance, self.bidirectional
        )
        table = ops.cast(self._table(buckets), precise(self.compute_dtype))
        return ops.moveaxis(table, -1, 0)
