"""What is compiled of a model, for as long as the model stays as it is."""

import operator
from collections.abc import Callable
from typing import Any


class UpToDate:
    """Keeps what was made of a model, and makes it again when the model has changed.

    A model changes by another layer, variable or dtype policy: when it is quantized,
    gets adapters, or has a part replaced. New values of its variables are no change.

    Args:
        make: called with the model and the further arguments.
    """

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._made: Any = None
        self._arguments: tuple[Any, ...] | None = None
        self._model: Any = None
        # They are kept, so that no other part gets the identity of one.
        self._parts: list[tuple[Any, list[Any]]] = []

    def __call__(self, model: Any, *arguments: Any) -> Any:
        """What was made of a model and arguments equal to these."""
        is_same = model is self._model and all(
            _are_same(_parts(layer), parts) for layer, parts in self._parts
        )
        if not is_same or arguments != self._arguments:
            self._made = self._make(model, *arguments)
            self._model, self._arguments = model, arguments
            # What is made may build the model.
            layers: Any = getattr(model, "_flatten_layers", list)()
            self._parts = [(layer, _parts(layer)) for layer in layers]
        return self._made


def _parts(layer: Any) -> list[Any]:
    """What a graph of a layer is bound to, but for what the layers in it are."""
    # `layer.variables` gives the same a hundred times slower.
    return [
        layer.dtype_policy,
        *layer._trainable_variables,
        *layer._non_trainable_variables,
        *layer._layers,
    ]


def _are_same(some: list[Any], others: list[Any]) -> bool:
    return len(some) == len(others) and all(map(operator.is_, some, others))
