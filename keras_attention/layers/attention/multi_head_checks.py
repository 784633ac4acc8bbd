"""Which arguments of `MultiHeadAttention` go together."""

import inspect
from typing import Any

import keras

from keras_attention.argument_checks import (
    check_divides,
    check_positive,
    check_positive_number,
    check_rate,
)
from keras_attention.layers.positions.distance_bias import DistanceBias
from keras_attention.layers.positions.rotary_embedding import RotaryEmbedding


def check_options(layer: Any) -> None:
    """Raise for arguments of `MultiHeadAttention` that are wrong or exclude others."""
    check_positive(num_heads=layer.num_heads, key_dim=layer.key_dim)
    for name in (
        "value_dim",
        "sliding_window",
        "num_key_value_heads",
        "chunk_size",
    ):
        if getattr(layer, name) is not None:
            check_positive(**{name: getattr(layer, name)})
    axes = layer._output_axes
    if axes is not None and (
        not axes or not all(isinstance(size, int) and size > 0 for size in axes)
    ):
        raise ValueError(
            "Invalid `output_shape`: it must be a positive integer or several. "
            f"Received: output_shape={axes}"
        )
    if layer.num_key_value_heads is not None:
        check_divides(
            "num_key_value_heads",
            layer.num_key_value_heads,
            "num_heads",
            layer.num_heads,
        )
    check_rate(dropout=layer.dropout)
    if layer.soft_cap is not None:
        check_positive_number(soft_cap=layer.soft_cap)
    if not isinstance(layer.position, None | RotaryEmbedding | DistanceBias):
        raise ValueError(
            "`position` must be a RotaryEmbedding, AlibiBias or "
            f"RelativePositionBias. Received: position={layer.position!r}"
        )
    if isinstance(layer.position, RotaryEmbedding) and layer.key_dim % 2:
        raise ValueError(
            "`key_dim` must be even, as a RotaryEmbedding turns features in pairs. "
            f"Received: key_dim={layer.key_dim}"
        )
    if layer.flash_attention:
        _check_flash_attention(layer)


def check_layer_options(cls: type[keras.layers.Layer], options: dict[str, Any]) -> None:
    """Raise for options of a constructor that `keras.layers.Layer` does not know.

    Those of `MultiHeadAttention` would reach it, and be no part of a configuration.
    """
    known = inspect.signature(keras.layers.Layer.__init__).parameters
    unknown = {name: value for name, value in options.items() if name not in known}
    if unknown:
        raise ValueError(
            f"{cls.__name__} does not take these arguments. Received: {unknown}"
        )


def _check_flash_attention(layer):
    if layer.dropout:
        raise ValueError(
            "Dropout is not supported when flash attention is enabled. "
            f"Received: flash_attention=True, dropout={layer.dropout}"
        )
    for name, value in {
        "position": layer.position
        if isinstance(layer.position, DistanceBias)
        else None,
        "soft_cap": layer.soft_cap,
        "chunk_size": layer.chunk_size,
    }.items():
        if value is not None:
            raise ValueError(
                f"`flash_attention` cannot be combined with this `{name}`. "
                f"Received: flash_attention=True, {name}={value!r}"
            )
