"""What multi-head attention is made of: its arguments and its projections."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    check_divides,
    check_positive,
    check_positive_number,
    check_rate,
    takes_numpy,
)
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.positions.distance_bias import DistanceBias
from keras_attention.layers.positions.rotary_embedding import RotaryEmbedding
from keras_attention.layers.projection import (
    build_dense,
    serialize_options,
    set_options,
)
from keras_attention.layers.sublayers import (
    build_once,
    quantized_dtype,
    restore,
    serialize_shared,
)

Tensor = Any
Cache = dict[str, Tensor]


class MultiHeadProjections(BaseLayer):
    """The constructor, the configuration and the children of `MultiHeadAttention`.

    The arguments are those of `MultiHeadAttention`, which adds `build` and `call`.
    """

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
        self._check_arguments()
        self._key_value_heads = num_key_value_heads or num_heads
        self._seeds = keras.random.SeedGenerator(seed) if dropout else None

    def _check_arguments(self):
        check_positive(num_heads=self.num_heads, key_dim=self.key_dim)
        for name in (
            "value_dim",
            "sliding_window",
            "num_key_value_heads",
            "chunk_size",
        ):
            if getattr(self, name) is not None:
                check_positive(**{name: getattr(self, name)})
        axes = self._output_axes
        if axes is not None and (
            not axes or not all(isinstance(size, int) and size > 0 for size in axes)
        ):
            raise ValueError(
                "Invalid `output_shape`: it must be a positive integer or several. "
                f"Received: output_shape={axes}"
            )
        if self.num_key_value_heads is not None:
            check_divides(
                "num_key_value_heads",
                self.num_key_value_heads,
                "num_heads",
                self.num_heads,
            )
        check_rate(dropout=self.dropout)
        if self.soft_cap is not None:
            check_positive_number(soft_cap=self.soft_cap)
        if not isinstance(self.position, None | RotaryEmbedding | DistanceBias):
            raise ValueError(
                "`position` must be a RotaryEmbedding, AlibiBias or "
                f"RelativePositionBias. Received: position={self.position!r}"
            )
        if isinstance(self.position, RotaryEmbedding) and self.key_dim % 2:
            raise ValueError(
                "`key_dim` must be even, as a RotaryEmbedding turns features in pairs. "
                f"Received: key_dim={self.key_dim}"
            )
        if self.flash_attention:
            self._check_flash_attention()

    def _check_flash_attention(self):
        if self.dropout:
            raise ValueError(
                "Dropout is not supported when flash attention is enabled. "
                f"Received: flash_attention=True, dropout={self.dropout}"
            )
        for name, value in {
            "position": self.position
            if isinstance(self.position, DistanceBias)
            else None,
            "soft_cap": self.soft_cap,
            "chunk_size": self.chunk_size,
        }.items():
            if value is not None:
                raise ValueError(
                    f"`flash_attention` cannot be combined with this `{name}`. "
                    f"Received: flash_attention=True, {name}={value!r}"
                )

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

    @property
    def query_dense(self) -> keras.layers.Dense:
        """The projection of the queries."""
        return self._query_dense

    @property
    def key_dense(self) -> keras.layers.Dense:
        """The projection of the keys."""
        return self._key_dense

    @property
    def value_dense(self) -> keras.layers.Dense:
        """The projection of the values."""
        return self._value_dense

    @property
    def output_dense(self) -> keras.layers.Dense:
        """The projection of the contexts."""
        return self._output_dense

    def set_weights(self, weights: Any) -> None:
        """Set all weights, also as `keras.layers.MultiHeadAttention` returns them.

        It keeps heads as an axis of their own, in the same order.
        """
        shaped = [np.asarray(weight) for weight in weights]
        own = [weight.shape for weight in self.weights]
        if [weight.size for weight in shaped] == [math.prod(shape) for shape in own]:
            shaped = [
                weight.reshape(shape) for weight, shape in zip(shaped, own, strict=True)
            ]
        super().set_weights(shaped)

    def init_cache(self, batch_size: Any, max_length: int) -> Cache:
        """An empty cache of `max_length` positions, to pass with a `cache_index`."""
        shape = (batch_size, self._key_value_heads, max_length)
        widths = {"key": self.key_dim, "value": self.value_dim or self.key_dim}
        return {
            name: ops.zeros((*shape, width), self.compute_dtype)
            for name, width in widths.items()
        }

    def project_memory(
        self, value: Tensor, key: Tensor | None = None, start: Any = 0
    ) -> Cache:
        """Project keys and values by heads, once for all steps that attend to them.

        Args:
            value: `(batch, source, value_dim)`.
            key: `(batch, source, key_dim)`; `value` when left out.
            start: position of the first key.
        """
        heads = self._key_value_heads
        keys = functional.split_heads(
            self._key_dense(value if key is None else key), heads
        )
        if self.query_key_norm:
            keys = self._key_norm(keys)
        return {
            "key": self._rotate(keys, start),
            "value": functional.split_heads(self._value_dense(value), heads),
        }

    def _build_projections(self, query_shape, value_shape, key_shape):
        key_width = self._key_value_heads * self.key_dim
        value_dim = self.value_dim or self.key_dim
        self._query_dense = self._projection(
            "query", self.num_heads * self.key_dim, query_shape
        )
        self._key_dense = self._projection("key", key_width, key_shape)
        merged = (*query_shape[:-1], self.num_heads * value_dim)
        if self.use_gate:
            self._gate_dense = self._projection(
                "gate", merged[-1], query_shape, activation="sigmoid"
            )
        self._value_dense = self._projection(
            "value", self._key_value_heads * value_dim, value_shape
        )
        output_axes = self._output_axes or (query_shape[-1],)
        self._output_dense = self._projection("output", math.prod(output_axes), merged)
        if self.query_key_norm:
            self._query_norm, self._key_norm = (
                self._head_norm(name) for name in ("query_norm", "key_norm")
            )
        if self.position is not None:
            heads_shape = (None, self.num_heads, None, self.key_dim)
            build_once(self.position, heads_shape)
            self._check_position()

    def _check_position(self):
        heads = getattr(self.position, "num_heads", self.num_heads)
        if heads != self.num_heads:
            raise ValueError(
                "A `position` shared by several layers needs one number of heads. "
                f"Received: num_heads={self.num_heads}, position built for {heads}"
            )

    def _projection(self, name, units, input_shape, **options):
        return build_dense(
            self, name, units, input_shape, use_bias=self.use_bias, **options
        )

    def _head_norm(self, name):
        norm = keras.layers.RMSNormalization(dtype=self.dtype_policy, name=name)
        norm.build((None, None, None, self.key_dim))
        norm.supports_masking = True
        return norm

    def _project_query(self, query, start):
        heads = functional.split_heads(self._query_dense(query), self.num_heads)
        if self.query_key_norm:
            heads = self._query_norm(heads)
        return self._rotate(heads, start)

    def _rotate(self, heads, start):
        if not isinstance(self.position, RotaryEmbedding):
            return heads
        positions = start + ops.arange(ops.shape(heads)[2], dtype="int32")
        return self.position.rotate(heads, positions)

    def _project_context(self, context, query):
        merged = functional.merge_heads(context)
        if self.use_gate:
            merged = merged * self._gate_dense(query)
        output = self._output_dense(merged)
        if self._output_axes is None or len(self._output_axes) == 1:
            return output
        return ops.reshape(output, (*ops.shape(output)[:-1], *self._output_axes))


def _as_tuple(sizes: Any) -> tuple[Any, ...] | None:
    """Several sizes of one, as Keras takes them."""
    if sizes is None:
        return None
    return tuple(sizes) if isinstance(sizes, list | tuple) else (sizes,)
