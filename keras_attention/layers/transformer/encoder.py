"""One block of a Transformer encoder."""

from typing import Any

import keras

from keras_attention import functional
from keras_attention.argument_checks import SEQUENCE, check_axes, takes_numpy
from keras_attention.layers.transformer.block import TransformerBlock


@keras.saving.register_keras_serializable("keras_attention", name="TransformerEncoder")
class TransformerEncoder(TransformerBlock):
    """Self-attention, then a feed-forward network (Vaswani et al. 2017).

    Args:
        intermediate_dim: width of the hidden layer of the feed-forward network; not
            needed beside a `feed_forward`.
        num_heads: number of attention heads; not needed beside an `attention`.
        dropout: rate in training, of attention weights and of each sublayer's output.
        activation: of the feed-forward network.
        layer_norm_epsilon: added to the variance in normalizations.
        kernel_initializer: of all kernels.
        bias_initializer: of all biases.
        normalize_first: whether sublayers are normalized before (pre-norm, Xiong et al.
            2020) or after (post-norm).
        normalization: `"layer"`, `"rms"` (Zhang and Sennrich 2019), or a layer, such as
            `keras.layers.UnitNormalization()`, which each sublayer has a copy of.
        gated: whether the feed-forward network is gated (Shazeer 2020).
        num_key_value_heads: number of key and value heads, shared by groups of query
            heads; `num_heads` when left out.
        position: `RotaryEmbedding`, `AlibiBias` or `RelativePositionBias`, for the
            self-attention.
        stochastic_depth: rate at which rows skip a sublayer in training (Huang et al.
            2016).
        attention_options: `sliding_window`, `query_key_norm`, `soft_cap`, `chunk_size`,
            and a `dropout` of the weights other than that of the block, as
            `MultiHeadAttention` takes them.
        key_dim: width of one head of queries and keys; that of the inputs divided by
            `num_heads` when left out.
        value_dim: width of one head of values; `key_dim` when left out.
        attention: a layer in place of the `MultiHeadAttention` that a block makes by
            the arguments above; called as that is, with `query` and `value`, and with
            the further arguments of its calling form where they are needed.
        feed_forward: a layer from `(batch, length, dim)` to the same, in place of a
            `FeedForward`.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, length, dim)`.
        padding_mask: boolean `(batch, length)`, `True` for real positions; combined
            with the mask on `inputs`.
        attention_mask: boolean, broadcasting to `(batch, length, length)`.
        training: whether to drop.
        return_attention_scores: whether to return the weights too.
        mask: as `padding_mask`, by the name that wrappers such as
            `keras.layers.TimeDistributed` give it.

    Returns:
        Shaped as `inputs`, or the pair of it and the weights
        `(batch, heads, length, length)`.

    Raises:
        ValueError: for sizes that are not positive or do not divide each other, unknown
            options, inputs of another number of axes, or a mask that is not boolean or
            does not fit.

    Example:
    >>> block = TransformerEncoder(intermediate_dim=32, num_heads=2)
    >>> tuple(block(keras.ops.ones((2, 5, 8))).shape)
    (2, 5, 8)
    """

    @takes_numpy
    def __init__(
        self,
        intermediate_dim: int | None = None,
        num_heads: int | None = None,
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
        *,
        key_dim: int | None = None,
        value_dim: int | None = None,
        attention: Any = None,
        feed_forward: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.keep_arguments(
            intermediate_dim=intermediate_dim,
            num_heads=num_heads,
            dropout=dropout,
            activation=activation,
            layer_norm_epsilon=layer_norm_epsilon,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            normalize_first=normalize_first,
            normalization=normalization,
            gated=gated,
            num_key_value_heads=num_key_value_heads,
            position=position,
            stochastic_depth=stochastic_depth,
            attention_options=attention_options,
            key_dim=key_dim,
            value_dim=value_dim,
            attention=attention,
            feed_forward=feed_forward,
        )

    def build(self, inputs_shape):
        check_axes(SEQUENCE, inputs=inputs_shape)
        self._self_attention = self.build_attention(
            "self_attention",
            self.attention,
            inputs_shape,
            inputs_shape,
            position=self.position,
        )
        self._attention_residual = self.build_residual(
            "attention_residual", inputs_shape
        )
        self._feed_forward = self.build_feed_forward(inputs_shape)
        self._feed_forward_residual = self.build_residual(
            "feed_forward_residual", inputs_shape
        )

    def sublayers(self):
        return {
            "self_attention": (self._self_attention, self._attention_residual),
            "feed_forward": (self._feed_forward, self._feed_forward_residual),
        }

    def call(
        self,
        inputs,
        padding_mask=None,
        attention_mask=None,
        training=None,
        return_attention_scores=False,
        mask=None,
    ):
        check_axes(SEQUENCE, inputs=inputs.shape)
        mask = functional.position_mask(inputs, padding_mask=padding_mask, mask=mask)
        batch, length, _ = inputs.shape
        functional.pair_mask(
            (batch, self.num_heads, length, length), attention_mask=attention_mask
        )
        normalized = self._attention_residual.sublayer_input(inputs)
        attended, weights, _ = self.attend(
            self._self_attention,
            normalized,
            normalized,
            query_mask=mask,
            value_mask=mask,
            attention_mask=attention_mask,
            return_attention_scores=return_attention_scores,
            training=training,
        )
        hidden = self._attention_residual.add(inputs, attended, training)
        update = self._feed_forward(self._feed_forward_residual.sublayer_input(hidden))
        outputs = self._feed_forward_residual.add(hidden, update, training)
        return (outputs, weights) if return_attention_scores else outputs

    def compute_mask(self, inputs, previous_mask=None):
        # Keras hands over the mask given to the call in place of the implicit one.
        return functional.position_mask(inputs, mask=previous_mask)

    def compute_output_spec(
        self, inputs, *args, return_attention_scores=False, **kwargs
    ):
        check_axes(SEQUENCE, inputs=inputs.shape)
        outputs = keras.KerasTensor(inputs.shape, self.compute_dtype)
        if not return_attention_scores:
            return outputs
        shapes = inputs.shape, inputs.shape
        return outputs, self.weights_spec(self._self_attention, *shapes)
