"""`AttentionRNN`: orders, readouts, alignments and coverage against loops."""

import keras
import numpy as np
import pytest

from keras_attention import functional
from keras_attention.layers import (
    Attention,
    AttentionRNN,
    RecurrentCell,
    StackedCells,
)
from tests import oracles
from tests.backends import to_numpy
from tests.tensors import normal, randomize, real_positions, weights_by_name

INPUTS, MEMORY = normal(3, 5, 7), normal(3, 11, 13, seed=1)
MASK = real_positions([11, 7, 5], 11)
HOLES = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [1, 1, 1, 1, 1]], "bool")
BAHDANAU = {"order": "bahdanau"}
LOCAL, MONOTONIC = {"alignment": "local_m", "window": 2}, {"alignment": "monotonic"}
# Arguments of the layer, and of its attention.
CASES = {
    "luong": ({}, {}),
    "bahdanau": (BAHDANAU, {}),
    "maxout": ({**BAHDANAU, "readout": "maxout", "attention_units": 3}, {}),
    "maxout after luong": ({"readout": "maxout", "attention_units": 3}, {}),
    "hidden": ({**BAHDANAU, "readout": "hidden"}, {}),
    "sum": ({}, {"coverage": "sum"}),
    "bahdanau sum": (BAHDANAU, {"coverage": "sum"}),
    "fertility": ({}, {"coverage": "fertility"}),
    "bahdanau fertility": (BAHDANAU, {"coverage": "fertility"}),
    "local_m": ({}, LOCAL),
    "bahdanau local_m": (BAHDANAU, LOCAL),
    "bahdanau local_p": (BAHDANAU, {**LOCAL, "alignment": "local_p"}),
    "monotonic": ({}, MONOTONIC),
    "bahdanau monotonic": (BAHDANAU, MONOTONIC),
    "local_m sum": ({}, {**LOCAL, "coverage": "sum"}),
    "monotonic fertility": (BAHDANAU, {**MONOTONIC, "coverage": "fertility"}),
}
every_case = pytest.mark.parametrize("name", list(CASES))
fed_or_not = pytest.mark.parametrize("input_feeding", [True, False])


def _built(name, input_feeding, cell=None, **more):
    options, of_attention = CASES[name]
    layer = AttentionRNN(
        cell or RecurrentCell(5, "gru"),
        Attention("additive", units=17, **of_attention),
        input_feeding,
        **{**options, **more},
    )
    layer.build(INPUTS.shape, MEMORY.shape)
    return randomize(layer)


def _states(layer):
    sizes = keras.tree.flatten(layer.cell.state_size)
    return [normal(3, size, seed=5 + part) for part, size in enumerate(sizes)]


def _read(layer, inputs=INPUTS, memory=MEMORY, mask=MASK, state=None, holes=None):
    inputs = keras.ops.convert_to_tensor(inputs)
    if holes is not None:
        inputs = functional.with_mask(inputs, keras.ops.convert_to_tensor(holes))
    return to_numpy(
        layer(
            inputs,
            memory,
            memory_mask=mask,
            initial_state=state,
            return_state=True,
            return_attention_scores=True,
        )
    )


def _check(found, expected):
    found, expected = (keras.tree.flatten(part) for part in (found, expected))
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, atol=1e-5)


def _readout(layer):
    """From parts to the output, by the names of the papers."""
    kernel = weights_by_name(layer).get("dense/kernel")

    def read(parts):
        if layer.readout == "hidden":
            return parts[1]
        projected = np.concatenate(parts, axis=-1) @ kernel
        if layer.readout == "tanh":
            return np.tanh(projected)
        half = projected.shape[-1] // 2
        return np.maximum(projected[:, :half], projected[:, half:])

    return read


def _expected(layer, states, advance, **options):
    """By the loop: outputs, weights and the whole last state."""
    attention = layer.attention
    weights = weights_by_name(attention)
    loop = oracles.AttentionInTurn(attention, weights, MEMORY, MASK)
    fed = np.zeros((3, layer.output_width)) if layer.input_feeding else None
    outputs, found, states = oracles.attending_decoder(
        INPUTS, states, advance, loop, _readout(layer), fed=fed, **options
    )
    last = [*states] if fed is None else [*states, outputs[:, -1]]
    last += {"local_m": [np.full((3, 1), 5)], "monotonic": [loop.stopped]}.get(
        attention.alignment, []
    )
    return outputs, found, [*last, *([loop.covered] if attention.coverage else [])]


@every_case
@fed_or_not
def test_each_step_follows_the_equations(name, input_feeding):
    layer = _built(name, input_feeding)
    weights = weights_by_name(layer.cell)
    expected = _expected(
        layer,
        _states(layer),
        lambda parts, states: oracles.cell_step("gru", parts, states, weights),
        query=0 if layer.order == "bahdanau" else None,
    )
    _check(_read(layer, state=_states(layer)), expected)


@pytest.mark.parametrize("query_level", [0, 1, -1, -3])
@pytest.mark.parametrize("share_last_part", [True, False])
def test_a_cell_of_a_stack_asks(query_level, share_last_part):
    kinds, sizes = ("lstm", "gru", "simple"), (5, 3, 2)
    cells = [RecurrentCell(*pair) for pair in zip(sizes, kinds, strict=True)]
    stack = StackedCells(cells, share_last_part=share_last_part)
    layer = _built("bahdanau", True, stack, query_level=query_level)
    weights = [weights_by_name(cell) for cell in cells]

    def advance(parts, states):
        shared = parts[-1:] if share_last_part else []
        first = oracles.cell_step("lstm", parts, states[:2], weights[0])
        parts = [first[0], *shared]
        second = oracles.cell_step("gru", parts, states[2:3], weights[1])
        parts = [second[0], *shared]
        third = oracles.cell_step("simple", parts, states[3:], weights[2])
        return [*first, *second, *third]

    first_state = {0: 0, -3: 0, 1: 2, -1: 3}[query_level]
    expected = _expected(layer, _states(layer), advance, query=first_state, hidden=3)
    _check(_read(layer, state=_states(layer)), expected)


