"""Weights and arguments of Keras's own attention layers."""

from typing import Any

import keras


def copy_from_keras(make: Any, layer: keras.layers.Layer) -> Any:
    """Make our layer from Keras's, with its weights.

    Args:
        make: our `MultiHeadAttention`.
        layer: a built `keras.layers.MultiHeadAttention` or
            `keras.layers.GroupQueryAttention`.

    Raises:
        ValueError: if `layer` is another layer, or not built.
    """
    grouped = isinstance(layer, keras.layers.GroupQueryAttention)
    if not grouped and not isinstance(layer, keras.layers.MultiHeadAttention):
        raise ValueError(
            "`layer` must be a keras.layers.MultiHeadAttention or "
            f"keras.layers.GroupQueryAttention. Received: layer={layer!r}"
        )
    if not layer.built:
        raise ValueError(
            f"`layer` must be built, or it has no weights. Received: layer={layer!r}"
        )
    config = layer.get_config()
    if grouped:
        config["num_heads"] = config.pop("num_query_heads")
        config["key_dim"] = config.pop("head_dim")
    ours = make.from_config(config)
    ours.build(**layer.get_build_config()["shapes_dict"])
    ours.set_weights(layer.get_weights())
    return ours
