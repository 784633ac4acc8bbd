"""What a row of the table in `tests/cases.py` says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import keras
import numpy as np

SIZES = {"batch": 3, "target": 5, "source": 7}
VOCABULARY = 11


@dataclass(frozen=True)
class Axes:
    """The axes of a tensor: words for those of any size, numbers for the others."""

    sizes: tuple[str | int, ...]
    kind: str = "float"

    def shape(self, unknown: tuple[str, ...] = ()) -> tuple[int | None, ...]:
        """The shape in this table, with `None` for the axes that are unknown."""
        return tuple(
            None if size in unknown else SIZES.get(size, size) for size in self.sizes
        )

    def without(self, word: str) -> "Axes":
        """These axes, but for a word of size zero."""
        return replace(self, sizes=tuple(0 if s == word else s for s in self.sizes))

    def symbol(self, unknown: tuple[str, ...] = ()) -> keras.KerasTensor:
        """A symbolic input of that shape."""
        batch, *shape = self.shape(unknown)
        dtype = {"ids": "int32", "mask": "bool"}.get(self.kind, "float32")
        return keras.Input(shape, batch_size=batch, dtype=dtype)

    def value(self, random: np.random.Generator) -> np.ndarray:
        """Random content: vectors, or ids or a mask that pad each row's end."""
        shape = self.shape()
        if self.kind in ("float", "float32"):
            return random.normal(size=shape).astype("float32")
        lengths = shape[-1] - np.arange(np.prod(shape[:-1])).reshape(shape[:-1]) % 3
        is_real = np.arange(shape[-1]) < lengths[..., None]
        if self.kind == "mask":
            return is_real
        return np.where(is_real, random.integers(1, VOCABULARY, shape), 0).astype(
            "int32"
        )


def tensor(*sizes: str | int) -> Axes:
    """A float tensor."""
    return Axes(sizes)


def precise(*sizes: str | int) -> Axes:
    """A tensor that is float32 under every dtype policy."""
    return Axes(sizes, "float32")


def ids(*sizes: str | int) -> Axes:
    """A tensor of token ids."""
    return Axes(sizes, "ids")


def mask(*sizes: str | int) -> Axes:
    """A boolean tensor."""
    return Axes(sizes, "mask")


@dataclass(frozen=True, eq=False)
class Case:
    """One row of the table.

    Attributes:
        cls: the layer.
        arguments: of its constructor; a `partial` or a class is a child, made anew each
            time.
        inputs: names and nested axes of the tensors it is called on.
        outputs: nested axes of what it returns.
        call: further arguments of the call.
        without_effect: ends of the paths of weights that cannot change the outputs.
        differentiable: whether outputs have gradients on every backend.
        needed: axes along which something must lie.
    """

    cls: type[keras.layers.Layer]
    arguments: Mapping[str, Any]
    inputs: Mapping[str, Any]
    outputs: Any
    call: Mapping[str, Any] = field(default_factory=dict)
    without_effect: tuple[str, ...] = ()
    differentiable: bool = True
    needed: tuple[str, ...] = ()

    def make(self) -> keras.layers.Layer:
        """The layer, with children of its own."""
        return self.cls(**{name: _fresh(part) for name, part in self.arguments.items()})

    def symbols(self, *unknown: str) -> dict[str, Any]:
        """Symbolic inputs."""
        return _map_axes(lambda axes: axes.symbol(unknown), self.inputs)

    def values(self) -> dict[str, Any]:
        """The same random inputs at each call."""
        random = np.random.default_rng(97)
        return _map_axes(lambda axes: axes.value(random), self.inputs)

    def shapes(self, *unknown: str) -> dict[str, Any]:
        """The shapes of the inputs."""
        return _map_axes(lambda axes: axes.shape(unknown), self.inputs)

    def emptied(self) -> dict[str, "Case"]:
        """By each axis that may be of size zero, this row with nothing along it."""
        words: set[str | int] = set()
        _map_axes(lambda axes: words.update(axes.sizes), self.inputs)
        return {
            word: self._without(word)
            for word in SIZES
            if word in words and word not in self.needed
        }

    def _without(self, word):
        def empty(axes):
            return axes.without(word)

        inputs, outputs = (
            _map_axes(empty, part) for part in (self.inputs, self.outputs)
        )
        return replace(self, inputs=inputs, outputs=outputs)


def _fresh(argument):
    if isinstance(argument, list):
        return [_fresh(part) for part in argument]
    is_child = isinstance(argument, type | partial)
    return argument() if is_child else argument


def _map_axes(function, structure):
    if isinstance(structure, Axes):
        return function(structure)
    if isinstance(structure, Mapping):
        return {name: _map_axes(function, part) for name, part in structure.items()}
    return type(structure)(_map_axes(function, part) for part in structure)


# Arguments and tensors that many rows share.
SCORES = {"return_attention_scores": True}
KEY_BIAS = ("key/bias",)  # It moves all scores of a query alike.
QUERY, VALUE = tensor("batch", "target", 13), tensor("batch", "source", 13)
WEIGHTS = tensor("batch", "target", "source")
HEAD_WEIGHTS = tensor("batch", 2, "target", "source")
DIM = 14
SEQUENCE, MEMORY = tensor("batch", "target", DIM), tensor("batch", "source", 19)
SOURCE = {
    "inputs": tensor("batch", "source", DIM),
    "padding_mask": mask("batch", "source"),
}
