"""Layers given to other layers as arguments."""

import contextlib
import contextvars
import inspect
import re
from collections.abc import Iterator
from typing import Any

import keras

_known_within: contextvars.ContextVar[dict[str, dict[int, Any]] | None] = (
    contextvars.ContextVar("_known_within", default=None)
)


@contextlib.contextmanager
def shared_within() -> Iterator[None]:
    """What several layers have in common is one, among all that its body serializes.

    Likewise among all that its body restores.
    """
    token = _known_within.set({})
    try:
        yield
    finally:
        _known_within.reset(token)


def restore(value: Any) -> Any:
    """Turn the configuration of a Keras object back into it; leave the rest alone.

    Where Keras copies a whole model, what its layers have in common is made once.
    """
    if not isinstance(value, dict) or "class_name" not in value:
        return value
    made, identity = _known_to_this_copy("made"), value.get("shared_object_id")
    if made is None or identity is None:
        return keras.saving.deserialize_keras_object(value)
    if identity not in made:
        made[identity] = keras.saving.deserialize_keras_object(value)
    return made[identity]


def serialize_shared(layer: Any) -> Any:
    """The configuration of a layer that several others may have in common."""
    # Keras marks an object as shared when it sees it for the second time, in the first
    # configuration too, but by then the one nested in another has been copied.
    keras.saving.serialize_keras_object(layer)
    config = keras.saving.serialize_keras_object(layer)
    if layer is not None:
        # Its owner builds it. Keras would do so before, and a layer that has no `build`
        # of its own would count as built with nothing in it.
        config.pop("build_config", None)
    known = _known_to_this_copy("seen")
    if layer is not None and known is not None:
        # It does so for files alone, and not for `clone_model` and `get_config`.
        number = known.setdefault(id(layer), len(known) + 1)
        config.setdefault("shared_object_id", number)
    return config


def call_that_copies() -> Any:
    """The arguments of the call by which Keras is copying a whole model, or `None`.

    They are those of the outermost `keras.models.clone_model`, or `get_config` or
    `from_config` of a model, that is still running.
    """
    frame, outermost = inspect.currentframe(), None
    while frame is not None:
        if _copies_a_model(frame):
            outermost = frame
        frame = frame.f_back
    return None if outermost is None else outermost.f_locals


def _known_to_this_copy(what: str) -> dict[int, Any] | None:
    """What a copy has `"seen"`, by identity, or `"made"`, by number.

    Keras asks the layers of a model one by one, each without a word of the others. So
    what they have in common is kept with the call, and is gone when that returns.
    """
    call = call_that_copies()
    if call is not None:
        return call.setdefault(f"_keras_attention_{what}", {})
    within = _known_within.get()
    return None if within is None else within.setdefault(what, {})


def _copies_a_model(frame: Any) -> bool:
    code = frame.f_code
    if code.co_name not in ("get_config", "from_config", "clone_model"):
        return False
    subject = frame.f_locals.get(code.co_varnames[0])
    kind = subject if isinstance(subject, type) else type(subject)
    return issubclass(kind, keras.Model)


def build_once(layer: keras.layers.Layer, *shapes: Any) -> None:
    """Build a layer that its caller may have built already, as loading does."""
    if not layer.built:
        layer.build(*shapes)


def quantized_dtype(layer: keras.layers.Layer) -> dict[str, Any]:
    """The `dtype` of a configuration, where quantized children need it to say so.

    `Model.quantize` changes children of which the configuration of `layer` says
    nothing; rebuilt, they would not take the weights of quantized ones.

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
    # Not by `serialize`: it remembers an object by its address, which the next such
    # policy may have, and would then mark the two as one.
    return {
        "dtype": {
            "module": "keras.dtype_policies",
            "class_name": "DTypePolicyMap",
            "config": policy.get_config(),
            "registered_name": None,
        }
    }
