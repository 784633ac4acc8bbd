"""Functions of a model as programs, on whichever backend Keras runs."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import keras

Call = Callable[..., Any]

_tracing = threading.RLock()  # one at a time, since layers take notes


def make_program(
    function: Call, variables: Sequence[Any], state: Sequence[Any], is_compiled: bool
) -> Call:
    """A function of tensors as one of NumPy arrays, traced once for all their sizes.

    Args:
        function: from nested structures of tensors to one.
        variables: what it reads, and `state`.
        state: the variables that it changes.
        is_compiled: whether XLA compiles it, once for each shape of the arrays; without
            effect on PyTorch.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _of_tensorflow(function, is_compiled)
    if backend == "jax" and is_compiled:
        return _of_jax(function, variables, state)
    return _at_once(function)


def not_compiled_errors() -> tuple[type[Exception], ...]:
    """What comes of operations that XLA lacks, and of states that change their shapes.

    On TensorFlow, where models run without XLA too.
    """
    if keras.backend.backend() != "tensorflow":
        return ()
    from tensorflow import errors

    return (
        errors.InvalidArgumentError,
        errors.UnimplementedError,
        TypeError,
        ValueError,
    )


def _of_tensorflow(function, is_compiled):
    import tensorflow as tf

    # Loops are those of `keras.ops` already, and without autograph a graph is made
    # sooner.
    traced = tf.function(function, autograph=False, jit_compile=is_compiled)
    graphs: list[Any] = []

    def call(*arrays):
        tensors = tf.nest.map_structure(tf.convert_to_tensor, arrays)
        if not graphs:  # calls of what is traced wait for no other that is being so
            with _tracing:
                specs = tf.nest.map_structure(of_any_size, tensors)
                graphs.append(traced.get_concrete_function(*specs))
        found = graphs[0](*tensors)
        return tf.nest.map_structure(lambda part: part.numpy(), found)

    def of_any_size(tensor):
        shape = [None, None, *tensor.shape[2:]]
        return tf.TensorSpec(shape[: tensor.shape.rank], tensor.dtype)

    return call


def _of_jax(function, variables, state):
    import jax

    @jax.jit
    def run(values, arrays):
        given = zip(variables, values, strict=True)
        with keras.StatelessScope(state_mapping=[*given]) as scope:
            found = function(*arrays)
        return found, [scope.get_current_value(variable) for variable in state]

    def call(*arrays):
        found, values = run([variable.value for variable in variables], arrays)
        for variable, value in zip(state, values, strict=True):
            variable.assign(value)
        return jax.device_get(found)

    return call


def _at_once(function):
    def call(*arrays):
        tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, arrays)
        found = _without_gradients(function, tensors)
        return keras.tree.map_structure(keras.ops.convert_to_numpy, found)

    return call


def _without_gradients(function, tensors):
    if keras.backend.backend() != "torch":
        return function(*tensors)
    import torch

    with torch.no_grad():
        return function(*tensors)
