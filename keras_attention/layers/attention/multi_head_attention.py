"""Attention of several heads."""

from typing import Any

import keras

from keras_attention import functional
from keras_attention.argument_checks import check_attended, check_given, takes_numpy
from keras_attention.layers.attention.keras_weights import copy_from_keras
from keras_attention.layers.attention.multi_head_checks import check_options
from keras_attention.layers.attention.multi_head_core import source_mask
from keras_attention.layers.attention.multi_head_steps import HeadSteps
from keras_attention.layers.projection import serialize_options, set_options
from keras_attention.layers.sublayers import (
    quantized_dtype,
    restore,
    serialize_shared,
)
from keras_attention.tensor import Tensor

AXES = "batch, ..., dim"


@keras.saving.register_keras_serializable("keras_attention", name="MultiHeadAttention")
class MultiHeadAttention(HeadSteps):
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
            the mask is causal, after it (Beltagy et al. 2020); all when left out.
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
        query_positions: integers `(target,)`, or `(batch, target)` where rows differ,
            such as left-padded ones; counted from 0, or from `cache_index`, when left
            out. They are what `position`, `sliding_window` and causality go by.
        key_positions: integers `(source,)` or `(batch, source)`, likewise; with a
            cache, of all that it holds.
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

    @takes_numpy
    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | tuple[int, ...] | None = None,
        attention_axes: int | tuple[int, ...] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        *,
        num_key_value_heads: int | None = None,
        position: Any = None,
        query_key_norm: bool = False,
        soft_cap: float | None = None,
        chunk_size: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.supports_masking = True
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.value_dim = value_dim
        self.dropout = dropout
        self.use_bias = use_bias
        self.attention_axes = _as_tuple(attention_axes)
        self.sliding_window = sliding_window
        self.flash_attention = flash_attention
        set_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.use_gate = use_gate
        self.seed = seed
        self.num_key_value_heads = num_key_value_heads
        self.position = restore(position)
        self.query_key_norm = query_key_norm
        self.soft_cap = soft_cap
        self.chunk_size = chunk_size
        # Keras's layers have a property of the name `output_shape`.
        self._output_axes = _as_tuple(output_shape)
        check_options(self)
        own_weights = type(self).compute_attention_weights
        if flash_attention and (
            own_weights is not MultiHeadAttention.compute_attention_weights
        ):
            raise ValueError(
                "`flash_attention` computes weights of its own and cannot be combined "
                "with `compute_attention_weights` of a subclass. "
                f"Received: flash_attention=True, layer={type(self).__name__}"
            )
        self._key_value_heads = num_key_value_heads or num_heads
        self._seeds = keras.random.SeedGenerator(seed) if dropout else None

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
        query_positions=None,
        key_positions=None,
    ):
        self._check_shapes(*(t if t is None else t.shape for t in (query, value, key)))
        tensors = query, value, key
        masks = (
            functional.position_mask(query, query_mask=query_mask),
            source_mask(cache, value, key, value_mask, key_mask),
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
                *tensors,
                *masks,
                **options,
                cache=cache,
                cache_index=cache_index,
                positions=(
                    functional.as_positions(query_positions, "query_positions"),
                    functional.as_positions(key_positions, "key_positions"),
                ),
            )
        for name, value in {
            "cache": cache,
            "query_positions": query_positions,
            "key_positions": key_positions,
        }.items():
            if value is not None:
                raise ValueError(
                    f"`{name}` needs inputs of three axes. "
                    f"Received: query.shape={tuple(query.shape)}"
                )
        return self._attend_over_axes(*tensors, *masks, **options)

    def compute_attention_weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        """From scores to weights: what a subclass changes for weights of its own.

        Whatever it returns is what values are summed by, on every path: at once, in
        chunks, and step by step. Dropout comes after it.

        Args:
            scores: float32 `(batch, heads, target, source)`, or float64 under a policy
                of that dtype, soft-capped and with the bias of `position`.
            mask: boolean, broadcasting to `scores`, `True` for what may be attended to;
                or `None`. With a `chunk_size` both are of some of the queries, and with
                a `sliding_window` too, of the keys in reach.

        Returns:
            Weights, shaped as `scores`; by default their softmax, and zeros where a
            query may attend to nothing.
        """
        return functional.masked_softmax(scores, mask)

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

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "output_shape": self._output_axes,
            "attention_axes": self.attention_axes,
            "sliding_window": self.sliding_window,
            "flash_attention": self.flash_attention,
            **serialize_options(self),
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            "use_gate": self.use_gate,
            "seed": self.seed,
            "num_key_value_heads": self.num_key_value_heads,
            "position": serialize_shared(self.position),
            "query_key_norm": self.query_key_norm,
            "soft_cap": self.soft_cap,
            "chunk_size": self.chunk_size,
        }

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

    def _check_shapes(self, query_shape, value_shape, key_shape):
        if self._rank not in (None, len(query_shape)):
            raise ValueError(
                f"`query` must have {self._rank} axes, as at the first call. "
                f"Received: query.shape={tuple(query_shape)}"
            )
        if value_shape is not None:
            check_attended(AXES, query_shape, value_shape, key_shape)


def _as_tuple(sizes: Any) -> tuple[Any, ...] | None:
    """Several sizes of one, as Keras takes them."""
    if sizes is None:
        return None
    return tuple(sizes) if isinstance(sizes, list | tuple) else (sizes,)
