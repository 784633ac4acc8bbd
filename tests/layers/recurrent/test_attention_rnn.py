"""`AttentionRNN` against a loop over its steps."""

import keras
import numpy as np
import pytest

from keras_attention.layers import Attention, AttentionRNN
from tests import oracles
from tests.backends import to_numpy
from tests.tensors import normal, randomize, real_positions, weights_by_name

INPUTS, MEMORY = normal(3, 5, 7), normal(3, 11, 13, seed=1)
MASK = real_positions([11, 7, 5], 11)
STEPS = {"lstm": oracles.lstm_step, "gru": oracles.gru_step}
STATES = {"lstm": 2, "gru": 1}


def _make(cell, score="general", **options):
    cells = {"lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell}
    units = 17 if score == "additive" else None
    layer = AttentionRNN(cells[cell](5), Attention(score, units=units), **options)
    layer.build(INPUTS.shape, MEMORY.shape)
    return randomize(layer)


def _expected(layer, cell, state):
    weights = weights_by_name(layer)
    score = oracles.general(weights.get("key/kernel"))
    if layer.attention.score == "additive":
        score = oracles.additive(
            weights["query/kernel"],
            weights["key/kernel"],
            weights["key/bias"],
            weights["energy/kernel"][:, 0],
        )
    return oracles.attention_rnn(
        INPUTS,
        MEMORY,
        MASK,
        state,
        STEPS[cell],
        layer.cell.get_weights(),
        score,
        weights["dense/kernel"],
        layer.input_feeding,
    )


@pytest.mark.parametrize("input_feeding", [True, False])
@pytest.mark.parametrize(
    ("cell", "score", "given_state"),
    [("lstm", "general", True), ("gru", "additive", True), ("lstm", "additive", False)],
)
def test_each_step_follows_the_equations(cell, score, input_feeding, given_state):
    layer = _make(cell, score, input_feeding=input_feeding, attention_units=19)
    count = STATES[cell]
    state = [normal(3, 5, seed=5 + part) * given_state for part in range(count)]
    outputs, weights, last = to_numpy(
        layer(
            INPUTS,
            MEMORY,
            memory_mask=MASK,
            initial_state=state if given_state else None,
            return_state=True,
            return_attention_scores=True,
        )
    )
    expected, expected_weights, expected_last = _expected(layer, cell, state)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-5)
    fed = [expected[:, -1]] if input_feeding else []
    for part, wanted in zip(last, [*expected_last, *fed], strict=True):
        np.testing.assert_allclose(part, wanted, atol=1e-5)


@pytest.mark.parametrize("input_feeding", [True, False])
def test_a_sequence_may_be_read_in_two_calls(input_feeding):
    layer = _make("lstm", input_feeding=input_feeding)
    whole = to_numpy(layer(INPUTS, MEMORY))
    first, state = layer(INPUTS[:, :2], MEMORY, return_state=True)
    second = layer(INPUTS[:, 2:], MEMORY, initial_state=state)
    found = np.concatenate([to_numpy(first), to_numpy(second)], axis=1)
    np.testing.assert_allclose(found, whole, atol=1e-5)


@pytest.mark.parametrize("input_feeding", [True, False])
def test_single_steps_equal_the_whole_pass(input_feeding):
    layer = _make("gru", input_feeding=input_feeding)
    expected, expected_weights = to_numpy(
        layer(INPUTS, MEMORY, memory_mask=MASK, return_attention_scores=True)
    )
    state = layer.start(MEMORY, memory_mask=MASK)
    for index in range(5):
        now = keras.ops.convert_to_tensor(INPUTS[:, index : index + 1])
        output, state, weights = layer.step(now, state, index)
        np.testing.assert_allclose(
            to_numpy(output)[:, 0], expected[:, index], atol=1e-5
        )
        np.testing.assert_allclose(
            to_numpy(weights)[:, 0], expected_weights[:, index], atol=1e-5
        )


@pytest.mark.parametrize("input_feeding", [True, False])
def test_dropped_memory_positions_stay_dropped_through_a_sequence(input_feeding):
    memory = np.tile(0.3 * np.eye(11, dtype="float32"), (3, 1, 1))
    layer = AttentionRNN(
        keras.layers.GRUCell(5),
        Attention("general", dropout=0.5, seed=3),
        input_feeding=input_feeding,
        attention_units=11,
    )
    layer.build(INPUTS.shape, memory.shape)
    *others, kernel = randomize(layer).get_weights()
    # The attentional vector is the context alone, which spells the kept weights.
    layer.set_weights([*others, np.eye(*kernel.shape)])
    outputs, weights = to_numpy(
        layer(INPUTS, memory, training=True, return_attention_scores=True)
    )
    kept = np.arctanh(outputs) / 0.3 / weights
    np.testing.assert_allclose(kept, np.repeat(kept[:, :1], 5, axis=1), atol=1e-3)
    np.testing.assert_allclose(np.unique(kept.round(3)), [0, 2])


def test_weights_of_the_cell_and_the_attention_belong_to_the_layer():
    cell, attention = keras.layers.GRUCell(5), Attention("general")
    layer = AttentionRNN(cell, attention)
    layer.build(INPUTS.shape, MEMORY.shape)
    owned = {id(weight) for weight in layer.trainable_weights}
    parts = [*cell.trainable_weights, *attention.trainable_weights]
    assert {id(weight) for weight in parts} < owned
    assert len(owned) == len(parts) + 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": 5}, "`cell` must be a recurrent cell. Received: cell=5"),
        ({"attention": "dot"}, "`attention` must be .* Received: attention='dot'"),
        ({"attention_units": 0}, "`attention_units` .* Received: attention_units=0"),
        ({"dropout": 1}, "`dropout` must be .* Received: dropout=1"),
        (
            {"cell": keras.layers.GRUCell(5, dropout=0.2)},
            "`cell` must have no dropout.* Received: dropout=0.2, recurrent_dropout=0",
        ),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    arguments = {
        "cell": keras.layers.GRUCell(5),
        "attention": Attention("general"),
        **arguments,
    }
    with pytest.raises(ValueError, match=message):
        AttentionRNN(**arguments)


@pytest.mark.parametrize("count", [1, 4])
def test_a_state_of_the_wrong_number_of_tensors_is_refused(count):
    layer = _make("lstm")
    message = f"`initial_state` must hold the 2 states.* Received: {count} tensors"
    with pytest.raises(ValueError, match=message):
        layer(INPUTS, MEMORY, initial_state=[normal(3, 5)] * count)
