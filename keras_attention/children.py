"""Layers given to other layers as arguments."""

from typing import Any

import keras


def restore(value: Any) -> Any:
    """Turn the configuration of a Keras object back into it; leave the rest alone."""
    if isinstance(value, dict) and "class_name" in value:
        return keras.saving.deserialize_keras_object(value)
    return value


def serialize_shared(layer: Any) -> Any:
    """The configuration of a layer that several others may have in common."""
    # Keras marks an object as shared when it sees it for the second time, in the first
    # configuration too, but by then the one nested in another has been copied.
    keras.saving.serialize_keras_object(layer)
    return keras.saving.serialize_keras_object(layer)


def build_once(layer: keras.layers.Layer, *shapes: Any) -> None:
    """Build a layer that its caller may have built already, as loading does."""
    if not layer.built:
        layer.build(*shapes)
