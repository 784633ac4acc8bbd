"""What the encoder block and the decoder block have in common."""

from typing import Any

import keras

from keras_attention.argument_checks import (
    check_choice,
    check_divides,
    check_positive,
    check_rate,
)
from keras_attention.layers.attention.multi_head_attention import MultiHeadAttention
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.projection import serialize_options, set_options
from keras_attention.layers.sublayers import (
    quantized_dtype,
    restore,
    serialize_shared,
)
from keras_attention.layers.transformer.feed_forward import FeedForward
from keras_attention.layers.transformer.normalization import Normalization
from keras_attention.layers.transformer.residual import Residual
from keras_attention.tensor import Tensor

# What a block passes on to its attentions.
ATTENTION_OPTIONS = (
    "chunk_size",
    "dropout",
    "query_key_norm",
    "sliding_window",
    "soft_cap",
)
_PARTS = ("attention", "self_attention", "cross_attention", "feed_forward")


class TransformerBlock(BaseLayer):
    """The parts of a Transformer block, made by its options or given as layers.

    The constructors are those of `TransformerEncoder` and `TransformerDecoder`.
    """

    def keep_arguments(self, **arguments: Any) -> None:
        """Keep the arguments of a constructor as attributes, checked.

        Raises:
            ValueError: for one that is out of range, or of a part given as a layer.
        """
        self.supports_masking = True
        self._argument_names = tuple(arguments)
        normalization = arguments.pop("normalization")
        for name, value in arguments.items():
            setattr(self, name, restore(value))
            if name in _PARTS and value is not None:
                # It gets masks as arguments; Keras would warn that it loses them.
                getattr(self, name).supports_masking = True
        self._normalization = Normalization(normalization)
        self.activation = keras.activations.get(arguments["activation"])
        self.attention_options = dict(arguments["attention_options"] or {})
        set_options(
            self,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
        )
        self._check_arguments()

    def _check_arguments(self):
        check_rate(dropout=self.dropout, stochastic_depth=self.stochastic_depth)
        for name in self.attention_options:
            check_choice(ATTENTION_OPTIONS, attention_options=name)
        if self.feed_forward is None:
            check_positive(intermediate_dim=self.intermediate_dim)
        attentions = [
            getattr(self, name) for name in _PARTS[:-1] if hasattr(self, name)
        ]
        # Positions are the business of self-attention, which is the first.
        of_attention = ["position"] if attentions[0] is not None else []
        if None in attentions:
            check_positive(num_heads=self.num_heads)
            for name in ("key_dim", "value_dim"):
                if getattr(self, name) is not None:
                    check_positive(**{name: getattr(self, name)})
        else:
            of_attention += ["num_key_value_heads", "key_dim", "value_dim"]
            of_attention += ["attention_options"]
        for name in of_attention:
            if getattr(self, name):
                raise ValueError(
                    f"`{name}` is for the attention that a block makes itself, and "
                    f"this one is given its own. Received: {name}={getattr(self, name)}"
                )

    def get_config(self):
        config = {
            **super().get_config(),
            **quantized_dtype(self),
            **{name: getattr(self, name) for name in self._argument_names},
            "activation": keras.activations.serialize(self.activation),
            **serialize_options(self),
            "normalization": self._normalization.serialize(),
        }
        for name in (*_PARTS, "position"):
            if name in config:
                config[name] = serialize_shared(config[name])
        return config

    def sublayers(self) -> dict[str, tuple[Any, Residual]]:
        """The sublayers of a built block in their order, each with its frame.

        `"self_attention"`, in a decoder with a memory `"cross_attention"`, and
        `"feed_forward"`.
        """
        raise NotImplementedError

    @property
    def normalization(self) -> Any:
        """The name of the normalization, or the layer that each one is a copy of."""
        return self._normalization.kind

    def build_attention(
        self,
        name: str,
        given: Any,
        query_shape: Any,
        value_shape: Any,
        use_causal_mask: bool = False,
        **options: Any,
    ) -> Any:
        """Build an attention: one that was given, or else a `MultiHeadAttention`."""
        if given is not None:
            # By a call, as what is in it may be built by no other; a call like those to
            # come, as there may be attentions that are always causal.
            shapes = query_shape, value_shape
            specs = (keras.KerasTensor(s, given.compute_dtype) for s in shapes)
            self.attend(given, *specs, use_causal_mask=use_causal_mask)
            return given
        dim, key_dim = query_shape[-1], self.key_dim
        if key_dim is None:
            check_divides("num_heads", self.num_heads, "the width of the inputs", dim)
            key_dim = dim // self.num_heads
        attention = MultiHeadAttention(
            self.num_heads,
            key_dim,
            self.value_dim,
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
        attention: Any, query: Tensor, value: Tensor | None, **options: Any
    ) -> tuple[Tensor, Tensor | None, Any]:
        """Output, weights and cache of an attention; `None` for what it does not give.

        Args:
            attention: called in the calling form of `MultiHeadAttention`.
            query: `(batch, target, dim)`.
            value: `(batch, source, dim)`.
            **options: of the call; those that are `None` or `False` are left out, which
                an attention need not know.
        """
        asked = {
            name: option
            for name, option in options.items()
            if option is not None and option is not False
        }
        results = attention(query, value, **asked)
        results = list(results) if isinstance(results, tuple) else [results]
        cache = results.pop() if "cache_index" in asked else None
        weights = results.pop() if "return_attention_scores" in asked else None
        return results[0], weights, cache

    def weights_spec(
        self, attention: Any, query_shape: Any, value_shape: Any
    ) -> keras.KerasTensor:
        """The shape and dtype of the weights of one of the attentions."""
        specs = (
            keras.KerasTensor(shape, self.compute_dtype)
            for shape in (query_shape, value_shape)
        )
        _, weights = attention.compute_output_spec(*specs, return_attention_scores=True)
        return weights

    def build_feed_forward(self, inputs_shape: Any) -> Any:
        """Build the feed-forward network: one that was given, or a `FeedForward`."""
        if self.feed_forward is not None:
            self.feed_forward(
                keras.KerasTensor(inputs_shape, self.feed_forward.compute_dtype)
            )
            return self.feed_forward
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
