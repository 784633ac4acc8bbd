"""From the scores of queries to their weights."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    check_choice,
    check_positive,
    takes_numpy,
)
from keras_attention.layers.projection import apply_dense, build_dense
from keras_attention.precision import precise
from keras_attention.tensor import Tensor

ALIGNMENTS = ("softmax", "local_m", "local_p", "monotonic")


@keras.saving.register_keras_serializable("keras_attention", name="Alignment")
class Alignment(keras.layers.Layer):
    """The part of `Attention` that makes weights of scores: a softmax over the keys.

    For weights of another kind, override `compute_weights`. Where they depend on the
    query before, `state_sizes` says how much of it is kept, and `initial_state` what
    the first query finds, if not zeros. Weights of the alignment's own are made in
    `build`, which gets the shape of the queries.

    Example:
    >>> from keras_attention.layers import Attention
    >>> class Uniform(Alignment):
    ...     def compute_weights(self, query, scores, mask, state, **kwargs):
    ...         return functional.masked_softmax(0 * scores, mask), state
    >>> attention = Attention("general", alignment=Uniform())
    """

    def build(self, query_shape):
        self.built = True

    def state_sizes(self, source: int | Tensor) -> list[Any]:
        """Widths of what a query leaves to the next one, for `source` keys."""
        return []

    def initial_state(
        self, batch_size: int | Tensor, source: int | Tensor
    ) -> list[Tensor]:
        """What the first query finds: tensors `(batch, width)`."""
        dtype = precise(self.compute_dtype)
        sizes = self.state_sizes(source)
        return [ops.zeros((batch_size, size), dtype) for size in sizes]

    def draw_noise(self, *shape: Any) -> Tensor | None:
        """What training adds to scores `(batch, target, source)`, if anything.

        It is drawn for all queries at once: a loop on JAX cannot draw.
        """
        return None

    def compute_weights(
        self,
        query: Tensor,
        scores: Tensor,
        mask: Tensor | None,
        state: Sequence[Tensor],
        *,
        training: bool | None = None,
        noise: Tensor | None = None,
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """Weights, and what the last query leaves.

        Args:
            query: `(batch, target, dim)`.
            scores: `(batch, target, source)`, float32, or float64 under that policy.
            mask: boolean, broadcasting to `(batch, target, source)`, or `None`.
            state: of `initial_state`, or of the query before.
            training: whether weights are those of training.
            noise: of `draw_noise`, for these queries.

        Returns:
            Weights `(batch, target, source)` and the new state, shaped as the old one.
        """
        return functional.masked_softmax(scores, mask), state


@keras.saving.register_keras_serializable("keras_attention", name="LocalAlignment")
class LocalAlignment(Alignment):
    """A softmax over the keys near a center (Luong et al. 2015).

    Args:
        window: the farthest distance from the center.
        predictive: whether each query predicts its center, around which weights fall
            off in a bell (local-p), or it is the query's own position (local-m).
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: for a `window` that is not a positive integer.
    """

    @takes_numpy
    def __init__(self, window: int, predictive: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_positive(window=window)
        self.window = window
        self.predictive = predictive

    def build(self, query_shape):
        if self.predictive:
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

    def get_config(self):
        return {
            **super().get_config(),
            "window": self.window,
            "predictive": self.predictive,
        }

    def state_sizes(self, source):
        # Queries are counted.
        return [] if self.predictive else [1]

    def compute_weights(self, query, scores, mask, state, *, training=None, noise=None):
        (_, target, source), state = ops.shape(scores), list(state)
        if self.predictive:
            center = self._predict_center(query, source, mask)
        else:
            steps = ops.arange(target, dtype="int32")
            center = state[0] + ops.cast(steps, state[0].dtype)
            state = [state[0] + ops.cast(target, state[0].dtype)]
        near = functional.window_mask(center, source, self.window)
        near = functional.combine_masks(mask, near)
        weights = functional.masked_softmax(scores, near)
        if self.predictive:
            weights = weights * functional.gaussian(center, source, self.window)
        return weights, state

    def _predict_center(self, query, source, mask):
        """A position among the keys that each query may attend to, `(B, T)`."""
        share = apply_dense(self._center, apply_dense(self._center_hidden, query))
        share = ops.cast(share[..., 0], precise(share.dtype))
        if mask is None:
            return share * ops.cast(source, share.dtype)
        mask = ops.broadcast_to(mask, (*ops.shape(share), source))
        is_real = ops.cast(mask, share.dtype)
        so_far = ops.cumsum(is_real, axis=-1)
        first = ops.sum(ops.cast(ops.equal(so_far, 0), share.dtype), axis=-1)
        return first + share * ops.sum(is_real, axis=-1)


@keras.saving.register_keras_serializable("keras_attention", name="MonotonicAlignment")
class MonotonicAlignment(Alignment):
    """Forward only, from where the query before stopped (Raffel et al. 2017).

    Args:
        hard: whether to decide for one key at inference; in training the weights are
            the expected ones.
        noise: standard deviation of the noise on scores in training, which teaches
            them to be decided.
        stop_bias: initial value of the bias learned for scores; the lower, the farther
            the first queries see.
        seed: integer seed of the noise.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: for a negative `noise`.
    """

    @takes_numpy
    def __init__(
        self,
        hard: bool = False,
        noise: float = 0.0,
        stop_bias: float = -1.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if noise < 0:
            raise ValueError(f"`noise` must not be negative. Received: noise={noise}")
        self.hard = hard
        self.noise = noise
        self.stop_bias = stop_bias
        self.seed = seed
        self._seeds = keras.random.SeedGenerator(seed) if noise else None

    def build(self, query_shape):
        self._stop_bias = self.add_weight(
            name="stop_bias", initializer=keras.initializers.Constant(self.stop_bias)
        )

    def get_config(self):
        return {
            **super().get_config(),
            "hard": self.hard,
            "noise": self.noise,
            "stop_bias": self.stop_bias,
            "seed": self.seed,
        }

    def state_sizes(self, source):
        return [source]

    def initial_state(self, batch_size, source):
        dtype = precise(self.compute_dtype)
        return [functional.first_position(batch_size, source, dtype)]

    def draw_noise(self, *shape):
        if not self.noise:
            return None
        dtype = precise(self.compute_dtype)
        return self.noise * keras.random.normal(shape, dtype=dtype, seed=self._seeds)

    def compute_weights(self, query, scores, mask, state, *, training=None, noise=None):
        if noise is not None:
            scores = scores + noise
        stop = ops.sigmoid(scores + ops.cast(self._stop_bias, scores.dtype))
        if mask is not None:
            stop = ops.where(mask, stop, 0.0)
        is_hard = self.hard and not training
        weights, last = functional.monotonic_weights(stop, state[0], is_hard)
        return weights, [last]


def make_alignment(
    alignment: Any,
    *,
    window: Any,
    hard: bool,
    noise: float,
    stop_bias: float,
    seed: int | None,
    dtype: Any,
) -> Alignment:
    """The alignment of a name, or the one that is given.

    Args:
        alignment: one of `ALIGNMENTS`, or a layer.
        window: as in `Attention`, likewise the others.
        hard: of a monotonic alignment.
        noise: likewise.
        stop_bias: likewise.
        seed: of the noise.
        dtype: policy of an alignment that is made.

    Raises:
        ValueError: for another name, or an option that the alignment does not have.
    """
    is_given = isinstance(alignment, Alignment)
    if not is_given:
        check_choice(ALIGNMENTS, alignment=alignment)
    is_local = not is_given and alignment.startswith("local")
    is_monotonic = not is_given and alignment == "monotonic"
    for name, value, belongs, place in (
        ("window", window, is_local, "a local alignment"),
        ("hard", hard, is_monotonic, 'alignment="monotonic"'),
        ("noise", noise, is_monotonic, 'alignment="monotonic"'),
    ):
        if value and not belongs:
            raise ValueError(
                f"`{name}` is only for {place}. "
                f"Received: {name}={value!r}, alignment={alignment!r}"
            )
    if is_given:
        return alignment
    options = {"dtype": dtype, "name": "alignment"}
    if is_local:
        return LocalAlignment(window, alignment == "local_p", **options)
    if is_monotonic:
        return MonotonicAlignment(hard, noise, stop_bias, seed, **options)
    return Alignment(**options)
