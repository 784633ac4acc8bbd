"""`CellRNN` against Keras's `RNN`, its masks, its dropout and its single steps."""

import re

import keras
import numpy as np
import pytest

from keras_attention import functional
from keras_attention.layers import (
    Attention,
    AttentionRNN,
    CellRNN,
    RecurrentCell,
    StackedCells,
)
from tests import oracles
from tests.backends import mask_of, to_numpy, to_tensors
from tests.tensors import normal, randomize, weights_by_name

INPUTS = normal(3, 5, 7)
HOLES = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [1, 1, 1, 1, 1]], "bool")
CELLS = {
    "lstm": lambda: RecurrentCell(5),
    "gru": lambda: RecurrentCell(5, "gru", layer_normalization=True),
    "simple": lambda: RecurrentCell(5, "simple"),
    "foreign": lambda: keras.layers.LSTMCell(5),
    "stack": lambda: StackedCells(
        [RecurrentCell(5, "gru"), keras.layers.GRUCell(5), RecurrentCell(5)],
        residual=True,
        residual_from=2,
    ),
}
every_cell = pytest.mark.parametrize("name", CELLS)


def _built(name, **options):
    layer = CellRNN(CELLS[name](), **options)
    layer.build(INPUTS.shape)
    return randomize(layer)


def _states(layer):
    sizes = keras.tree.flatten(layer.cell.state_size)
    return [normal(3, size, seed=5 + part) for part, size in enumerate(sizes)]


def _read(layer, inputs, states, mask=None):
    """Outputs and last states as arrays."""
    inputs = to_tensors(inputs)
    if mask is not None:
        inputs = functional.with_mask(inputs, to_tensors(mask))
    return to_numpy(layer(inputs, initial_state=states, return_state=True))


def _check(found, expected):
    found, expected = (keras.tree.flatten(part) for part in (found, expected))
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 1, 5), (1, 5), (3, 4), (5,), (2, 5), ()])
@every_cell
def test_states_of_another_shape_are_refused(name, shape):
    layer = _built(name)
    states = [*_states(layer)[:-1], normal(*shape)]
    message = f"must hold a tensor of shape (3, 5). Received: shape={shape}"
    with pytest.raises(ValueError, match=re.escape(message)):
        layer(INPUTS, initial_state=states)


@every_cell
def test_it_is_the_rnn_of_keras(name):
    layer = _built(name)
    states = _states(layer)
    rnn = keras.layers.RNN(layer.cell, return_sequences=True, return_state=True)
    outputs, *last = rnn(INPUTS, initial_state=to_tensors(states))
    _check(_read(layer, INPUTS, states), to_numpy([outputs, *last]))


@every_cell
def test_without_a_state_it_begins_with_zeros(name):
    layer = _built(name)
    zeros = [np.zeros_like(state) for state in _states(layer)]
    outputs, _ = _read(layer, INPUTS, zeros)
    np.testing.assert_allclose(to_numpy(layer(INPUTS)), outputs, atol=1e-6)


@every_cell
def test_masked_steps_hold_the_states_and_give_zeros(name):
    layer = _built(name)
    states = _states(layer)
    outputs, last = _read(layer, INPUTS, states, HOLES)
    assert not outputs[~HOLES].any()
    for row, kept in enumerate(HOLES):
        alone = [state[row : row + 1] for state in states]
        expected, expected_last = _read(layer, INPUTS[row : row + 1, kept], alone)
        _check(outputs[row, kept], expected[0])
        _check([state[row] for state in last], [state[0] for state in expected_last])


def test_the_mask_is_handed_on():
    inputs = keras.layers.Masking()(INPUTS * HOLES[..., None])
    np.testing.assert_array_equal(mask_of(_built("gru")(inputs)), HOLES)


@every_cell
def test_single_steps_equal_the_call(name):
    layer = _built(name, dropout=0.3)
    state = to_tensors(_states(layer))
    expected, expected_last = _read(layer, INPUTS, state)
    for chunks in ([1] * 5, [2, 1, 2]):
        now, end = layer.start(INPUTS, initial_state=state), 0
        for size in chunks:
            begin, end = end, end + size
            output, now, _ = layer.step(to_tensors(INPUTS[:, begin:end]), now, begin)
            _check(to_numpy(output), expected[:, begin:end])
        _check(to_numpy(now.recurrent), expected_last)


def test_a_sequence_may_be_read_in_two_calls():
    layer = _built("stack")
    states = _states(layer)
    whole, last = _read(layer, INPUTS, states)
    first, states = _read(layer, INPUTS[:, :2], states)
    second, states = _read(layer, INPUTS[:, 2:], states)
    _check([np.concatenate([first, second], axis=1), states], [whole, last])


def _identity(name, units):
    """A simple cell that adds its state to its input, then takes the tangent."""
    cell = RecurrentCell(units, "simple", name=name)
    cell.build((None, units))
    for weight in cell.weights:
        is_kernel = len(weight.shape) == 2
        weight.assign(np.eye(units) if is_kernel else np.zeros(units))
    return cell


