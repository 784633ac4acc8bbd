"""The weights of a model's attention layers."""

import inspect
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_attention.inspection.watching import (
    check_model,
    layers_of,
    path_of,
    returns_attention_scores,
    watched,
)


def attention_maps(model: keras.Model, inputs: Any) -> dict[str, np.ndarray]:
    """The weights of each attention layer of a built model, on some inputs.

    The model is called once, as it is: it is neither rebuilt nor changed. Layers are
    found wherever they are, in blocks and in models inside the model. Those of this
    package, those of Keras and all others count that take `return_attention_scores`.

    Args:
        model: any built Keras model.
        inputs: what the model is called on.

    Returns:
        Weights as float32 by the paths of layers, which for a layer of the model itself
        are their names; of a layer called several times, by `path`, `path#2` and so on.
        Of a block that hands its weights out from within, those of its attention
        layers.

    Raises:
        ValueError: if `model` is not a built Keras model.

    Example:
    >>> from keras_attention.layers import MultiHeadAttention
    >>> inputs = keras.Input((5, 8))
    >>> outputs = MultiHeadAttention(2, 4, name="heads")(inputs, inputs)
    >>> maps = attention_maps(keras.Model(inputs, outputs), np.ones((3, 5, 8)))
    >>> {name: weights.shape for name, weights in maps.items()}
    {'heads': (3, 2, 5, 5)}
    """
    check_model(model)
    maps: dict[str, np.ndarray] = {}

    def record(layer, call, args, kwargs):
        bound = inspect.signature(call).bind(*args, **kwargs)
        is_asked = bound.arguments.get("return_attention_scores", False)
        bound.arguments["return_attention_scores"] = True
        known = len(maps)
        output, weights, *rest = call(*bound.args, **bound.kwargs)
        if len(maps) == known:  # else it is a block around layers that gave theirs
            maps[_unused(path_of(layer), maps)] = ops.convert_to_numpy(
                ops.cast(weights, "float32")
            )
        results = (output, weights, *rest) if is_asked else (output, *rest)
        return results if len(results) > 1 else output

    with watched(filter(returns_attention_scores, layers_of(model)), record):
        model(inputs, training=False)
    return maps


def _unused(name: str, maps: dict[str, np.ndarray]) -> str:
    times = 1 + sum(known.split("#")[0] == name for known in maps)
    return name if times == 1 else f"{name}#{times}"
