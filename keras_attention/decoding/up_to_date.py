"""What is compiled of a model, for as long as the model stays as it is."""

from collections.abc import Callable, Iterator
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
        # They are kept, so that no other part gets the identity of one.
        self._parts: list[Any] = []

    def __call__(self, model: Any, *arguments: Any) -> Any:
        """What was made of a model and arguments equal to these."""
        parts = [model, *_parts(model)]
        is_same = [*map(id, parts)] == [*map(id, self._parts)]
        if not is_same or arguments != self._arguments:
            self._made = self._make(model, *arguments)
            # What is made may build the model.
            self._arguments, self._parts = arguments, [model, *_parts(model)]
        return self._made


def _parts(model: Any) -> Iterator[Any]:
    """What a graph of a model is bound to."""
    # `model.variables` gives the same a hundred times slower.
    for layer in model._flatten_layers() if hasattr(model, "_flatten_layers") else ():
        yield layer
        yield layer.dtype_policy
        yield from layer._trainable_variables
        yield from layer._non_trainable_variables
