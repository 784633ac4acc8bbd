"""Attention of one head, with the score functions of the literature."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    SEQUENCE,
    check_attended,
    check_choice,
    check_given,
    check_positive,
    check_rate,
    takes_numpy,
)
from keras_attention.layers.attention.alignment import Alignment, make_alignment
from keras_attention.layers.attention.attention_steps import AttentionSteps
from keras_attention.layers.attention.coverage import COVERAGES, Coverage
from keras_attention.layers.projection import build_dense
from keras_attention.layers.sublayers import (
    build_once,
    quantized_dtype,
    restore,
    serialize_shared,
)
from keras_attention.tensor import Tensor

SCORES = ("dot", "scaled_dot", "general", "additive", "cosine")


@keras.saving.register_keras_serializable("keras_attention", name="Attention")
class Attention(AttentionSteps):
    """Each query takes a weighted mean of the values, weighted by its fit to the keys.

    | `score` | of query `q` and key `k` | source |
    | --- | --- | --- |
    | `"dot"` | `q · k` | Luong et al. 2015 |
    | `"scaled_dot"` | `q · k / sqrt(dim)` | Vaswani et al. 2017 |
    | `"general"` | `q · W k`, `W` learned | Luong et al. 2015 |
    | `"additive"` | `v · tanh(U q + W k + b)`, learned | Bahdanau et al. 2015 |
    | `"cosine"` | cosine of the angle between `q` and `k` | Graves et al. 2014 |

    | `alignment` | what a query attends to | source |
    | --- | --- | --- |
    | `"softmax"` | all keys | |
    | `"local_m"` | keys at most `window` from its own position | Luong et al. |
    | `"local_p"` | keys around a position it predicts, in a bell | Luong et al. |
    | `"monotonic"` | forward only, from the last query's stop | Raffel et al. 2017 |

    Args:
        score: one of the names above, or a callable `(query, key) -> scores` from
            `(batch, target, dim)` and `(batch, source, dim)` to
            `(batch, target, source)`. To save a model, register the callable with
            `keras.saving.register_keras_serializable`.
        units: width of the hidden layer of `"additive"`, which needs it; no other
            score takes it.
        dropout: rate at which weights are dropped in training.
        seed: integer seed of dropout and noise.
        normalize: whether the vector `v` of `"additive"` has a length learned apart
            from its direction (Bahdanau's score in the normal form of Raffel et al.).
        alignment: one of the names above, or an `Alignment` layer.
        window: farthest distance from the center that a local alignment attends to; it
            needs one.
        hard: whether a monotonic alignment decides for one key at inference; in
            training the weights are the expected ones.
        noise: standard deviation of the noise on monotonic scores in training, which
            teaches them to be decided.
        stop_bias: initial value of the bias learned for monotonic scores; the lower,
            the farther the first queries see.
        coverage: whether keys know how much they were attended to by earlier queries
            (Tu et al. 2016): `"sum"` adds a learned multiple of the sum of their
            weights to the projected keys, `"fertility"` of the sum divided by how often
            a key wants to be attended to, at most twice.
        **kwargs: of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        query: `(batch, target, query_dim)`.
        value: `(batch, source, value_dim)`.
        key: `(batch, source, key_dim)`; `value` when left out. Only `"general"` and
            `"additive"` take a `key_dim` other than `query_dim`.
        query_mask: boolean `(batch, target)`; a masked query attends to nothing.
        value_mask: boolean `(batch, source)`; `False` is never attended to.
        key_mask: boolean `(batch, source)`, likewise.
        attention_mask: boolean, broadcasting to `(batch, target, source)`.
        return_attention_scores: whether to return the weights too.
        training: whether to drop weights.
        use_causal_mask: whether a query sees only keys up to its own position.

    Masks given here are combined with those that `mask_zero` or `Masking` left on the
    tensors. A query with nothing to attend to gets zeros. Weights sum to 1, those of
    `"local_p"` and `"monotonic"` to at most 1.

    Returns:
        Context `(batch, target, value_dim)`, or the pair of context and weights
        `(batch, target, source)`.

    Raises:
        ValueError: for an unknown score or alignment, an option missing or out of
            place, widths that the score cannot compare, tensors of another number of
            axes, or a mask that is not boolean or does not fit.

    Example:
    >>> query, value = keras.ops.ones((2, 3, 8)), keras.ops.ones((2, 5, 8))
    >>> context, weights = Attention("additive", units=4)(
    ...     query, value, return_attention_scores=True
    ... )
    >>> tuple(context.shape), tuple(weights.shape)
    ((2, 3, 8), (2, 3, 5))
    """

    @takes_numpy
    def __init__(
        self,
        score: str | Callable[[Tensor, Tensor], Tensor] = "dot",
        units: int | None = None,
        dropout: float = 0.0,
        seed: int | None = None,
        *,
        normalize: bool = False,
        alignment: str | Alignment = "softmax",
        window: int | None = None,
        hard: bool = False,
        noise: float = 0.0,
        stop_bias: float = -1.0,
        coverage: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.score = restore(score)
        self.units: Any = units  # an integer for the additive score
        self.dropout = dropout
        self.seed = seed
        self.normalize = normalize
        self.alignment = restore(alignment)
        self.window = window
        self.hard = hard
        self.noise = noise
        self.stop_bias = stop_bias
        self.coverage = coverage
        self._check_arguments()
        self._alignment = make_alignment(
            self.alignment,
            window=window,
            hard=hard,
            noise=noise,
            stop_bias=stop_bias,
            seed=seed,
            dtype=self.dtype_policy,
        )
        self._coverage = None
        if coverage:
            self._coverage = Coverage(
                coverage, dtype=self.dtype_policy, name="coverage"
            )
        self._weight_dropout = keras.layers.Dropout(
            dropout, seed=seed, dtype=self.dtype_policy
        )
        self._query_dense: Any = None
        self._key_dense: Any = None
        self._energy_dense: Any = None

    def _check_arguments(self):
        if not callable(self.score) and self.score not in SCORES:
            raise ValueError(
                f"`score` must be one of {SCORES} or a callable. "
                f"Received: score={self.score!r}"
            )
        check_choice((None, *COVERAGES), coverage=self.coverage)
        check_rate(dropout=self.dropout)
        if self.score == "additive":
            check_positive(units=self.units)
            return
        for name, given in (("units", self.units), ("normalize", self.normalize)):
            if given:
                raise ValueError(
                    f'`{name}` is only for score="additive". '
                    f"Received: {name}={given!r}, score={self.score!r}"
                )

    def build(self, query_shape, value_shape=None, key_shape=None):
        check_given(value=value_shape)
        key_shape = value_shape if key_shape is None else key_shape
        check_attended(SEQUENCE, query_shape, value_shape, key_shape)
        if self.score == "general":
            self._key_dense = build_dense(
                self, "key", query_shape[-1], key_shape, use_bias=False
            )
        elif self.score == "additive":
            self._query_dense = build_dense(
                self, "query", self.units, query_shape, use_bias=False
            )
            self._key_dense = build_dense(self, "key", self.units, key_shape)
            self._energy_dense = build_dense(
                self, "energy", 1, (None, self.units), use_bias=False
            )
            if self.normalize:
                self._energy_scale = self.add_weight(
                    name="energy_scale",
                    initializer=keras.initializers.Constant(self.units**-0.5),
                )
        elif not callable(self.score) and query_shape[-1] != key_shape[-1]:
            raise ValueError(
                f'`score="{self.score}"` needs query and key of one width; '
                '"general" and "additive" take different ones. Received: '
                f"query_shape={tuple(query_shape)}, key_shape={tuple(key_shape)}"
            )
        build_once(self._alignment, query_shape)
        if isinstance(self.score, keras.layers.Layer):
            build_once(self.score, query_shape, key_shape)
        self._key_dim = key_shape[-1]
        if self._coverage is not None:
            self._coverage.build(key_shape, self.units or query_shape[-1])

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        key = value if key is None else key
        check_attended(SEQUENCE, query.shape, value.shape, key.shape)
        mask = functional.pairwise_mask(
            functional.position_mask(query, query_mask=query_mask),
            functional.position_mask(value, value_mask=value_mask),
            functional.position_mask(key, key_mask=key_mask),
            functional.pair_mask(
                (*query.shape[:2], value.shape[1]), attention_mask=attention_mask
            ),
        )
        if use_causal_mask:
            lengths = ops.shape(query)[1], ops.shape(value)[1]
            mask = functional.combine_masks(mask, functional.causal_mask(*lengths))
        projected_key = self.project_key(key)
        (batch, target, _), source = ops.shape(query), ops.shape(value)[1]
        weights, _ = self.compute_weights(
            query,
            projected_key,
            mask,
            self.initial_state(batch, source),
            training=training,
            noise=self.draw_noise(batch, target, source) if training else None,
        )
        context = functional.attend(
            self._weight_dropout(weights, training=training), value
        )
        return (context, weights) if return_attention_scores else context

    def compute_output_spec(
        self, query, value, key=None, *args, return_attention_scores=False, **kwargs
    ):
        key = value if key is None else key
        check_attended(SEQUENCE, query.shape, value.shape, key.shape)
        context = keras.KerasTensor(
            (*query.shape[:-1], value.shape[-1]), dtype=self.compute_dtype
        )
        if not return_attention_scores:
            return context
        weights_shape = (*query.shape[:-1], value.shape[1])
        return context, keras.KerasTensor(weights_shape, dtype=self.compute_dtype)

    def get_config(self):
        score = self.score
        if callable(score):
            score = keras.saving.serialize_keras_object(score)
        alignment = self.alignment
        if isinstance(alignment, Alignment):
            alignment = serialize_shared(alignment)
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "score": score,
            "units": self.units,
            "dropout": self.dropout,
            "seed": self.seed,
            "normalize": self.normalize,
            "alignment": alignment,
            "window": self.window,
            "hard": self.hard,
            "noise": self.noise,
            "stop_bias": self.stop_bias,
            "coverage": self.coverage,
        }
