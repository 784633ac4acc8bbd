"""The dense children of the layers, built the same way everywhere."""

from typing import Any

import keras


def build_dense(
    owner: keras.layers.Layer, name: str, units: int, input_shape: Any, **options: Any
) -> keras.layers.Dense:
    """Make a dense child of `owner` with its dtype policy, and build it.

    Args:
        owner: the layer whose child it becomes.
        name: of the child.
        units: width of its output.
        input_shape: of its input; only the last axis counts.
        **options: of `keras.layers.Dense`. Initializers are cloned: one shared object
            would give kernels of one shape the same values.
    """
    for option in ("kernel_initializer", "bias_initializer"):
        if isinstance(options.get(option), keras.initializers.Initializer):
            options[option] = options[option].clone()
    dense = keras.layers.Dense(units, dtype=owner.dtype_policy, name=name, **options)
    dense.build(input_shape)
    return dense