def test_recurrent_dropout_drops_the_same_units_at_each_step():
    layer = CellRNN(_identity("cell", 101), recurrent_dropout=0.25, seed=3)
    inputs = 0.1 + 0.1 * np.abs(normal(37, 5, 101))
    outputs = to_numpy(layer(inputs, training=True))
    kept = (np.arctanh(outputs[:, 1:]) - inputs[:, 1:]) / outputs[:, :-1]
    first = np.repeat(kept[:, :1], 4, axis=1)
    np.testing.assert_allclose(kept, first, atol=1e-3)
    np.testing.assert_allclose(np.unique(first.round(2)), [0, 1.33], atol=1e-6)
    # Of 3737 independent units, so the mean is within four deviations of 1.
    assert abs(first.mean() - 1) < 0.04
    state = 0
    for t, still in enumerate(to_numpy(layer(inputs)).swapaxes(0, 1)):
        state = np.tanh(inputs[:, t] + state)
        np.testing.assert_allclose(still, state, atol=1e-5)


def test_recurrent_dropout_of_a_sequence_is_that_of_its_steps():
    cells = StackedCells([RecurrentCell(5, "gru"), RecurrentCell(5)])
    layer = CellRNN(cells, dropout=0.5, recurrent_dropout=0.5)
    layer.build(INPUTS.shape)
    randomize(layer)
    states = _states(layer)
    state = layer.start(INPUTS, 3, to_tensors(states), training=True)
    keep, dropped = (state.constant[name] for name in ("dropout", "outputs"))
    lowest, highest = layer.cell.cells
    first, second = states[:1], states[1:]
    for t in range(3):
        now = to_tensors(INPUTS[:, t : t + 1])
        output, state, _ = layer.step(now, state, t, training=True)
        kept = to_numpy([keep[0]["recurrent"], keep[1]["recurrent"], keep[1]["input"]])
        first = oracles.cell_step(
            "gru", [INPUTS[:, t]], first, weights_by_name(lowest), kept[0]
        )
        second = oracles.cell_step(
            "lstm", [first[0] * kept[2]], second, weights_by_name(highest), kept[1]
        )
        _check(to_numpy(output)[:, 0], second[0] * to_numpy(dropped)[:, t])
    assert keep[0]["input"] is None
    assert all(set(np.unique(part)) == {0, 2} for part in kept)


def test_what_goes_from_cell_to_cell_is_dropped_the_same_at_each_step():
    lowest, highest = _identity("lowest", 41), _identity("highest", 41)
    for cell in (lowest, highest):
        cell.weights[-1].assign(np.zeros((41, 41)))
    layer = CellRNN(StackedCells([lowest, highest]), dropout=0.5, seed=3)
    inputs = normal(37, 5, 41) * 0.3
    outputs = to_numpy(layer(inputs, training=True))
    # The outputs are dropped too, but each by itself.
    seen = 2 * np.tanh(2 * np.tanh(inputs))
    is_there = outputs != 0
    np.testing.assert_allclose(outputs[is_there], seen[is_there], atol=1e-5)
    assert abs(is_there.mean() - 0.25) < 0.03
    units = is_there.any(axis=1)
    assert abs(units.mean() - 0.5 * (1 - 0.5**5)) < 0.05


def test_nothing_is_dropped_in_inference():
    layer = _built("lstm", dropout=0.5)
    same = _built("lstm")
    np.testing.assert_array_equal(to_numpy(layer(INPUTS)), to_numpy(same(INPUTS)))
    drops = [to_numpy(layer(INPUTS, training=True)) for _ in range(2)]
    assert not np.allclose(*drops, atol=1e-3)


@pytest.mark.parametrize("count", [1, 3])
def test_a_state_of_the_wrong_number_of_tensors_is_refused(count):
    message = f"`initial_state` must hold the 2 states.* Received: {count} tensors"
    with pytest.raises(ValueError, match=message):
        _built("lstm")(INPUTS, initial_state=[normal(3, 5)] * count)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": 5}, "`cell` must be a recurrent cell. Received: cell=5"),
        (
            {"cell": keras.layers.GRUCell(5, dropout=0.2)},
            "`cell` must have no dropout.* Received: dropout=0.2, recurrent_dropout=0",
        ),
        (
            {"cell": keras.layers.GRUCell(5), "recurrent_dropout": 0.2},
            "`recurrent_dropout` needs .*: recurrent_dropout=0.2, cell=<GRUCell",
        ),
        (
            {
                "cell": StackedCells([RecurrentCell(5), keras.layers.GRUCell(5)]),
                "recurrent_dropout": 0.2,
            },
            "`recurrent_dropout` needs .*: recurrent_dropout=0.2, cell=<GRUCell",
        ),
        ({"dropout": 1}, "`dropout` must be .* Received: dropout=1"),
        (
            {"recurrent_dropout": -0.5},
            "`recurrent_dropout` must be .* Received: recurrent_dropout=-0.5",
        ),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        CellRNN(**{"cell": RecurrentCell(5), **arguments})


@pytest.mark.parametrize("kind", ["cell", "attention"])
def test_what_two_layers_share_is_saved_once(kind, tmp_path):
    inputs, memory = keras.Input((5, 7)), keras.Input((3, 5))
    shared = RecurrentCell(5) if kind == "cell" else Attention("general")
    hidden = inputs
    for _ in range(2):
        if kind == "cell":
            hidden = CellRNN(shared)(keras.layers.Dense(7)(hidden))
        else:
            hidden = AttentionRNN(RecurrentCell(5), shared)(hidden, memory)
    model = randomize(keras.Model([inputs, memory], hidden))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert len(loaded.weights) == len(model.weights)
    given = [INPUTS, normal(3, 3, 5)]
    np.testing.assert_allclose(
        to_numpy(loaded(given)), to_numpy(model(given)), atol=1e-6
    )
