"""What the encoder block and the decoder block have in common."""

from typing import Any

import keras

from keras_attention.argument_checks import (
    check_choice,
    check_divides,
    check_positive,
    check_rate,
    takes_numpy,
)
from keras_attention.layers.attention.multi_head_attention import MultiHeadAttention
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.projection import serialize_options, set_options
from keras_attention.layers.sublayers import quantized_dtype, restore, serialize_shared
from keras_attention.layers.transformer.feed_forward import FeedForward
from keras_attention.layers.transformer.normalization import Normalization
from keras_attention.layers.transformer.residual import Residual

Tensor = Any

# What a block hands on to its attentions.
ATTENTION_OPTIONS = (
    "chunk_size",
    "dropout",
    "query_key_norm",
    "sliding_window",
    "soft_cap",
)


class TransformerBlock(BaseLayer):
    """The constructor, the configuration and the children of a Transformer block.

    The arguments are those of `TransformerEncoder` and `TransformerDecoder`, which add
    `build` and `call`.
    """

    @takes_numpy
    def __init__(
        self,
        intermediate_dim: int,
        num_heads: int,
        dropout: float = 0,
        activation: Any = "relu",
        layer_norm_epsilon: float = 1e-5,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        normalize_first: bool = False,
        normalization: Any = "layer",
        gated: bool = False,
        num_key_value_heads: int | None = None,
        position: Any = None,
        stochastic_depth: float = 0,
        attention_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(intermediate_dim=intermediate_dim, num_heads=num_heads)
        check_rate(dropout=dropout, stochastic_depth=stochastic_depth)
        attention_options = dict(attention_options or {})
        for name in attention_options:
            check_choice(ATTENTION_OPTIONS, attention_options=name)
        self.supports_masking = True
        self.intermediate_dim = intermediate_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.activation = keras.activations.get(activation)
        self.layer_norm_epsilon = layer_norm_epsilon
        set_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
        )
        self.normalize_first = normalize_first
        self._normalization = Normalization(normalization)
        self.gated = gated
        self.num_key_value_heads = num_key_value_heads
        self.position = restore(position)
        self.stochastic_depth = stochastic_depth
        self.attention_options = attention_options

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "intermediate_dim": self.intermediate_dim,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "activation": keras.activations.serialize(self.activation),
            "layer_norm_epsilon": self.layer_norm_epsilon,
            **serialize_options(self),
            "normalize_first": self.normalize_first,
            "normalization": self._normalization.serialize(),
            "gated": self.gated,
            "num_key_value_heads": self.num_key_value_heads,
            "position": serialize_shared(self.position),
            "stochastic_depth": self.stochastic_depth,
            "attention_options": self.attention_options,
        }

    @property
    def normalization(self) -> Any:
        """The name of the normalization, or the layer that each one is a copy of."""
        return self._normalization.kind

    def build_attention(
        self, name: str, query_shape: Any, value_shape: Any, **options: Any
    ) -> MultiHeadAttention:
        """Make and build an attention whose heads share the width of the queries."""
        dim = query_shape[-1]
        check_divides("num_heads", self.num_heads, "the width of the inputs", dim)
        attention = MultiHeadAttention(
            self.num_heads,
            dim // self.num_heads,
            num_key_value_heads=self.num_key_value_heads,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            dtype=self.dtype_policy,
            name=name,
            **{"dropout": self.dropout} | self.attention_options | options,
        )
        attention.build(query_shape, value_shape)
        return attention

    @staticmethod
    def attend(
        attention: MultiHeadAttention, query: Tensor, value: Tensor, **options: Any
    ) -> tuple[Tensor, Tensor | None, Any]:
        """Output, weights and cache of an attention; `None` for what it gives not."""
        results = attention(query, value, **options)
        results = list(results) if isinstance(results, tuple) else [results]
        cache = None if options.get("cache_index") is None else results.pop()
        weights = results.pop() if options["return_attention_scores"] else None
        return results[0], weights, cache

    def build_feed_forward(self, inputs_shape: Any) -> FeedForward:
        """Make and build the feed-forward network."""
        feed_forward = FeedForward(
            self.intermediate_dim,
            self.activation,
            gated=self.gated,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            dtype=self.dtype_policy,
            name="feed_forward",
        )
        feed_forward.build(inputs_shape)
        return feed_forward

    def build_residual(self, name: str, inputs_shape: Any) -> Residual:
        """Make and build the frame of one sublayer."""
        residual = Residual(
            self.dropout,
            self.normalize_first,
            self._normalization,
            self.layer_norm_epsilon,
            self.stochastic_depth,
            dtype=self.dtype_policy,
            name=name,
        )
        residual.build(inputs_shape)
        return residual
