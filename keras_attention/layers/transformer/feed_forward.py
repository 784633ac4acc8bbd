"""The position-wise network of a Transformer block."""

from typing import Any

import keras

from keras_attention.argument_checks import check_axes, check_positive, takes_numpy
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.projection import (
    apply_dense,
    build_dense,
    serialize_options,
    set_options,
)
from keras_attention.layers.sublayers import quantized_dtype


@keras.saving.register_keras_serializable("keras_attention", name="FeedForward")
class FeedForward(BaseLayer):
    """Two dense layers applied to each position by itself (Vaswani et al. 2017).

    With `gated=True` the hidden layer is the product of an activated projection and a
    linear one: GLU for `activation="sigmoid"`, GEGLU for `"gelu"`, SwiGLU for
    `"silu"` (Shazeer 2020).

    Args:
        intermediate_dim: width of the hidden layer.
        activation: of the hidden layer, a name or a callable.
        gated: whether the hidden layer is gated.
        kernel_initializer: of the kernels.
        bias_initializer: of the biases.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(..., dim)`.

    Returns:
        Shaped as `inputs`.

    Example:
    >>> tuple(FeedForward(32, gated=True)(keras.ops.ones((2, 5, 8))).shape)
    (2, 5, 8)
    """

    @takes_numpy
    def __init__(
        self,
        intermediate_dim: int,
        activation: Any = "relu",
        gated: bool = False,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(intermediate_dim=intermediate_dim)
        self.supports_masking = True
        self.intermediate_dim = intermediate_dim
        self.activation = keras.activations.get(activation)
        self.gated = gated
        set_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
        )

    def build(self, inputs_shape):
        check_axes("batch, ...", inputs=inputs_shape)
        self._hidden_dense = build_dense(
            self,
            "hidden",
            self.intermediate_dim,
            inputs_shape,
            activation=self.activation,
        )
        if self.gated:
            self._gate_dense = build_dense(
                self, "gate", self.intermediate_dim, inputs_shape
            )
        self._output_dense = build_dense(
            self,
            "output",
            inputs_shape[-1],
            (*inputs_shape[:-1], self.intermediate_dim),
        )

    @property
    def hidden_dense(self) -> keras.layers.Dense:
        """The projection that is activated."""
        return self._hidden_dense

    @property
    def gate_dense(self) -> keras.layers.Dense | None:
        """The linear one beside it, if there is one."""
        return self._gate_dense if self.gated else None

    @property
    def output_dense(self) -> keras.layers.Dense:
        """The projection to the outputs."""
        return self._output_dense

    def call(self, inputs):
        hidden = apply_dense(self._hidden_dense, inputs)
        if self.gated:
            hidden = hidden * apply_dense(self._gate_dense, inputs)
        return apply_dense(self._output_dense, hidden)

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape)

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "intermediate_dim": self.intermediate_dim,
            "activation": keras.activations.serialize(self.activation),
            "gated": self.gated,
            **serialize_options(self),
        }
