"""The dense children of the layers, made the same way everywhere."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.tensor import Tensor

# What users may set of the projections of a layer, and Keras's module for each kind.
OPTIONS = {
    "kernel_initializer": keras.initializers,
    "bias_initializer": keras.initializers,
    "kernel_regularizer": keras.regularizers,
    "bias_regularizer": keras.regularizers,
    "kernel_constraint": keras.constraints,
    "bias_constraint": keras.constraints,
}


def set_options(owner: keras.layers.Layer, **options: Any) -> None:
    """Keep the options of a layer's projections as its attributes."""
    for name, value in options.items():
        setattr(owner, name, OPTIONS[name].get(value))


def serialize_options(owner: keras.layers.Layer) -> dict[str, Any]:
    """Those of the options that a layer has, for its configuration."""
    return {
        name: module.serialize(getattr(owner, name))
        for name, module in OPTIONS.items()
        if hasattr(owner, name)
    }


def build_dense(
    owner: keras.layers.Layer, name: str, units: int, input_shape: Any, **options: Any
) -> keras.layers.Dense:
    """Make a dense child of `owner` with its options and dtype policy, and build it.

    Args:
        owner: the layer whose child it becomes.
        name: of the child.
        units: width of its output.
        input_shape: of its input; only the last axis counts.
        **options: further ones of `keras.layers.Dense`.
    """
    for option in OPTIONS:
        value = getattr(owner, option, None)
        # One initializer shared would give kernels of one shape the same values.
        if isinstance(value, keras.initializers.Initializer):
            value = value.clone()
        if value is not None:
            options.setdefault(option, value)
    dense = keras.layers.Dense(units, dtype=owner.dtype_policy, name=name, **options)
    dense.build(input_shape)
    return dense


def matrix_of(dense: keras.layers.Dense, width: int) -> Tensor:
    """What a dense layer without bias multiplies vectors `(..., width)` by.

    Quantization and adapters are a part of it.
    """
    if dense.quantization_mode is None:
        return dense.kernel
    return dense(ops.eye(width, dtype=dense.compute_dtype))


def float_kernel(dense: keras.layers.Dense) -> Tensor:
    """The kernel `(in, out)` of a dense layer in float32, adapters included.

    Raises:
        ValueError: for a quantization to other than 8 bits.
    """
    if dense.quantization_mode is None:
        return ops.cast(dense.kernel, "float32")
    if dense.quantization_mode != "int8":
        raise ValueError(
            "Kernels are read in floats or in 8-bit integers. Received: "
            f"{dense.name} quantized to {dense.quantization_mode!r}"
        )
    (stored,) = (weight for weight in dense.weights if weight.name == "kernel")
    kernel = ops.cast(stored, "float32") / ops.cast(dense.kernel_scale, "float32")
    if dense.lora_enabled:
        adapter = ops.matmul(dense.lora_kernel_a, dense.lora_kernel_b)
        kernel = kernel + dense.lora_alpha / dense.lora_rank * adapter
    return kernel


def apply_dense(dense: keras.layers.Layer, inputs: Tensor) -> Tensor:
    """Apply a dense layer to the last of several axes, as one product of two.

    Keras's product of more axes is many operations on TensorFlow where a graph does not
    know the sizes, and does not compile by XLA inside a loop.
    """
    *outer, width = functional.sizes(inputs)
    outputs = dense(ops.reshape(inputs, (-1, width)))
    return ops.reshape(outputs, (*outer, outputs.shape[-1]))
