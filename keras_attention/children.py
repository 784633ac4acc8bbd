"""Layers given to other layers as arguments."""

import re
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


def quantized_dtype(layer: keras.layers.Layer) -> dict[str, Any]:
    """The `dtype` of a configuration, where quantized children need it to say so.

    `Model.quantize` changes children of which the configuration of `layer` says
    nothing; made anew, they would not take the weights of quantized ones.

    Args:
        layer: whose children, and theirs, may be quantized.

    Returns:
        `{"dtype": ...}` with the policies of the quantized children, or nothing.
    """
    default, policies = layer.dtype_policy, {}
    if isinstance(default, keras.dtype_policies.DTypePolicyMap):
        default = default.default_policy
    for child in layer._flatten_layers(include_self=False):
        # A child that was built by itself has a configuration of its own.
        is_own = (child.path or "").startswith(f"{layer.path}/")
        if is_own and child.quantization_mode is not None:
            policy = child.dtype_policy
            if isinstance(policy, keras.dtype_policies.DTypePolicyMap):
                policy = policy[child.path]
            # Loading may build it in another place, so the path above is left open.
            path = layer.name + child.path.removeprefix(layer.path)
            policies[f"(.*/)?{re.escape(path)}"] = policy
    if not policies:
        return {}
    policy = keras.dtype_policies.DTypePolicyMap(default.name, policies)
    return {"dtype": keras.dtype_policies.serialize(policy)}
