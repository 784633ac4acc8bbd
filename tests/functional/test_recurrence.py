"""The loop over time."""

import numpy as np
import pytest
from keras import ops

from keras_attention import functional
from tests.backends import BACKEND, compiled, to_numpy
from tests.tensors import booleans, normal

pytestmark = pytest.mark.whole("tensorflow")


def _step(inputs, states):
    """Two states of unlike widths, neither of them the output."""
    total, count = states
    total = 0.5 * total + inputs
    return ops.tanh(total) * 3.0, [total, count + 1.0]


def _by_loop(inputs, mask):
    batch, time, width = inputs.shape
    total, count = np.zeros((batch, width)), np.zeros((batch, 1))
    outputs = np.zeros(inputs.shape)
    for b, t in np.ndindex(batch, time):
        if mask[b, t]:
            total[b] = 0.5 * total[b] + inputs[b, t]
            count[b] += 1
            outputs[b, t] = np.tanh(total[b]) * 3
    return outputs, total, count


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("run", [compiled, lambda function: function])
def test_masked_positions_leave_the_states_and_give_zeros(masked, run):
    inputs = normal(3, 7, 5)
    mask = booleans(3, 7, seed=1) if masked else np.ones((3, 7), "bool")

    def recur(inputs, mask):
        start = [ops.zeros((3, 5)), ops.zeros((3, 1))]
        return functional.run_recurrence(_step, inputs, start, mask if masked else None)

    outputs, (total, count) = run(recur)(ops.convert_to_tensor(inputs), mask)
    expected = _by_loop(inputs, mask)
    for found, wanted in zip((outputs, total, count), expected, strict=True):
        np.testing.assert_allclose(to_numpy(found), wanted, atol=1e-5)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="sizes are always known there")
def test_unknown_batch_and_length():
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, None, 5))])
    def recur(inputs):
        rows = ops.shape(inputs)[0]
        start = [ops.zeros((rows, 5)), ops.zeros((rows, 1))]
        return functional.run_recurrence(_step, inputs, start)

    inputs = normal(3, 7, 5)
    outputs, _ = recur(inputs)
    expected, *_ = _by_loop(inputs, np.ones((3, 7), "bool"))
    np.testing.assert_allclose(to_numpy(outputs), expected, atol=1e-5)

    state = normal(3, 5), normal(3, 1)

    @tf.function(input_signature=[tf.TensorSpec((None, None, 5))])
    def resume(inputs):
        return functional.run_recurrence(_step, inputs, state)

    outputs, states = resume(inputs[:, :0])
    assert outputs.shape == (3, 0, 5)
    for found, wanted in zip(states, state, strict=True):
        np.testing.assert_array_equal(to_numpy(found), wanted)


@pytest.mark.parametrize("masked", [True, False])
def test_no_position_leaves_the_states_as_they_are(masked):
    state = normal(3, 5), normal(3, 1)
    mask = np.ones((3, 0), "bool") if masked else None
    inputs = ops.convert_to_tensor(normal(3, 0, 5))
    states = [ops.convert_to_tensor(part) for part in state]
    outputs, states = functional.run_recurrence(_step, inputs, states, mask)
    assert tuple(outputs.shape) == (3, 0, 5)
    for found, wanted in zip(states, state, strict=True):
        np.testing.assert_array_equal(to_numpy(found), wanted)
