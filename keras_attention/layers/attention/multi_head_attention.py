"""Attention of several heads."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import check_attended, check_given
from keras_attention.layers.attention.keras_weights import copy_from_keras
from keras_attention.layers.attention.multi_head_projections import MultiHeadProjections
from keras_attention.layers.positions.distance_bias import DistanceBias

Tensor = Any
Cache = dict[str, Tensor]

AXES = "batch, ..., dim"


@keras.saving.register_keras_serializable("keras_attention", name="MultiHeadAttention")
class MultiHeadAttention(MultiHeadProjections):
    """Scaled dot-product attention in several subspaces (Vaswani et al. 2017).

    Arguments, call and shapes are those of `keras.layers.MultiHeadAttention`; those
    from `num_key_value_heads` on are further ones.

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
        sliding_window: a query sees keys at less than this distance, before and, unless
            the mask is causal, behind it (Beltagy et al. 2020); all when left out.
        flash_attention: whether to use the backend's fused attention where it has one,
            on GPUs with JAX and PyTorch. It takes no dropout, position bias or soft cap
            and returns no weights.
        kernel_initializer: of the kernels, likewise the other initializers,
            regularizers and constraints of the projections.
        bias_initializer: of the biases.
        kernel_regularizer: of the kernels.
        bias_regularizer: of the biases.
        activity_regularizer: of the layer's output.
        kernel_constraint: of the kernels.
        bias_constraint: of the biases.
        use_gate: whether the context is multiplied by a sigmoid of a projection of the
            query (Qiu et al. 2025).
        seed: integer seed of the dropout.
        num_key_value_heads: number of key and value heads, each shared by
            `num_heads / num_key_value_heads` query heads: 1 is multi-query attention
            (Shazeer 2019), more are grouped-query attention (Ainslie et al. 2023).
            `num_heads` when left out.
        position: `RotaryEmbedding`, `AlibiBias` or `RelativePositionBias`, by which
            scores depend on the positions of query and key.
        query_key_norm: whether queries and keys of each head are normalized by their
            root mean square, with a learned scale (Henry et al. 2020).
        soft_cap: bound that scores approach by a hyperbolic tangent (Gemma Team 2024).
        chunk_size: number of queries weighed at a time, so that memory grows linearly
            with the length (Rabe and Staats 2021); with a `sliding_window`, time too.
            Where the weights are asked for, all are weighed at once.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        query: `(batch, target, query_dim)`.
        value: `(batch, source, value_dim)`; not needed beside a cache of a memory.
        key: `(batch, source, key_dim)`; `value` when left out.
        query_mask: boolean `(batch, target)`; a masked query attends to nothing. Of
            inputs of more axes, a mask of the first ones covers all that lies within.
        value_mask: boolean `(batch, source)`; `False` is never attended to.
        key_mask: boolean `(batch, source)`, likewise.
        attention_mask: boolean, broadcasting to `(batch, target, source)`, or
            `(batch, heads, target, source)`.
        return_attention_scores: whether to return the weights too.
        training: whether to drop weights.
        use_causal_mask: whether a query sees only keys up to its own position.
        cache: projected keys and values `{"key", "value"}`, each
            `(batch, key_value_heads, length, dim)`, from `init_cache` or
            `project_memory`.
        cache_index: integer scalar. The keys and values of `value` are written into
            `cache` from this position on, which must have room for them, and each
            query sees the positions up to its own. When left out, `cache` is attended
            to as it is.

    Masks given here are combined with those that `mask_zero` or `Masking` left on the
    tensors; with a cache, `value_mask` and `key_mask` cover the length of the cache. A
    query with nothing to attend to has a context of zero, before the output projection.

    Returns:
        Output `(batch, target, output_dim)`; with `return_attention_scores` followed by
        the weights `(batch, heads, target, source)`; with a `cache_index` followed by
        the new cache.

    Raises:
        ValueError: for sizes that are not positive or do not divide each other, options
            that exclude each other, tensors of different numbers of axes, key and value
            of different lengths, a cache beside inputs of more than three axes, or a
            mask that is not boolean or does not fit.

    Example:
    >>> layer = MultiHeadAttention(num_heads=4, key_dim=2, num_key_value_heads=2)
    >>> query, value = keras.ops.ones((2, 3, 8)), keras.ops.ones((2, 5, 8))
    >>> output, weights = layer(query, value, return_attention_scores=True)
    >>> tuple(output.shape), tuple(weights.shape)
    ((2, 3, 8), (2, 4, 3, 5))
    """

    _rank: int | None = None  # of the queries, once it is built

    def build(self, query_shape, value_shape=None, key_shape=None):
        check_given(value=value_shape)
        key_shape = value_shape if key_shape is None else key_shape
        check_attended(AXES, query_shape, value_shape, key_shape)
        self._rank = len(query_shape)
        self._axes = functional.attended_axes(self.attention_axes, len(query_shape))
        self._build_projections(query_shape, value_shape, key_shape)

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
        self._check_shapes(*(t if t is None else t.shape for t in (query, value, key)))
        tensors = query, value, key
        masks = (
            functional.position_mask(query, query_mask=query_mask),
            _source_mask(cache, value, key, value_mask, key_mask),
            functional.pair_mask(
                self._weights_shape(query, value, cache),
                2 * len(self._axes),
                attention_mask=attention_mask,
            ),
        )
        options = {
            "return_attention_scores": return_attention_scores,
            "training": training,
            "use_causal_mask": use_causal_mask,
        }
        if len(query.shape) == 3:
            return self._attend(
                *tensors, *masks, **options, cache=cache, cache_index=cache_index
            )
        if cache is not None:
            raise ValueError(
                "A `cache` needs inputs of three axes. "
                f"Received: query.shape={tuple(query.shape)}"
            )
        return self._attend_over_axes(*tensors, *masks, **options)

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        self._check_shapes(query_shape, value_shape, key_shape)
        return (*query_shape[:-1], *(self._output_axes or (query_shape[-1],)))

    def compute_output_spec(
        self,
        query,
        value=None,
        key=None,
        *args,
        return_attention_scores=False,
        cache=None,
        cache_index=None,
        **kwargs,
    ):
        source = cache["key"] if value is None else value
        shape = self.compute_output_shape(
            query.shape, source.shape, None if key is None else key.shape
        )
        results = [keras.KerasTensor(shape, self.compute_dtype)]
        if return_attention_scores:
            shape = self._weights_shape(query, value, cache)
            results.append(keras.KerasTensor(shape, self.compute_dtype))
        if cache_index is not None:
            results.append(
                {
                    name: keras.KerasTensor(part.shape, part.dtype)
                    for name, part in cache.items()
                }
            )
        return tuple(results) if len(results) > 1 else results[0]

    @classmethod
    def from_keras(cls, layer: keras.layers.Layer) -> "MultiHeadAttention":
        """Take over a layer of Keras's with its arguments and weights.

        Args:
            layer: a built `keras.layers.MultiHeadAttention` or
                `keras.layers.GroupQueryAttention`.

        Returns:
            A built layer of the same name that gives the same outputs.

        Raises:
            ValueError: if `layer` is another layer, or not built.

        Example:
        >>> theirs = keras.layers.MultiHeadAttention(num_heads=2, key_dim=3)
        >>> theirs.build((None, 5, 8), (None, 7, 8))
        >>> ours = MultiHeadAttention.from_keras(theirs)
        >>> query, value = keras.ops.ones((1, 5, 8)), keras.ops.ones((1, 7, 8))
        >>> difference = keras.ops.abs(ours(query, value) - theirs(query, value))
        >>> bool(keras.ops.all(difference < 1e-6))
        True
        """
        return copy_from_keras(cls, layer)

    def _attend(
        self,
        query,
        value,
        key,
        query_mask,
        key_mask,
        pair_mask,
        return_attention_scores,
        training,
        use_causal_mask,
        cache=None,
        cache_index=None,
    ):
        """Attend within sequences, `(batch, length, dim)`."""
        if self.flash_attention and return_attention_scores:
            raise ValueError(
                "Returning attention scores is not supported when flash attention is "
                "enabled. Received: return_attention_scores=True, flash_attention=True"
            )
        if cache_index is not None:
            cache_index = functional.as_position(cache_index, "cache_index")
        start = 0 if cache_index is None else cache_index
        memory = self._memory(value, key, cache, cache_index)
        context, weights = functional.dot_product_attention(
            self._project_query(query, start),
            memory["key"],
            memory["value"],
            self._rules(use_causal_mask or cache_index is not None),
            query_mask=query_mask,
            key_mask=key_mask,
            pair_mask=pair_mask,
            distance_bias=self._distance_bias(query, memory, start),
            query_start=start,
            seeds=self._draw_seeds(query, memory, training),
            chunk_size=None if return_attention_scores else self.chunk_size,
            fused=bool(self.flash_attention),
        )
        output = self._project_context(context, query)
        results = (output, weights) if return_attention_scores else (output,)
        if cache_index is not None:
            results = (*results, memory)
        return results if len(results) > 1 else output

    def _attend_over_axes(
        self, query, value, key, query_mask, key_mask, pair_mask, **options
    ):
        """Attend as over sequences, with the other axes as part of the batch."""
        tensors = query, value, key
        masks = [
            mask if mask is None else functional.fold(mask, self._axes, trailing=0)
            for mask in (query_mask, key_mask)
        ]
        if pair_mask is not None:
            pair_mask = functional.fold_pairs(pair_mask, query, value, self._axes)
        results = self._attend(
            *(None if t is None else functional.fold(t, self._axes) for t in tensors),
            *masks,
            pair_mask,
            **options,
        )
        if not options["return_attention_scores"]:
            return functional.unfold(results, query, self._axes)
        output, weights = results
        return (
            functional.unfold(output, query, self._axes),
            functional.unfold_weights(weights, query, value, self._axes),
        )

    def _check_shapes(self, query_shape, value_shape, key_shape):
        if self._rank not in (None, len(query_shape)):
            raise ValueError(
                f"`query` must have {self._rank} axes, as at the first call. "
                f"Received: query.shape={tuple(query_shape)}"
            )
        if value_shape is not None:
            check_attended(AXES, query_shape, value_shape, key_shape)

    def _memory(self, value, key, cache, cache_index):
        if cache is None:
            return self.project_memory(value, key)
        if cache_index is None:
            return cache
        return _write(cache, self.project_memory(value, key, cache_index), cache_index)

    def _rules(self, causal):
        return functional.PairRules(
            causal, self.sliding_window, self.soft_cap, self.dropout
        )

    def _distance_bias(self, query, memory, start):
        if not isinstance(self.position, DistanceBias):
            return None
        target, source = ops.shape(query)[1], ops.shape(memory["key"])[2]
        count = functional.at_least_one(target + source - 1)
        steps = ops.arange(count, dtype="int32") - (target - 1)
        return self.position.bias(steps - start)

    def _draw_seeds(self, query, memory, training):
        if not training or not self.dropout:
            return None
        batch, target, _ = ops.shape(query)
        source = ops.shape(memory["key"])[2]
        return functional.pair_seeds(batch, self.num_heads, target, source, self._seeds)

    def _weights_shape(self, query, value, cache):
        if cache is not None:
            sources = [cache["key"].shape[2]]
        else:
            sources = [value.shape[axis] for axis in self._axes]
        outer = [
            size for axis, size in enumerate(query.shape[:-1]) if axis not in self._axes
        ]
        targets = [query.shape[axis] for axis in self._axes]
        return (*outer, self.num_heads, *targets, *sources)


def _source_mask(
    cache: Cache | None,
    value: Tensor | None,
    key: Tensor | None,
    value_mask: Tensor | None,
    key_mask: Tensor | None,
) -> Tensor | None:
    """A mask as long as what is attended to: the values, or a cache in their place."""
    key = value if key is None else key
    if cache is None:
        return functional.combine_masks(
            functional.position_mask(value, value_mask=value_mask),
            functional.position_mask(key, key_mask=key_mask),
        )
    # Keras puts an implicit mask into an argument left out; it covers no past.
    masks = {
        name: None if mask is functional.implicit_mask(source) else mask
        for name, mask, source in (
            ("value_mask", value_mask, value),
            ("key_mask", key_mask, key),
        )
    }
    batch, _, length, _ = cache["key"].shape
    return functional.sequence_mask((batch, length), **masks)


def _write(cache: Cache, new: Cache, index: Tensor) -> Cache:
    return {
        name: functional.write_at(part, ops.cast(new[name], part.dtype), index, 2)
        for name, part in cache.items()
    }
