"""Seeing the calls of a model's layers while it runs."""

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras

Around = Callable[[Any, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]


@contextlib.contextmanager
def watched(operations: Iterable[Any], around: Around) -> Iterator[None]:
    """Let `around(operation, call, args, kwargs)` stand for each operation's `call`.

    Only the instances are touched, and left as they were at the end.
    """
    before = []
    try:
        for operation in operations:
            attributes = vars(operation)
            before.append((attributes, attributes.get("call")))
            attributes["call"] = _surrounded(operation, operation.call, around)
        yield
    finally:
        for attributes, call in before:
            if call is None:
                del attributes["call"]
            else:
                attributes["call"] = call


def returns_attention_scores(layer: Any) -> bool:
    """Whether a layer gives its weights out when it is asked to."""
    return "return_attention_scores" in inspect.signature(layer.call).parameters


def layers_of(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """All layers inside a layer or model, however deep."""
    return layer._flatten_layers(include_self=False)


def path_of(operation: Any) -> str:
    """The path of a layer in its model, the name of another operation."""
    return getattr(operation, "path", None) or operation.name


def check_model(model: Any) -> None:
    """Raise unless it is a built Keras model."""
    if not isinstance(model, keras.Model) or not model.built:
        raise ValueError(
            f"`model` must be a built Keras model. Received: model={model!r}"
        )


def _surrounded(operation, call, around):
    def surrounded(*args, **kwargs):
        return around(operation, call, args, kwargs)

    return surrounded