@every_case
@fed_or_not
def test_single_steps_and_two_calls_equal_the_whole(name, input_feeding):
    layer = _built(name, input_feeding, RecurrentCell(5, layer_normalization=True))
    outputs, weights, last = _read(layer, state=_states(layer))
    for chunks in ([1] * 5, [2, 1, 2]):
        state, end = layer.start(MEMORY, 5, MASK, _states(layer)), 0
        for size in chunks:
            begin, end = end, end + size
            now = keras.ops.convert_to_tensor(INPUTS[:, begin:end])
            output, state, attended = layer.step(now, state, begin)
            expected = [outputs[:, begin:end], weights[:, begin:end]]
            _check(to_numpy([output, attended]), expected)
        _check(to_numpy(state.recurrent.flat()), last)
    *first, state = _read(layer, INPUTS[:, :2], state=_states(layer))
    *second, state = _read(layer, INPUTS[:, 2:], state=state)
    halves = zip(first, second, strict=True)
    joined = [np.concatenate(pair, axis=1) for pair in halves]
    _check([*joined, state], [outputs, weights, last])


@every_case
def test_masked_steps_hold_the_state_and_give_zeros(name):
    is_fed = list(CASES).index(name) % 2 == 0
    layer = _built(name, is_fed, RecurrentCell(5, "simple"))
    outputs, weights, last = _read(layer, state=_states(layer), holes=HOLES)
    assert not outputs[~HOLES].any()
    assert not weights[~HOLES].any()
    for row, kept in enumerate(HOLES):
        one = slice(row, row + 1)
        expected = _read(
            layer,
            INPUTS[one, kept],
            MEMORY[one],
            MASK[one],
            [state[one] for state in _states(layer)],
        )
        found = outputs[one, kept], weights[one, kept], [part[one] for part in last]
        _check(found, expected)


@every_case
def test_a_row_without_memory_is_finite(name):
    mask = real_positions([11, 7, 0], 11)
    outputs, weights, _ = _read(_built(name, True), mask=mask)
    assert np.isfinite(outputs).all()
    assert not weights[2].any()


@fed_or_not
def test_recurrent_dropout_is_the_same_at_each_step(input_feeding):
    layer = _built("luong", input_feeding, recurrent_dropout=0.5)
    state = layer.start(MEMORY, 5, MASK, _states(layer), training=True)
    kept = to_numpy(state.constant["dropout"]["cell"])
    assert set(np.unique(kept)) == {0, 2}
    weights = weights_by_name(layer.cell)
    expected = _expected(
        layer,
        _states(layer),
        lambda parts, states: oracles.cell_step("gru", parts, states, weights, kept),
    )
    for t in range(5):
        now = keras.ops.convert_to_tensor(INPUTS[:, t : t + 1])
        output, state, _ = layer.step(now, state, t, training=True)
        _check(to_numpy(output)[:, 0], expected[0][:, t])


def test_what_is_dropped_varies_in_training_alone():
    layer = _built("hidden", False, recurrent_dropout=0.5)
    still = [to_numpy(layer(INPUTS, MEMORY)) for _ in range(2)]
    np.testing.assert_array_equal(*still)
    drops = [to_numpy(layer(INPUTS, MEMORY, training=True)) for _ in range(2)]
    assert not np.allclose(*drops, atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": "first"}, "`order` must be one of .* Received: order='first'"),
        ({"readout": "relu"}, "`readout` must be one of .* Received: readout='relu'"),
        (
            {"readout": "hidden"},
            "`readout=\"hidden\"` needs.* readout='hidden', order='luong'",
        ),
        (
            {"readout": "hidden", "order": "bahdanau", "attention_units": 3},
            "`attention_units` does not belong .* Received: attention_units=3",
        ),
        (
            {"query_level": 1},
            "`query_level` must .* index of 1 items. Received: query_level=1",
        ),
        (
            {"cell": StackedCells([RecurrentCell(5)] * 2), "query_level": -3},
            "`query_level` must .* index of 2 items. Received: query_level=-3",
        ),
        (
            {"recurrent_dropout": 1},
            "`recurrent_dropout` must be .* Received: recurrent_dropout=1",
        ),
        (
            {"cell": keras.layers.GRUCell(5), "recurrent_dropout": 0.2},
            "`recurrent_dropout` needs .*: recurrent_dropout=0.2, cell=<GRUCell",
        ),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    arguments = {
        "cell": RecurrentCell(5),
        "attention": Attention("general"),
        **arguments,
    }
    with pytest.raises(ValueError, match=message):
        AttentionRNN(**arguments)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_state_of_the_wrong_number_of_tensors_is_refused(count):
    layer = _built("monotonic fertility", True)
    message = f"the 1 states of the cell, .* among all 4. Received: {count} tensors"
    with pytest.raises(ValueError, match=message):
        layer(INPUTS, MEMORY, initial_state=[normal(3, 5)] * count)
