"""`NTMCell` inside Keras's own loop, its weightings, and long runs."""

import keras
import numpy as np
import pytest

from keras_attention.layers import (
    Attention,
    AttentionRNN,
    CellRNN,
    NTMCell,
    StackedCells,
)
from tests import oracles
from tests.backends import gradients, to_numpy
from tests.tensors import normal, randomize, weights_by_name

INPUTS = normal(2, 5, 3)


def _cell(**options):
    return NTMCell(**{"units": 7, "memory_slots": 11, "memory_dim": 5, **options})


def _layer(**options):
    layer = keras.layers.RNN(_cell(**options), return_sequences=True)
    layer.build(INPUTS.shape)
    randomize(layer)
    return layer


@pytest.mark.one_backend
@pytest.mark.parametrize("controller", ["lstm", "feed_forward"])
def test_keras_rnn_and_cell_rnn_agree(controller):
    layer = _layer(controller=controller, read_heads=2)
    expected = to_numpy(layer(INPUTS))
    states = layer.cell.get_initial_state(len(INPUTS))
    for options in ({"initial_state": states}, {}):  # with its own states anyway
        found = CellRNN(layer.cell)(INPUTS, **options)
        np.testing.assert_allclose(to_numpy(found), expected, atol=1e-5)
    stack = StackedCells([layer.cell])
    stack.build([INPUTS[:, 0].shape])
    found = keras.layers.RNN(stack, return_sequences=True)(INPUTS)
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-5)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _softmax(x):
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def _expected_step(cell, inputs, state):
    """One row's step by the equations of Graves et al. (2014), slot by slot."""
    named = weights_by_name(cell)
    *own, read, weights, memory = state
    heads, slots, dim = cell.read_heads + cell.write_heads, 11, 5
    weights, memory = weights.reshape(heads, slots), memory.reshape(slots, dim)
    if cell.controller == "lstm":
        own = oracles.cell_step("lstm", [inputs, read], own, named)
        hidden = own[0]
    else:
        sums = inputs @ named["input/kernel"] + named["input/bias"]
        hidden = np.tanh(sums + read @ named["read/kernel"] + named["read/bias"])
    wanted = hidden @ named["heads/kernel"] + named["heads/bias"]
    moved = np.zeros((heads, slots))
    for head, row in enumerate(wanted.reshape(heads, -1)):
        key, strength = np.tanh(row[:dim]), np.log1p(np.exp(row[dim]))
        gate, shift = _sigmoid(row[dim + 1]), _softmax(row[dim + 2 : -1])
        norms = np.linalg.norm(key) * np.linalg.norm(memory, axis=1)
        by_content = _softmax(strength * (memory @ key) / norms)
        mixed = gate * by_content + (1 - gate) * weights[head]
        reach = len(shift) // 2
        for slot in range(slots):
            for step in range(-reach, reach + 1):
                moved[head, slot] += mixed[(slot - step) % slots] * shift[reach + step]
        moved[head] **= 1 + np.log1p(np.exp(row[-1]))
        moved[head] /= moved[head].sum()
    read = (moved[: cell.read_heads] @ memory).ravel()
    changes = hidden @ named["write/kernel"] + named["write/bias"]
    added = np.zeros_like(memory)
    for head, row in enumerate(changes.reshape(cell.write_heads, -1)):
        by_slot = moved[cell.read_heads + head][:, None]
        memory = memory * (1 - by_slot * _sigmoid(row[:dim]))
        added += by_slot * np.tanh(row[dim:])
    state = [*own, read, moved.ravel(), (memory + added).ravel()]
    return np.concatenate([hidden, read]), state


