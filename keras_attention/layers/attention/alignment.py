"""From the scores of a query to its weights."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.layers.projection import apply_dense, build_dense
from keras_attention.precision import precise

Tensor = Any

ALIGNMENTS = ("softmax", "local_m", "local_p", "monotonic")


class Alignment(keras.layers.Layer):
    """The part of `Attention` that says which keys a query may choose from, and how.

    Args:
        kind: one of `ALIGNMENTS`.
        window: as in `Attention`, likewise the others.
        hard: whether a monotonic alignment decides for one key at inference.
        noise: deviation of the noise on monotonic scores in training.
        stop_bias: initial value of the bias of monotonic scores.
        seed: of the noise.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(
        self,
        kind: str,
        window: Any,
        hard: bool,
        noise: float,
        stop_bias: float,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.window = window
        self.hard = hard
        self.noise = noise
        self.stop_bias = stop_bias
        self._seeds = keras.random.SeedGenerator(seed) if noise else None

    def build(self, query_shape):
        if self.kind == "monotonic":
            self._stop_bias = self.add_weight(
                name="stop_bias",
                initializer=keras.initializers.Constant(self.stop_bias),
            )
        if self.kind == "local_p":
            self._center_hidden = build_dense(
                self,
                "center_hidden",
                query_shape[-1],
                query_shape,
                activation="tanh",
                use_bias=False,
            )
            self._center = build_dense(
                self, "center", 1, query_shape, activation="sigmoid", use_bias=False
            )

    def state_sizes(self, source: Any) -> list[Any]:
        """Widths of what a query leaves to the next one, for `source` keys."""
        return {"local_m": [1], "monotonic": [source]}.get(self.kind, [])

    def initial_state(self, batch_size: Any, source: Any) -> list[Tensor]:
        """What the first query finds: no query counted, or all weight on the first key.

        Returns:
            Tensors `(batch, width)`.
        """
        dtype = precise(self.compute_dtype)
        if self.kind == "monotonic":
            return [functional.first_position(batch_size, source, dtype)]
        return [
            ops.zeros((batch_size, size), dtype) for size in self.state_sizes(source)
        ]

    def draw_noise(self, *shape: Any) -> Tensor | None:
        """What training adds to scores `(batch, target, source)`, if anything.

        It is drawn for all queries at once: a loop on JAX cannot draw.
        """
        if not self.noise:
            return None
        dtype = precise(self.compute_dtype)
        noise = keras.random.normal(shape, dtype=dtype, seed=self._seeds)
        return self.noise * noise

    def compute_weights(
        self,
        query: Tensor,
        scores: Tensor,
        mask: Tensor | None,
        state: Sequence[Tensor],
        training: bool | None,
        noise: Tensor | None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Weights, and what the last query leaves.

        Args:
            query: `(batch, target, dim)`.
            scores: `(batch, target, source)`.
            mask: boolean, broadcasting to `(batch, target, source)`.
            state: of `initial_state`, or of the query before.
            training: whether weights are those of training.
            noise: of `draw_noise`, for these queries.

        Returns:
            Weights `(batch, target, source)`, precise, and the new state.
        """
        scores = ops.cast(scores, precise(scores.dtype))
        if self.kind == "monotonic":
            if noise is not None:
                scores = scores + noise
            weights, last = self._weigh_monotonic(scores, mask, state[0], training)
            return weights, [last]
        if self.kind == "local_p":
            return self._weigh_around_prediction(query, scores, mask), []
        if self.kind == "local_m":
            target = ops.shape(query)[1]
            steps = ops.arange(target, dtype="int32")
            center = state[0] + ops.cast(steps, state[0].dtype)
            near = functional.window_mask(center, ops.shape(scores)[-1], self.window)
            mask = functional.combine_masks(mask, near)
            state = [state[0] + ops.cast(target, state[0].dtype)]
        return functional.masked_softmax(scores, mask), list(state)

    def _weigh_monotonic(self, scores, mask, previous, training):
        stop = ops.sigmoid(scores + ops.cast(self._stop_bias, scores.dtype))
        if mask is not None:
            stop = ops.where(mask, stop, 0.0)
        return functional.monotonic_weights(stop, previous, self.hard and not training)

    def _weigh_around_prediction(self, query, scores, mask):
        source = ops.shape(scores)[-1]
        if mask is not None:
            mask = ops.broadcast_to(mask, ops.shape(scores))
        center = self._predict_center(query, source, mask)
        near = functional.window_mask(center, source, self.window)
        weights = functional.masked_softmax(
            scores, functional.combine_masks(mask, near)
        )
        return weights * functional.gaussian(center, source, self.window)

    def _predict_center(self, query, source, mask):
        """A position among the keys that some query may attend to, `(B, T)`."""
        share = ops.squeeze(
            apply_dense(self._center, apply_dense(self._center_hidden, query)), -1
        )
        share = ops.cast(share, precise(share.dtype))
        if mask is None:
            return share * ops.cast(source, share.dtype)
        is_real = ops.any(mask, axis=-2, keepdims=True)  # (B, 1, S)
        is_real = ops.cast(is_real, share.dtype)
        so_far = ops.cumsum(is_real, axis=-1)
        first = ops.sum(ops.cast(ops.equal(so_far, 0), share.dtype), axis=-1)
        return first + share * ops.sum(is_real, axis=-1)
