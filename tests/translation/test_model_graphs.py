"""Graphs of fewer operations compute what functions of models compute."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.backends import BACKEND

if BACKEND != "tensorflow":
    pytest.skip("graphs are of TensorFlow only", allow_module_level=True)

import tensorflow as tf

from keras_attention.translation.model_graphs import make_model_graph
from keras_attention.translation.portable_programs import (
    ChangingPrograms,
    PortablePrograms,
)
from keras_attention.translation.weights import Weights
from tests.small_models import SOURCE, TARGET, build

IDS = tf.TensorSpec([None, None], tf.int32)


def _count(function):
    graph_def = function.get_concrete_function().graph.as_graph_def()
    functions = graph_def.library.function
    return len(graph_def.node) + sum(len(one.node_def) for one in functions)


@pytest.mark.parametrize("architecture", ["transformer", "rnn"])
def test_a_graph_of_half_the_operations_computes_the_same(architecture):
    model = build(architecture)
    labels = TARGET[:, 1:]
    weights = Weights(model.variables)
    graph = make_model_graph(model.log_probabilities, [IDS, IDS], weights)
    found = graph(tf.constant(SOURCE), tf.constant(labels))
    expected = model.log_probabilities(SOURCE, labels)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    traced = tf.function(model.log_probabilities, [IDS, IDS], autograph=False)
    assert _count(graph) < 0.75 * _count(traced)
    # It reads the variables, and holds none of their values.
    assert len(weights.resources) < 0.8 * len(model.variables)
    for resource in weights.resources:
        resource.assign(resource * 0.0)
    found = graph(tf.constant(SOURCE), tf.constant(labels))
    np.testing.assert_allclose(found, -np.log(13) * (labels > 0), atol=1e-5)


def test_what_is_no_variable_of_the_model_is_read_too():
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.range(3), tf.constant([5, 6, 7])), -1
    )
    scale = keras.Variable(2.0)
    graph = make_model_graph(
        lambda ids: ops.cast(table.lookup(ids), "float32") * scale,
        [tf.TensorSpec([None], tf.int32)],
        Weights([scale]),
    )
    np.testing.assert_array_equal(graph(tf.constant([0, 2, 9])), [10, 14, -2])


def _modules(function):
    graph_def = function.get_concrete_function().graph.as_graph_def()
    nodes = [node for one in graph_def.library.function for node in one.node_def]
    return [node.op for node in nodes].count("XlaCallModule")


@pytest.mark.parametrize("architecture", ["transformer", "rnn"])
def test_a_module_of_one_shape_computes_the_same(architecture):
    model = build(architecture)
    weights = Weights(model.variables)
    signature = [{"source": IDS}, IDS, {"scale": tf.TensorSpec([], tf.float32)}]

    def score(inputs, labels, options):
        found = model.log_probabilities(inputs["source"], labels)
        return {"scores": found * options["scale"], "of": [ops.sum(labels)]}

    programs = PortablePrograms(score, signature, weights)
    program = programs.of_shape(3, 7)
    graph = tf.function(
        lambda *inputs: program(*inputs, weights.bundle()), signature, autograph=False
    )
    labels = np.pad(TARGET[:, 1:], [(0, 0), (0, 3)])
    inputs = {"source": tf.constant(SOURCE)}, tf.constant(labels)
    found = graph(*inputs, {"scale": tf.constant(2.0)})
    expected = 2 * model.log_probabilities(SOURCE, labels)
    np.testing.assert_allclose(found["scores"], expected, atol=1e-5)
    assert found["of"] == [labels.sum()]
    assert _modules(graph) == 1
    assert programs.found["scores"].dtype == "float32"
    with pytest.raises(tf.errors.InvalidArgumentError, match="(?i)shape"):
        graph({"source": inputs[0]["source"][:2]}, *inputs[1:], {"scale": 1.0})


def test_what_no_module_holds_is_a_graph():
    table = tf.Variable([5.0, 6.0, 7.0])  # of no model
    scale = keras.Variable(2.0)
    weights = Weights([scale])
    programs = PortablePrograms(
        lambda ids: tf.gather(table, ids) * scale, [IDS], weights
    )
    found = programs.of_shape(1, 2)(tf.constant([[2, 0]]), weights.bundle())
    np.testing.assert_array_equal(found, [[14, 10]])


def test_a_function_that_changes_variables_changes_them():
    count = keras.Variable(0)

    def add(ids):
        count.assign(count + ops.sum(ids))
        return count.value + ids

    program = ChangingPrograms(add, [IDS]).of_shape(1, 2)
    found = [program(tf.constant([[1, 2]]), None).numpy().tolist() for _ in range(2)]
    assert found == [[[4, 5]], [[7, 8]]]
