"""Self-attention of one head."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    SEQUENCE,
    check_axes,
    check_positive,
    check_rate,
    takes_numpy,
)
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.projection import (
    build_dense,
    serialize_options,
    set_options,
)
from keras_attention.layers.sublayers import quantized_dtype


@keras.saving.register_keras_serializable("keras_attention", name="SelfAttention")
class SelfAttention(BaseLayer):
    """Every position of a sequence attends to the positions of the same sequence.

    Queries, keys and values are dense projections of the input; their scaled dot
    products weigh the values (Vaswani et al. 2017, with one head and no output
    projection).

    Args:
        key_dim: width of queries and keys.
        value_dim: width of values and of the output; `key_dim` when left out.
        use_causal_mask: whether a position sees only itself and earlier ones.
        dropout: rate at which weights are dropped in training.
        use_bias: whether the projections have biases.
        kernel_initializer: of the projections.
        seed: integer seed of the dropout.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, length, dim)`.
        mask: boolean `(batch, length)`, combined with the mask on `inputs`.
        attention_mask: boolean, broadcasting to `(batch, length, length)`.
        return_attention_scores: whether to return the weights too.
        training: whether to drop weights.

    Returns:
        `(batch, length, value_dim)`, or the pair of it and the weights
        `(batch, length, length)`. A masked position attends to nothing and gets zeros.

    Raises:
        ValueError: for sizes that are not positive, inputs of another number of axes,
            or a mask that is not boolean or does not fit.

    Example:
    >>> layer = SelfAttention(key_dim=16)
    >>> tuple(layer(keras.ops.ones((2, 5, 8))).shape)
    (2, 5, 16)
    """

    @takes_numpy
    def __init__(
        self,
        key_dim: int,
        value_dim: int | None = None,
        use_causal_mask: bool = False,
        dropout: float = 0.0,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(key_dim=key_dim)
        if value_dim is not None:
            check_positive(value_dim=value_dim)
        check_rate(dropout=dropout)
        self.supports_masking = True
        self.key_dim = key_dim
        self.value_dim = value_dim
        self.use_causal_mask = use_causal_mask
        self.dropout = dropout
        self.use_bias = use_bias
        set_options(self, kernel_initializer=kernel_initializer)
        self.seed = seed
        self._weight_dropout = keras.layers.Dropout(
            dropout, seed=seed, dtype=self.dtype_policy
        )

    def build(self, inputs_shape):
        check_axes(SEQUENCE, inputs=inputs_shape)
        widths = {
            "query": self.key_dim,
            "key": self.key_dim,
            "value": self.value_dim or self.key_dim,
        }
        self._query_dense, self._key_dense, self._value_dense = (
            build_dense(
                self,
                name,
                width,
                inputs_shape,
                use_bias=self.use_bias,
            )
            for name, width in widths.items()
        )

    def call(
        self,
        inputs,
        mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        check_axes(SEQUENCE, inputs=inputs.shape)
        mask = functional.position_mask(inputs, mask=mask)
        batch, length, _ = inputs.shape
        attention_mask = functional.pair_mask(
            (batch, length, length), attention_mask=attention_mask
        )
        mask = functional.pairwise_mask(
            query_mask=mask, value_mask=mask, attention_mask=attention_mask
        )
        if self.use_causal_mask:
            length = ops.shape(inputs)[1]
            mask = functional.combine_masks(
                mask, functional.causal_mask(length, length)
            )
        scores = functional.scaled_dot_scores(
            self._query_dense(inputs), self._key_dense(inputs)
        )
        weights = functional.masked_softmax(scores, mask)
        outputs = functional.attend(
            self._weight_dropout(weights, training=training), self._value_dense(inputs)
        )
        return (outputs, weights) if return_attention_scores else outputs

    def compute_output_spec(
        self, inputs, *args, return_attention_scores=False, **kwargs
    ):
        check_axes(SEQUENCE, inputs=inputs.shape)
        width = self.value_dim or self.key_dim
        outputs = keras.KerasTensor((*inputs.shape[:-1], width), self.compute_dtype)
        if not return_attention_scores:
            return outputs
        weights_shape = (*inputs.shape[:-1], inputs.shape[1])
        return outputs, keras.KerasTensor(weights_shape, self.compute_dtype)

    def compute_mask(self, inputs, previous_mask=None):
        # Keras hands over the mask given to the call in place of the implicit one.
        return functional.position_mask(inputs, mask=previous_mask)

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "use_causal_mask": self.use_causal_mask,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            **serialize_options(self),
            "seed": self.seed,
        }
