"""Attention of several heads."""

import math
from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.checks import (
    check_divides,
    check_one_length,
    check_positive,
    check_rate,
)
from keras_attention.layers.projection import build_dense

Tensor = Any
Cache = dict[str, Tensor]


@keras.saving.register_keras_serializable("keras_attention", name="MultiHeadAttention")
class MultiHeadAttention(keras.layers.Layer):
    """Scaled dot-product attention in several subspaces (Vaswani et al. 2017).

    Arguments, call and shapes are those of `keras.layers.MultiHeadAttention`.

    Args:
        num_heads: number of query heads.
        key_dim: width of one head of queries and keys.
        value_dim: width of one head of values; `key_dim` when left out.
        dropout: rate at which weights are dropped in training.
        use_bias: whether the projections have biases.
        output_shape: width of the output, or a tuple of axes in its place; the width of
            the query when left out.
        attention_axes: axes over which queries attend, of inputs of more than three
            axes; all but the batch and the features when left out.
        num_key_value_heads: number of key and value heads, each shared by
            `num_heads / num_key_value_heads` query heads: 1 is multi-query attention
            (Shazeer 2019), more are grouped-query attention (Ainslie et al. 2023).
            `num_heads` when left out.
        kernel_initializer: of the kernels, likewise the other initializers,
            regularizers and constraints of the four projections.
        bias_initializer: of the biases.
        kernel_regularizer: of the kernels.
        bias_regularizer: of the biases.
        activity_regularizer: of the layer's output.
        kernel_constraint: of the kernels.
        bias_constraint: of the biases.
        seed: integer seed of the dropout.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        query: `(batch, target, query_dim)`.
        value: `(batch, source, value_dim)`; not needed beside a cache of a memory.
        key: `(batch, source, key_dim)`; `value` when left out.
        query_mask: boolean `(batch, target)`; a masked query attends to nothing.
        value_mask: boolean `(batch, source)`; `False` is never attended to.
        key_mask: boolean `(batch, source)`, likewise.
        attention_mask: boolean, broadcasting to `(batch, target, source)`, or
            `(batch, heads, target, source)`.
        return_attention_scores: whether to return the weights too.
        training: whether to drop weights.
        use_causal_mask: whether a query sees only positions up to its own; the last
            query is aligned with the last key.
        cache: projected keys and values `{"key", "value"}`, each
            `(batch, key_value_heads, length, dim)`, from `init_cache` or
            `project_memory`.
        cache_index: integer scalar. The keys and values of `value` are written into
            `cache` from this position on, and each query sees the positions up to
            its own. When left out, `cache` is attended to as it is.

    Masks given here are combined with those that `mask_zero` or `Masking` left on the
    tensors; with a cache, `value_mask` and `key_mask` cover the length of the cache. A
    query with nothing to attend to has a context of zero, before the output projection.

    Returns:
        Output `(batch, target, output_dim)`; with `return_attention_scores` followed by
        the weights `(batch, heads, target, source)`; with a `cache_index` followed by
        the new cache.

    Raises:
        ValueError: for sizes that are not positive or do not divide each other, or
            key and value of different lengths.

    Example:
    >>> layer = MultiHeadAttention(num_heads=4, key_dim=2, num_key_value_heads=2)
    >>> query, value = keras.ops.ones((2, 3, 8)), keras.ops.ones((2, 5, 8))
    >>> output, weights = layer(query, value, return_attention_scores=True)
    >>> tuple(output.shape), tuple(weights.shape)
    ((2, 3, 8), (2, 4, 3, 5))
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | tuple[int, ...] | None = None,
        attention_axes: int | tuple[int, ...] | None = None,
        num_key_value_heads: int | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        check_positive(num_heads=num_heads, key_dim=key_dim)
        if value_dim is not None:
            check_positive(value_dim=value_dim)
        if num_key_value_heads is not None:
            check_positive(num_key_value_heads=num_key_value_heads)
            check_divides(
                "num_key_value_heads", num_key_value_heads, "num_heads", num_heads
            )
        check_rate(dropout=dropout)
        if isinstance(output_shape, int):
            output_shape = (output_shape,)
        for size in output_shape or ():
            check_positive(output_shape=size)
        if isinstance(attention_axes, int):
            attention_axes = (attention_axes,)
        self.supports_masking = True
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.value_dim = value_dim
        self.dropout = dropout
        self.use_bias = use_bias
        self.attention_axes = None if attention_axes is None else tuple(attention_axes)
        self.num_key_value_heads = num_key_value_heads
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.seed = seed
        self._output_axes = None if output_shape is None else tuple(output_shape)
        self._key_value_heads = num_key_value_heads or num_heads
        self._weight_dropout = keras.layers.Dropout(
            dropout, seed=seed, dtype=self.dtype_policy
        )

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        check_one_length(value_shape, key_shape)
        self._axes = _attended_axes(self.attention_axes, len(query_shape))
        value_dim = self.value_dim or self.key_dim
        output_axes = self._output_axes or (query_shape[-1],)
        self._query_dense = self._projection(
            "query", self.num_heads * self.key_dim, query_shape
        )
        self._key_dense = self._projection(
            "key", self._key_value_heads * self.key_dim, key_shape
        )
        self._value_dense = self._projection(
            "value", self._key_value_heads * value_dim, value_shape
        )
        merged_shape = (*query_shape[:-1], self.num_heads * value_dim)
        self._output_dense = self._projection(
            "output", math.prod(output_axes), merged_shape
        )

    def call(
        self,
        query,
        value=None,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
        cache=None,
        cache_index=None,
    ):
        if len(query.shape) > 3:
            return self._call_over_axes(
                query,
                value,
                key,
                query_mask,
                value_mask,
                key_mask,
                attention_mask,
                return_attention_scores=return_attention_scores,
                training=training,
                use_causal_mask=use_causal_mask,
            )
        if cache is None:
            memory = self.project_memory(value, key)
        elif cache_index is None:
            memory = cache
        else:
            memory = _write(cache, self.project_memory(value, key), cache_index)
        mask = functional.pairwise_mask(
            functional.combine_masks(query_mask, functional.implicit_mask(query)),
            _source_mask(value_mask, value, cache),
            _source_mask(key_mask, key, cache),
            self._visible(query, memory, use_causal_mask, cache_index),
        )
        output, weights = self._attend(query, memory, mask, attention_mask, training)
        results = (output, weights) if return_attention_scores else (output,)
        if cache_index is not None:
            results = (*results, memory)
        return results if len(results) > 1 else output

    def compute_output_spec(
        self,
        query,
        value=None,
        *args,
        return_attention_scores=False,
        cache=None,
        cache_index=None,
        **kwargs,
    ):
        output_axes = self._output_axes or (query.shape[-1],)
        batch_and_length = tuple(query.shape[:-1])
        results = [
            keras.KerasTensor(batch_and_length + output_axes, self.compute_dtype)
        ]
        if return_attention_scores:
            sources = (
                [value.shape[axis] for axis in self._axes]
                if cache is None
                else [cache["key"].shape[2]]
            )
            outer = [s for a, s in enumerate(batch_and_length) if a not in self._axes]
            targets = [batch_and_length[axis] for axis in self._axes]
            shape = (*outer, self.num_heads, *targets, *sources)
            results.append(keras.KerasTensor(shape, self.compute_dtype))
        if cache_index is not None:
            results.append(
                {
                    name: keras.KerasTensor(part.shape, part.dtype)
                    for name, part in cache.items()
                }
            )
        return tuple(results) if len(results) > 1 else results[0]

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "output_shape": self._output_axes,
            "attention_axes": self.attention_axes,
            "num_key_value_heads": self.num_key_value_heads,
            **{
                name: keras.initializers.serialize(getattr(self, name))
                for name in ("kernel_initializer", "bias_initializer")
            },
            **{
                name: keras.regularizers.serialize(getattr(self, name))
                for name in (
                    "kernel_regularizer",
                    "bias_regularizer",
                    "activity_regularizer",
                )
            },
            **{
                name: keras.constraints.serialize(getattr(self, name))
                for name in ("kernel_constraint", "bias_constraint")
            },
            "seed": self.seed,
        }

    def init_cache(self, batch_size: Any, max_length: int) -> Cache:
        """An empty cache of `max_length` positions, to pass with a `cache_index`."""
        shape = (batch_size, self._key_value_heads, max_length)
        return {
            "key": ops.zeros((*shape, self.key_dim), self.compute_dtype),
            "value": ops.zeros(
                (*shape, self.value_dim or self.key_dim), self.compute_dtype
            ),
        }

    def project_memory(self, value: Tensor, key: Tensor | None = None) -> Cache:
        """Project keys and values by heads, once for all steps that attend to them."""
        key = value if key is None else key
        return {
            "key": functional.split_heads(self._key_dense(key), self._key_value_heads),
            "value": functional.split_heads(
                self._value_dense(value), self._key_value_heads
            ),
        }

    def _call_over_axes(self, query, value, key, *masks, **options):
        """Attend as over sequences, with the other axes as part of the batch."""
        *masks, attention_mask = masks
        tensors = query, value, key
        masks = [
            functional.combine_masks(mask, functional.implicit_mask(tensor))
            for mask, tensor in zip(masks, tensors, strict=True)
        ]
        if attention_mask is not None:
            attention_mask = functional.fold_pairs(attention_mask, query, self._axes)
        results = self.call(
            *(None if t is None else functional.fold(t, self._axes) for t in tensors),
            *(None if m is None else functional.fold(m, self._axes, 0) for m in masks),
            attention_mask=attention_mask,
            **options,
        )
        if not options["return_attention_scores"]:
            return functional.unfold(results, query, self._axes)
        output, weights = results
        return (
            functional.unfold(output, query, self._axes),
            functional.unfold_weights(weights, query, value, self._axes),
        )

    def _attend(self, query, memory, mask, attention_mask, training):
        heads = functional.split_heads(self._query_dense(query), self.num_heads)
        mask = functional.combine_masks(_over_heads(mask), _over_heads(attention_mask))
        scores = functional.grouped_scores(heads, memory["key"])
        weights = functional.masked_softmax(scores, mask)  # (B, N, T, S)
        context = functional.attend(
            self._weight_dropout(weights, training=training), memory["value"]
        )
        output = self._output_dense(functional.merge_heads(context))
        if self._output_axes is not None and len(self._output_axes) > 1:
            output = ops.reshape(output, (*ops.shape(output)[:-1], *self._output_axes))
        return output, weights

    def _visible(self, query, memory, use_causal_mask, cache_index):
        if cache_index is None and not use_causal_mask:
            return None
        target, source = ops.shape(query)[1], ops.shape(memory["key"])[2]
        if cache_index is None:
            return functional.causal_mask(target, source)
        # Of the cache only what has been written counts as the past.
        written = cache_index + ops.expand_dims(ops.arange(target, dtype="int32"), 1)
        return ops.less_equal(ops.arange(source, dtype="int32"), written)  # (T, S)

    def _projection(self, name, units, input_shape):
        return build_dense(
            self,
            name,
            units,
            input_shape,
            use_bias=self.use_bias,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
        )


def _attended_axes(axes: tuple[int, ...] | None, rank: int) -> tuple[int, ...]:
    if axes is None:
        return tuple(range(1, rank - 1))
    positive = tuple(axis % rank for axis in axes)
    if any(not 0 < axis < rank - 1 for axis in positive) or any(
        not -rank <= axis < rank for axis in axes
    ):
        raise ValueError(
            "`attention_axes` must lie between the batch and the features. Received: "
            f"attention_axes={axes} for inputs of {rank} axes"
        )
    return positive


def _source_mask(
    mask: Tensor | None, source: Tensor | None, cache: Cache | None
) -> Tensor | None:
    """A mask as long as what is attended to: `source`, or the cache in its place."""
    implicit = functional.implicit_mask(source)
    if cache is None:
        return functional.combine_masks(mask, implicit)
    # Keras puts an implicit mask into an argument left out; it covers no past.
    return None if mask is implicit else mask


def _over_heads(mask: Tensor | None) -> Tensor | None:
    """Let a mask `(batch, target, source)` broadcast over the heads."""
    if mask is None:
        return None
    mask = functional.as_boolean(mask)
    return ops.expand_dims(mask, 1) if len(mask.shape) == 3 else mask


def _write(cache: Cache, new: Cache, index: Tensor) -> Cache:
    return {
        name: ops.slice_update(part, (0, 0, index, 0), ops.cast(new[name], part.dtype))
        for name, part in cache.items()
    }
