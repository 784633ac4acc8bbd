"""The normalizations of Transformer blocks."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import check_choice
from keras_attention.layers.sublayers import restore

NORMALIZATIONS = ("layer", "rms")


class LayerNormalization(keras.layers.LayerNormalization):
    """`keras.layers.LayerNormalization` of the last axis, faster on TensorFlow.

    XLA, and so JAX, derives a fast gradient by itself, and PyTorch brings one.
    """

    def call(self, inputs, training=False):
        if keras.backend.backend() != "tensorflow":
            return super().call(inputs)
        normalize = functional.standardize
        if training:
            normalize = functional.normalize_layer
        outputs = normalize(inputs, self.gamma, self.beta, self.epsilon)
        return ops.cast(outputs, self.compute_dtype)


class Normalization:
    """The kind of the normalizations of a block, from which each is made.

    Args:
        kind: one of `NORMALIZATIONS`; or a layer, which each sublayer has a copy of.

    Raises:
        ValueError: for something else.
    """

    def __init__(self, kind: Any) -> None:
        self.kind = restore(kind)
        if not isinstance(self.kind, keras.layers.Layer):
            check_choice(NORMALIZATIONS, normalization=self.kind)

    def serialize(self) -> Any:
        """What a configuration says of it."""
        if isinstance(self.kind, str):
            return self.kind
        return keras.saving.serialize_keras_object(self.kind)

    def build(
        self, owner: keras.layers.Layer, epsilon: float, shape: Any, name: str
    ) -> keras.layers.Layer:
        """Make and build a normalization of the last axis as a child of `owner`.

        Args:
            owner: the layer whose child it becomes.
            epsilon: added to the variance; a layer has its own.
            shape: of its input.
            name: of the child.
        """
        if isinstance(self.kind, str):
            make = {"layer": LayerNormalization, "rms": keras.layers.RMSNormalization}
            normalization = make[self.kind](
                epsilon=epsilon, dtype=owner.dtype_policy, name=name
            )
        else:
            config = {**_unshared(self.kind.get_config()), "name": name}
            normalization = type(self.kind).from_config(config)
        normalization.build(shape)
        # Keras's RMSNormalization hands masks on without saying so, and warns.
        for part in normalization._flatten_layers():
            part.supports_masking = True
        return normalization


def _unshared(config: Any) -> Any:
    """A configuration whose parts are new ones each time.

    While Keras reads a file, it marks what it has met before, and would put one layer
    into all that are made of this.
    """
    if isinstance(config, dict):
        kept = {key: part for key, part in config.items() if key != "shared_object_id"}
        return {key: _unshared(part) for key, part in kept.items()}
    return [*map(_unshared, config)] if isinstance(config, list | tuple) else config
