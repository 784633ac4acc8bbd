"""The normalizations of Transformer blocks."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.checks import check_choice

NORMALIZATIONS = ("layer", "rms")


class LayerNormalization(keras.layers.LayerNormalization):
    """`keras.layers.LayerNormalization` of the last axis, trained faster on TensorFlow.

    XLA, and so JAX, derives a fast gradient by itself, and PyTorch brings one.
    """

    def call(self, inputs, training=False):
        if not training or keras.backend.backend() != "tensorflow":
            return super().call(inputs)
        outputs = functional.normalize_layer(
            inputs, self.gamma, self.beta, self.epsilon
        )
        return ops.cast(outputs, self.compute_dtype)


def build_normalization(
    owner: keras.layers.Layer, kind: str, epsilon: float, shape: Any, name: str
) -> keras.layers.Layer:
    """Make and build a normalization of the last axis as a child of `owner`."""
    check_choice(NORMALIZATIONS, normalization=kind)
    make = {"layer": LayerNormalization, "rms": keras.layers.RMSNormalization}[kind]
    normalization = make(epsilon=epsilon, dtype=owner.dtype_policy, name=name)
    normalization.build(shape)
    # Keras's RMSNormalization hands masks on without saying so, and warns.
    normalization.supports_masking = True
    return normalization
