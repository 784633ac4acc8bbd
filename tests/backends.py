"""What each backend of Keras calls differently, under one name for the tests."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_attention.functional import implicit_mask

BACKEND = keras.backend.backend()
ROOT = Path(__file__).parents[1]


def to_numpy(structure: Any) -> Any:
    """Every tensor of a nested structure as an array; bfloat16 becomes float32."""

    def convert(tensor):
        if keras.backend.standardize_dtype(tensor.dtype) == "bfloat16":
            tensor = keras.ops.cast(tensor, "float32")
        return keras.ops.convert_to_numpy(tensor)

    return keras.tree.map_structure(
        lambda part: None if part is None else convert(part), structure
    )


def to_tensors(structure: Any) -> Any:
    """Every array of a nested structure as a tensor, as layers receive them."""
    return keras.tree.map_structure(
        lambda part: None if part is None else keras.ops.convert_to_tensor(part),
        structure,
    )


def mask_of(tensor: Any) -> np.ndarray | None:
    """The implicit mask that a tensor carries, as an array."""
    mask = implicit_mask(tensor)
    return None if mask is None else to_numpy(mask)


def gradients(
    loss: Callable[[], Any], variables: Sequence[keras.Variable]
) -> list[np.ndarray]:
    """Gradients of a scalar with respect to variables; zeros where it has none."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss()
        found = tape.gradient(
            value,
            [variable.value for variable in variables],
            unconnected_gradients="zero",
        )
        return [to_numpy(tf.convert_to_tensor(gradient)) for gradient in found]
    if BACKEND == "torch":
        values = [variable.value for variable in variables]
        found = _torch_gradients(loss(), values)
        return [to_numpy(gradient) for gradient in found]
    import jax

    def stateless_loss(values):
        mapping = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return loss()

    found = jax.grad(stateless_loss)([variable.value for variable in variables])
    return [to_numpy(gradient) for gradient in found]


def input_gradient(loss: Callable[[Any], Any], inputs: np.ndarray) -> np.ndarray:
    """Gradient of a scalar function of one float tensor."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        tensor = tf.constant(inputs)
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            value = loss(tensor)
        return to_numpy(tape.gradient(value, tensor))
    if BACKEND == "torch":
        tensor = keras.ops.convert_to_tensor(inputs).requires_grad_()
        return to_numpy(_torch_gradients(loss(tensor), [tensor])[0])
    import jax

    return to_numpy(jax.grad(loss)(keras.ops.convert_to_tensor(inputs)))


def jacobian(function: Callable[[Any], Any], inputs: np.ndarray) -> np.ndarray:
    """Derivative of each output with respect to each input, outputs' axes first."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        tensor = tf.constant(inputs)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(tensor)
            outputs = function(tensor)
        # The parallel form of it crashes on the lists that a recurrence writes.
        return to_numpy(tape.jacobian(outputs, tensor, experimental_use_pfor=False))
    if BACKEND == "torch":
        import torch

        tensor = keras.ops.convert_to_tensor(inputs)
        return to_numpy(torch.autograd.functional.jacobian(function, tensor))
    import jax

    return to_numpy(jax.jacrev(function)(keras.ops.convert_to_tensor(inputs)))


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled by XLA; on PyTorch, which has none here, as it is."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True)
    if BACKEND == "torch":
        return function
    import jax

    return jax.jit(function)


def start_fresh_process(
    script: str, *arguments: Any, backend: str = BACKEND, errors: Any = None
) -> subprocess.Popen:
    """A new interpreter that runs a script, with pipes for what it reads and prints."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "PYTHONPATH": str(ROOT),
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # compiled once, run once
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )


def run_in_fresh_process(script: str, *arguments: Any, backend: str = BACKEND) -> str:
    """Run a script in a new interpreter and return what it printed."""
    with start_fresh_process(
        script, *arguments, backend=backend, errors=subprocess.PIPE
    ) as process:
        printed, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    return printed


def one_operation_at_a_time() -> contextlib.AbstractContextManager[Any]:
    """Run loops in Python, so that a test can count what they call."""
    if BACKEND != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.disable_jit()


# Elsewhere Keras's own operations, its products among them, promote to 32 bits.
HAS_DOUBLE = keras.backend.result_type("float64") == "float64"


@contextlib.contextmanager
def double_precision(floatx: bool = False) -> Iterator[None]:
    """Compute in float64, by a dtype policy or as Keras's default float type.

    JAX has that type only when told so.
    """
    _enable_double(True)
    if floatx:
        keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        _enable_double(False)


def _enable_double(on):
    if BACKEND == "jax":
        import jax

        jax.config.update("jax_enable_x64", on)


def on_unknown_shapes(
    function: Callable[[dict[str, Any]], Any],
    inputs: dict[str, Any],
    shapes: dict[str, Any],
) -> Callable[[dict[str, Any]], Any]:
    """A function as traced for inputs of `shapes`, in which `None` is any size.

    Only TensorFlow has such functions; elsewhere sizes are always known.
    """
    if BACKEND != "tensorflow":
        return function
    import tensorflow as tf

    parts = keras.tree.flatten(inputs)
    specs = [
        tf.TensorSpec(shape, part.dtype)
        for part, shape in zip(parts, _flat_shapes(shapes), strict=True)
    ]

    @tf.function(input_signature=specs)
    def traced(*parts):
        return function(keras.tree.pack_sequence_as(inputs, parts))

    return lambda inputs: traced(*keras.tree.flatten(inputs))


def _torch_gradients(value, tensors):
    import torch

    if not value.requires_grad:  # it depends on none of them
        return [torch.zeros_like(tensor) for tensor in tensors]
    found = torch.autograd.grad(value, tensors, allow_unused=True)
    return [
        torch.zeros_like(tensor) if gradient is None else gradient
        for tensor, gradient in zip(tensors, found, strict=True)
    ]


def _flat_shapes(shapes):
    if isinstance(shapes, tuple):
        return [shapes]
    if isinstance(shapes, dict):
        shapes = [shapes[name] for name in sorted(shapes)]
    return [shape for part in shapes for shape in _flat_shapes(part)]
