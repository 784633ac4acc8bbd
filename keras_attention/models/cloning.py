"""Copies by `keras.models.clone_model` that have the class of their original."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import keras

from keras_attention.layers.sublayers import call_that_copies

Constructor = TypeVar("Constructor", bound=Callable[..., None])


def clones_as_itself(constructor: Constructor) -> Constructor:
    """Let `keras.models.clone_model` make a model of this class, not a plain one.

    That calls a class with the tensors of the copy if its constructor takes any
    arguments. The layers of these tensors are then the arguments of the constructor,
    as the model's `parts_of_copy(copy_of)` says, where `copy_of` gives the copy of a
    layer.
    """

    @functools.wraps(constructor, updated=())
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        tensors = keras.tree.flatten(args)
        if tensors and all(isinstance(t, keras.KerasTensor) for t in tensors):
            kwargs = {**_parts_of_copy(*args), **kwargs}
            args = ()
        constructor(self, *args, **kwargs)

    return cast(Constructor, wrapped)


def _parts_of_copy(inputs: Any, outputs: Any) -> dict[str, Any]:
    call = call_that_copies()
    if call is None:
        raise ValueError(
            "This model is made of layers, not of tensors. "
            f"Received: inputs={inputs}, outputs={outputs}"
        )
    original = call["model"]
    for name in ("input_tensors", "call_function"):
        if call.get(name) is not None:
            raise ValueError(
                f"A {type(original).__name__} is copied with inputs and calls of its "
                f"own. Received: {name}={call[name]!r}"
            )
    layers = keras.Model(inputs, outputs).layers
    copies = dict(zip(map(id, original.layers), layers, strict=True))
    return original.parts_of_copy(lambda layer: copies[id(layer)])
