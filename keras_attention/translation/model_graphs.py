"""Functions of a model as graphs of few operations, which load and compile soon."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2, rewriter_config_pb2
from tensorflow.python.grappler import tf_optimizer

from keras_attention.translation.weights import Weights

# What joins what Keras's layers ask for again and again, such as shapes.
_OPTIMIZERS = (
    "shape",
    "constfold",
    "arithmetic",
    "dependency",
    "common_subgraph_elimination",
)


def make_model_graph(
    function: Callable[..., Any], signature: Sequence[Any], weights: Weights
) -> Any:
    """The graph of a function of a model, by half the operations that it is traced to.

    Args:
        function: of nested structures of tensors, to one.
        signature: what it takes, nested structures of `tf.TensorSpec`.
        weights: of the model, which the function reads, and changes none.
    """
    all_inputs = [*signature, weights.specs]
    graph = make_graph(of_weights(function, weights), all_inputs)
    traced = graph.get_concrete_function()
    if not traced.captured_inputs:  # as of layers with tables of their own
        graph = make_graph(_simplify(traced), all_inputs)
    return make_graph(lambda *inputs: graph(*inputs, weights.read()), signature)


def of_weights(function: Callable[..., Any], weights: Weights) -> Callable[..., Any]:
    """The same function of what it takes and of the tensors of its weights."""

    def call(*inputs):
        *given, tensors = inputs
        with keras.StatelessScope(state_mapping=weights.by_variable(tensors)):
            return function(*given)

    return call


def make_graph(
    function: Callable[..., Any], signature: Sequence[Any], is_compiled: bool = False
) -> Any:
    """The graph of a function that has no loops of Python's own."""
    # Loops are those of `keras.ops` already, and without autograph a graph is made
    # sooner.
    return tf.function(
        function, [*signature], autograph=False, jit_compile=is_compiled or None
    )


def _simplify(graph):
    """A function that does what a graph does, by as few operations as there can be."""
    inputs = [tensor.name for tensor in graph.inputs]
    outputs = [tensor.name for tensor in graph.outputs]
    meta = meta_graph_pb2.MetaGraphDef(graph_def=graph.graph.as_graph_def())
    meta.collection_def["train_op"].node_list.value.extend([*inputs, *outputs])
    config = config_pb2.ConfigProto()
    rewrites = config.graph_options.rewrite_options
    rewrites.min_graph_nodes = -1
    rewrites.optimizers.extend(_OPTIMIZERS)
    rewrites.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.TWO
    simplified = tf_optimizer.OptimizeGraph(config, meta)
    _rename_functions(simplified)
    wrapped = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(simplified, name=""), []
    )
    sides = (map(wrapped.graph.as_graph_element, names) for names in (inputs, outputs))
    pruned = wrapped.prune(*map(list, sides))

    def call(*arguments):
        found = pruned(*tf.nest.flatten(arguments))
        for tensor, known in zip(found, graph.outputs, strict=True):
            tensor.set_shape(known.shape)
        return tf.nest.pack_sequence_as(graph.structured_outputs, found)

    return call


def _rename_functions(graph_def):
    """Give functions names beside those of which they were made."""
    functions = graph_def.library.function
    names = {
        one.signature.name: f"{one.signature.name}_simplified" for one in functions
    }
    for nodes in [graph_def.node, *(one.node_def for one in functions)]:
        for node in nodes:
            node.op = names.get(node.op, node.op)
            for value in node.attr.values():
                for called in [value.func, *value.list.func]:
                    if called.name in names:
                        called.name = names[called.name]
    for one in functions:
        one.signature.name = names[one.signature.name]