@pytest.mark.whole("tensorflow")
@pytest.mark.parametrize(
    ("controller", "options"),
    [
        ("lstm", {"read_heads": 2}),
        ("feed_forward", {"write_heads": 2, "shift_range": 2}),
    ],
)
def test_a_step_is_that_of_the_paper(controller, options):
    cell = _layer(controller=controller, **options).cell
    states = [normal(2, size, seed=size) for size in cell.state_size]
    # Weights of heads are distributions over the slots.
    shares = np.exp(states[-2]).reshape(2, -1, 11)
    states[-2] = (shares / shares.sum(axis=-1, keepdims=True)).reshape(2, -1)
    inputs = normal(2, 3, seed=1)
    output, last = to_numpy(cell(inputs, states))
    for row in range(2):
        expected, state = _expected_step(cell, inputs[row], [s[row] for s in states])
        np.testing.assert_allclose(output[row], expected, atol=1e-5)
        for found, own in zip(last, state, strict=True):
            np.testing.assert_allclose(found[row], own, atol=1e-5)


@pytest.mark.one_backend
def test_attention_begins_with_the_states_of_the_cell():
    decoder = AttentionRNN(_cell(), Attention("scaled_dot"), input_feeding=False)
    memory = normal(2, 4, 12)
    decoder(INPUTS, memory)
    randomize(decoder)
    expected = decoder.cell.get_initial_state(2)
    found = decoder.start(memory).recurrent.cell
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(to_numpy(one), to_numpy(other))
    assert max(np.abs(to_numpy(one)).max() for one in found) > 0.1


def test_weightings_build_the_cell():
    heads = to_numpy(_cell().weightings(INPUTS))
    assert heads["read"].shape == (2, 5, 1, 11)


def test_what_is_read_is_what_the_weights_say():
    layer = _layer(read_heads=2, write_heads=3)
    outputs, states = [], layer.cell.get_initial_state(2)
    heads = to_numpy(layer.cell.weightings(INPUTS))
    assert heads["read"].shape == (2, 5, 2, 11)
    assert heads["write"].shape == (2, 5, 3, 11)
    for weights in heads.values():
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
    for t in range(5):
        memory = to_numpy(states[-1]).reshape(2, 11, 5)
        output, states = layer.cell(keras.ops.convert_to_tensor(INPUTS[:, t]), states)
        outputs.append(to_numpy(output))
        read = outputs[-1][:, 7:].reshape(2, 2, 5)
        np.testing.assert_allclose(read, heads["read"][:, t] @ memory, atol=1e-5)
    np.testing.assert_allclose(
        to_numpy(layer(INPUTS)), np.stack(outputs, axis=1), atol=1e-5
    )


def test_the_memory_begins_constant_and_the_weights_as_learned():
    layer = _layer()
    *_, read, weights, memory = to_numpy(layer.cell.get_initial_state(3))
    np.testing.assert_allclose(memory, 1e-6)
    np.testing.assert_allclose(read, np.repeat(read[:1], 3, axis=0))
    np.testing.assert_allclose(weights.reshape(3, 2, 11).sum(axis=-1), 1, atol=1e-5)
    moved = randomize(layer, seed=1).cell.get_initial_state(3)
    assert not np.allclose(to_numpy(moved[-2]), weights)


@pytest.mark.slow
@pytest.mark.one_backend
def test_a_long_run_of_large_inputs_stays_finite_with_its_gradients():
    layer = _layer(shift_range=2)
    inputs = 100 * normal(2, 150, 3)

    def loss():
        return keras.ops.mean(keras.ops.square(layer(inputs)))

    found = gradients(loss, layer.trainable_variables)
    assert all(np.isfinite(gradient).all() for gradient in found)
    assert any(gradient.any() for gradient in found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "`units` must be .* Received: units=0"),
        ({"memory_slots": 2}, "`shift_range` must .*shift_range=1, memory_slots=2"),
        ({"memory_dim": -1}, "`memory_dim` must be .* Received: memory_dim=-1"),
        ({"read_heads": 0}, "`read_heads` must be .* Received: read_heads=0"),
        ({"write_heads": 0}, "`write_heads` must be .* Received: write_heads=0"),
        ({"controller": "gru"}, "`controller` must be .* Received: controller='gru'"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        _cell(**options)
