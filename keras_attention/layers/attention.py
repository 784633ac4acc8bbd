"""Attention of one head, with the score functions of the literature."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.checks import check_one_length, check_positive, check_rate
from keras_attention.children import restore
from keras_attention.layers.projection import build_dense

Tensor = Any

SCORES = ("dot", "scaled_dot", "general", "additive", "cosine")


@keras.saving.register_keras_serializable("keras_attention", name="Attention")
class Attention(keras.layers.Layer):
    """Each query takes a weighted mean of the values, weighted by its fit to the keys.

    | `score` | of query `q` and key `k` | source |
    | --- | --- | --- |
    | `"dot"` | `q · k` | Luong et al. 2015 |
    | `"scaled_dot"` | `q · k / sqrt(dim)` | Vaswani et al. 2017 |
    | `"general"` | `q · W k`, `W` learned | Luong et al. 2015 |
    | `"additive"` | `v · tanh(U q + W k + b)`, learned | Bahdanau et al. 2015 |
    | `"cosine"` | cosine of the angle between `q` and `k` | Graves et al. 2014 |

    Args:
        score: one of the names above, or a callable `(query, key) -> scores` from
            `(batch, target, dim)` and `(batch, source, dim)` to
            `(batch, target, source)`. To save a model, register the callable with
            `keras.saving.register_keras_serializable`.
        units: width of the hidden layer of `"additive"`, which needs it; no other
            score takes it.
        dropout: rate at which weights are dropped in training.
        seed: integer seed of the dropout.
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
    tensors. A query with nothing to attend to gets zeros.

    Returns:
        Context `(batch, target, value_dim)`, or the pair of context and weights
        `(batch, target, source)`.

    Raises:
        ValueError: for an unknown score, `units` missing or out of place, or widths
            that the score cannot compare.

    Example:
    >>> query, value = keras.ops.ones((2, 3, 8)), keras.ops.ones((2, 5, 8))
    >>> context, weights = Attention("additive", units=4)(
    ...     query, value, return_attention_scores=True
    ... )
    >>> tuple(context.shape), tuple(weights.shape)
    ((2, 3, 8), (2, 3, 5))
    """

    def __init__(
        self,
        score: str | Callable[[Tensor, Tensor], Tensor] = "dot",
        units: int | None = None,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        score = restore(score)
        if not callable(score) and score not in SCORES:
            raise ValueError(
                f"`score` must be one of {SCORES} or a callable. "
                f"Received: score={score!r}"
            )
        if score == "additive":
            check_positive(units=units)
        elif units is not None:
            raise ValueError(
                '`units` belongs to score="additive" alone. '
                f"Received: score={score!r}, units={units!r}"
            )
        check_rate(dropout=dropout)
        self.supports_masking = True
        self.score = score
        self.units = units
        self.dropout = dropout
        self.seed = seed
        self._weight_dropout = keras.layers.Dropout(
            dropout, seed=seed, dtype=self.dtype_policy
        )
        self._query_dense: Any = None
        self._key_dense: Any = None
        self._energy_dense: Any = None

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        check_one_length(value_shape, key_shape)
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
        elif not callable(self.score) and query_shape[-1] != key_shape[-1]:
            raise ValueError(
                f'`score="{self.score}"` needs query and key of one width; '
                '"general" and "additive" take different ones. Received: '
                f"query_shape={tuple(query_shape)}, key_shape={tuple(key_shape)}"
            )

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
        mask = functional.pairwise_mask(
            functional.combine_masks(query_mask, functional.implicit_mask(query)),
            functional.combine_masks(value_mask, functional.implicit_mask(value)),
            functional.combine_masks(key_mask, functional.implicit_mask(key)),
            attention_mask,
        )
        if use_causal_mask:
            lengths = ops.shape(query)[1], ops.shape(value)[1]
            mask = functional.combine_masks(mask, functional.causal_mask(*lengths))
        projected_key = self.project_key(value if key is None else key)
        weights = self.weigh(query, projected_key, mask)
        context = functional.attend(
            self._weight_dropout(weights, training=training), value
        )
        return (context, weights) if return_attention_scores else context

    def compute_output_spec(
        self, query, value, *args, return_attention_scores=False, **kwargs
    ):
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
        return {
            **super().get_config(),
            "score": score,
            "units": self.units,
            "dropout": self.dropout,
            "seed": self.seed,
        }

    def project_key(self, key: Tensor) -> Tensor:
        """The part of the score that depends on the keys alone.

        A decoder that attends to one memory at many steps computes it once.
        """
        return key if self._key_dense is None else self._key_dense(key)

    def weigh(
        self, query: Tensor, projected_key: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Weights `(batch, target, source)` of keys that `project_key` returned."""
        if self.score == "scaled_dot":
            scores = functional.scaled_dot_scores(query, projected_key)
        elif self.score == "cosine":
            scores = functional.cosine_scores(query, projected_key)
        elif self.score == "additive":
            scores = functional.additive_scores(
                self._query_dense(query), projected_key, self._energy_dense
            )
        elif callable(self.score):
            scores = self.score(query, projected_key)
        else:
            scores = functional.dot_scores(query, projected_key)
        return functional.masked_softmax(scores, mask)
