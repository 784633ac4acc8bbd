"""The weights of a layer by name, and others put in their place.

Names are those of the layers inside, with slashes between them, such as
`self_attention/query/kernel` in a `TransformerEncoder`. They are found by the layers
themselves, since the paths that Keras keeps change when a model is loaded.
"""

from collections.abc import Mapping

import keras
import numpy as np


def named_weights(layer: keras.layers.Layer) -> dict[str, keras.Variable]:
    """The weights of a built layer, by their names inside it.

    What stands in several places has the name of the first.

    Raises:
        ValueError: when two have the same name.
    """
    found: dict[str, keras.Variable] = {}
    inner: set[int] = set()
    for part in layer._flatten_layers(include_self=False, recursive=False):
        for name, weight in named_weights(part).items():
            if id(weight) not in inner:
                _add(found, f"{part.name}/{name}", weight)
            inner.add(id(weight))
    for weight in layer.weights:
        if id(weight) not in inner:
            _add(found, weight.name, weight)
    return found


def assign_weights(
    layer: keras.layers.Layer, values: Mapping[str, np.ndarray], where: str
) -> None:
    """Set all weights of a built layer.

    Args:
        layer: whose weights they are.
        values: for each name of `named_weights`.
        where: what the values are of, for messages.

    Raises:
        ValueError: for a value that is missing, too many, or of another shape.
    """
    own = named_weights(layer)
    if own.keys() != values.keys():
        raise ValueError(
            f"{where} must have the weights {sorted(own)}. Received: {sorted(values)}"
        )
    for name, weight in own.items():
        if tuple(weight.shape) != np.shape(values[name]):
            raise ValueError(
                f"{where} must have a {name} of shape {tuple(weight.shape)}. "
                f"Received: shape={np.shape(values[name])}"
            )
    for name, weight in own.items():
        weight.assign(values[name])


def _add(found, name, weight):
    if name in found and found[name] is not weight:
        raise ValueError(f"two weights are called {name!r}")
    found[name] = weight
