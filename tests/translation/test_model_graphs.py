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
from tests.small_models import SOURCE, TARGET, build

IDS = tf.TensorSpec([None, None], tf.int32)


def _count(function):
    graph_def = function.get_concrete_function().graph.as_graph_def()
    functions = graph_def.library.function
    return len(graph_def.node) + sum(len(one.node_def) for one in functions)


@pytest.mark.parametrize("is_compiled", [False, True])
@pytest.mark.parametrize("architecture", ["transformer", "rnn"])
def test_a_graph_of_half_the_operations_computes_the_same(architecture, is_compiled):
    model = build(architecture)
    labels = TARGET[:, 1:]
    graph = make_model_graph(
        model.log_probabilities, [IDS, IDS], model.variables, is_compiled
    )
    found = graph(tf.constant(SOURCE), tf.constant(labels))
    expected = model.log_probabilities(SOURCE, labels)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    traced = tf.function(model.log_probabilities, [IDS, IDS], autograph=False)
    assert _count(graph) < 0.75 * _count(traced)
    # It reads the variables, and holds none of their values.
    for variable in model.trainable_variables:
        variable.assign(variable * 1.5)
    found = graph(tf.constant(SOURCE), tf.constant(labels))
    expected = model.log_probabilities(SOURCE, labels)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_what_is_no_variable_of_the_model_is_read_too():
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.range(3), tf.constant([5, 6, 7])), -1
    )
    scale = keras.Variable(2.0)
    graph = make_model_graph(
        lambda ids: ops.cast(table.lookup(ids), "float32") * scale,
        [tf.TensorSpec([None], tf.int32)],
        [scale],
    )
    np.testing.assert_array_equal(graph(tf.constant([0, 2, 9])), [10, 14, -2])
