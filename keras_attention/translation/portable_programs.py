"""Functions of a model as StableHLO, which XLA compiles: one operation each."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.compiler.mlir.stablehlo import stablehlo
from tensorflow.compiler.tf2xla.python import xla

from keras_attention.translation.model_graphs import make_graph, of_weights
from keras_attention.translation.weights import Weights

_VERSION = 9  # of the operation that calls a module, which TensorFlow 2.16 knows
# What TensorFlow writes beside StableHLO, and what it is without that.
_OWN = (
    (r"module (@\S+) attributes \{mhlo\.[^\n]*\} \{", r"module \1 {"),
    (r"(, )?mhlo\.frontend_attributes = \{[^}]*\}", ""),
    (r"mhlo\.copy (\S+) : (tensor<[^>]*>)", r"stablehlo.reshape \1 : (\2) -> \2"),
)


class PortablePrograms:
    """Programs of one function of a model, each for inputs of one shape.

    A program is a module of StableHLO, which a SavedModel holds as one operation, and
    which XLA of any later version compiles, for any kind of device. What cannot be
    written so is a graph of TensorFlow for all shapes, with the same outputs.

    Args:
        function: of nested structures of tensors, to one.
        signature: what it takes, nested structures of `tf.TensorSpec`, of which two
            axes are open, those of rows and of lengths.
        weights: of the model, which the function reads, and changes none.

    Attributes:
        found: what the function gives, as far as shapes are known.
    """

    def __init__(
        self, function: Callable[..., Any], signature: Sequence[Any], weights: Weights
    ) -> None:
        self._signature = [*signature]
        self._weights = weights

        def of_flat(*inputs):
            return function(*tf.nest.pack_sequence_as(self._signature, inputs))

        self._graph = make_graph(
            of_weights(of_flat, weights),
            [*tf.nest.flatten(self._signature), weights.specs],
            is_compiled=True,
        )
        self._traced = self._graph.get_concrete_function()
        self.found = self._traced.structured_outputs

    def of_shape(self, rows: int, length: int) -> Callable[..., Any]:
        """The program for so many rows of a length.

        It takes what the function takes, and a bundle of the weights.
        """
        specs = [
            _with_sizes(spec, [rows, length])
            for spec in tf.nest.flatten(self._signature)
        ]
        module = self._module(specs)
        graph = self._graph if module is None else self._calling(module, specs)

        def call(*inputs):
            *given, bundle = inputs
            flat = [
                tf.ensure_shape(one, spec.shape)
                for one, spec in zip(tf.nest.flatten(given), specs, strict=True)
            ]
            return graph(*flat, self._weights.unbundle(bundle))

        return call

    def _calling(self, module, specs):
        """The graph that calls a module."""
        parts = tf.nest.flatten(self.found)

        def call(*inputs):
            outputs = xla.call_module(
                tf.nest.flatten(inputs),
                version=_VERSION,
                module=module,
                Tout=[part.dtype for part in parts],
                Sout=[part.shape for part in parts],
                platforms=["CPU"],
                disabled_checks=[xla.call_module_disable_check_platform()],
            )
            return tf.nest.pack_sequence_as(self.found, outputs)

        return make_graph(call, [*specs, self._weights.specs], is_compiled=True)

    def _module(self, specs):
        """The module for inputs of some shapes, or `None` if there is none."""
        if self._traced.captured_inputs:  # as of layers with tables of their own
            return None
        inputs = [tf.zeros(spec.shape, spec.dtype) for spec in specs]
        write = self._graph.experimental_get_compiler_ir(*inputs, self._weights.read())
        text = write("stablehlo", platform_name="CPU")
        for own, instead in _OWN:
            text = re.sub(own, instead, text)
        if "mhlo." in text:
            return None
        version = stablehlo.get_minimum_version()
        return stablehlo.serialize_portable_artifact_str(text, version)


class ChangingPrograms:
    """The same of a function that changes variables, such as the states of seeds.

    It is one graph for all shapes, which reads the variables itself.
    """

    def __init__(self, function: Callable[..., Any], signature: Sequence[Any]) -> None:
        self._graph = make_graph(function, signature, is_compiled=True)
        self.found = self._graph.get_concrete_function().structured_outputs

    def of_shape(self, rows: int, length: int) -> Callable[..., Any]:
        """As of `PortablePrograms`."""
        return lambda *inputs: self._graph(*inputs[:-1])


def _with_sizes(spec, sizes):
    """What a program takes whose rows and lengths are known."""
    shape = [
        sizes[axis] if size is None else size for axis, size in enumerate(spec.shape)
    ]
    return tf.TensorSpec(shape, spec.dtype)
