"""`StackedCells` against its cells one after another."""

import keras
import numpy as np
import pytest

from keras_attention.layers import RecurrentCell, StackedCells
from tests import oracles
from tests.backends import to_numpy, to_tensors
from tests.tensors import normal, randomize, weights_by_name

INPUTS, CONTEXT = normal(3, 7), normal(3, 11, seed=1)
KEEP = np.where(normal(4, 3, 5, seed=9) < 0, 0, 2).astype("float32")


def _built(residual=False, residual_from=1):
    cells = [keras.layers.LSTMCell(5), keras.layers.GRUCell(5), keras.layers.GRUCell(5)]
    stack = StackedCells(cells, residual=residual, residual_from=residual_from)
    stack.build(INPUTS.shape)
    return randomize(stack)


def _of_all_kinds(*shapes, **options):
    """A foreign cell between two of our own."""
    lowest, highest = RecurrentCell(5, layer_normalization=True), RecurrentCell(5)
    stack = StackedCells([lowest, keras.layers.GRUCell(5), highest], **options)
    stack.build(list(shapes))
    return randomize(stack)


def _expected(stack, parts, keep=None, residual_from=99):
    """Highest output and new states of `_of_all_kinds`, cell by cell."""
    states = [normal(3, 5, seed=part) for part in range(5)]
    keep = keep or {}
    lowest, middle, highest = stack.cells
    shared = parts[1:] if stack.share_last_part else []

    def own(cell, inputs, states, name):
        weights, kept = weights_by_name(cell), keep.get(name, 1)
        return oracles.cell_step("lstm", inputs, states, weights, kept)

    first = own(lowest, parts, states[:2], "lowest")
    below = first[0] * keep.get("to middle", 1)
    joined = np.concatenate([below, *shared], axis=-1)
    second = oracles.gru_step(joined, states[2:3], middle.get_weights())
    output = second[0] + below if residual_from <= 1 else second[0]
    below = output * keep.get("to highest", 1)
    third = own(highest, [below, *shared], states[3:], "highest")
    output = third[0] + below if residual_from <= 2 else third[0]
    return output, [*first, *second, *third]


def _check(found, expected):
    found, expected = (keras.tree.flatten(part) for part in (found, expected))
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(to_numpy(part), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("residual", "residual_from"), [(True, 1), (True, 2), (True, 3), (False, 1)]
)
def test_each_cell_reads_the_output_of_the_one_below(residual, residual_from):
    stack = _built(residual, residual_from)
    states = [normal(3, 5, seed=part) for part in range(4)]
    output, new_states = to_numpy(stack(INPUTS, states))
    lowest, *higher = (cell.get_weights() for cell in stack.cells)
    expected = oracles.lstm_step(INPUTS, states[:2], lowest)
    hidden = expected[0]
    for index, weights in enumerate(higher):
        (state,) = oracles.gru_step(hidden, [states[2 + index]], weights)
        expected.append(state)
        is_bridged = residual and index + 1 >= residual_from
        hidden = hidden + state if is_bridged else state
    np.testing.assert_allclose(output, hidden, atol=1e-5)
    for found, wanted in zip(new_states, expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("share_last_part", [True, False])
@pytest.mark.parametrize("residual_from", [1, 2])
def test_the_last_part_joins_the_inputs_of_the_lowest_or_of_all(
    share_last_part, residual_from
):
    stack = _of_all_kinds(
        INPUTS.shape,
        CONTEXT.shape,
        residual=True,
        residual_from=residual_from,
        share_last_part=share_last_part,
    )
    states = [normal(3, 5, seed=part) for part in range(5)]
    expected = _expected(stack, [INPUTS, CONTEXT], residual_from=residual_from)
    _check(stack([INPUTS, CONTEXT], states), expected)


def test_inputs_in_one_part_are_not_shared():
    stack = _of_all_kinds(INPUTS.shape, share_last_part=True)
    states = [normal(3, 5, seed=part) for part in range(5)]
    _check(stack([INPUTS], states), _expected(stack, [INPUTS]))
    _check(stack(INPUTS, states), _expected(stack, [INPUTS]))


def test_a_foreign_cell_at_the_bottom_reads_parts_as_joined():
    stack = StackedCells([keras.layers.GRUCell(5), RecurrentCell(5, "simple")])
    stack.build([INPUTS.shape, CONTEXT.shape])
    lowest, highest = randomize(stack).cells
    states = [normal(3, 5, seed=part) for part in range(2)]
    joined = np.concatenate([INPUTS, CONTEXT], axis=-1)
    first = oracles.gru_step(joined, states[:1], lowest.get_weights())
    weights = weights_by_name(highest)
    second = oracles.cell_step("simple", first, states[1:], weights)
    _check(stack([INPUTS, CONTEXT], states), (second[0], [*first, *second]))


@pytest.mark.parametrize("residual", [True, False])
def test_factors_meet_states_and_what_goes_from_cell_to_cell(residual):
    stack = _of_all_kinds(INPUTS.shape, CONTEXT.shape, residual=residual)
    states = [normal(3, 5, seed=part) for part in range(5)]
    keep = [
        {"recurrent": KEEP[0], "input": None},
        # A foreign cell does not know how to drop its states.
        {"recurrent": None, "input": KEEP[1]},
        {"recurrent": KEEP[2], "input": KEEP[3]},
    ]
    names = {"lowest": 0, "to middle": 1, "highest": 2, "to highest": 3}
    named = {name: KEEP[index] for name, index in names.items()}
    bridged = 1 if residual else 99
    expected = _expected(stack, [INPUTS, CONTEXT], named, bridged)
    inputs, *others = to_tensors([INPUTS, [CONTEXT], states, keep])
    _check(stack.advance(stack.project(inputs), *others), expected)


def test_factors_are_drawn_for_the_width_that_they_meet():
    cells = [RecurrentCell(5), keras.layers.GRUCell(3), RecurrentCell(2, "gru")]
    keep = StackedCells(cells).draw_dropout_masks(
        lambda width: f"state {width}", lambda width: f"input {width}"
    )
    assert keep == [
        {"recurrent": "state 5", "input": None},
        {"recurrent": None, "input": "input 5"},
        {"recurrent": "state 2", "input": "input 3"},
    ]


def test_keras_rnn_runs_the_stack():
    stack, inputs = _built(), normal(3, 4, 7)
    expected = keras.layers.RNN(stack.cells, return_sequences=True)(inputs)
    found = keras.layers.RNN(stack, return_sequences=True)(inputs)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=1e-5)


def test_initial_states_are_zeros_of_each_size():
    states = to_numpy(
        StackedCells([RecurrentCell(5), RecurrentCell(3, "gru")]).get_initial_state(7)
    )
    assert [state.shape for state in states] == [(7, 5), (7, 5), (7, 3)]
    assert not any(state.any() for state in states)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cells": []}, r"`cells` must hold at least one cell. Received: cells=\[\]"),
        ({"cells": [5]}, "`cell` must be a recurrent cell. Received: cell=5"),
        (
            {"cells": [keras.layers.GRUCell(5, recurrent_dropout=0.2)]},
            "`cell` must have no dropout.*: dropout=0.0, recurrent_dropout=0.2",
        ),
        (
            {
                "cells": [keras.layers.GRUCell(5), keras.layers.GRUCell(3)],
                "residual": True,
            },
            r"`cells` must have one width.* Received: widths=\[5, 3\]",
        ),
        (
            {"residual": True, "residual_from": 0},
            "`residual_from` must be at least 1.* Received: residual_from=0",
        ),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        StackedCells(**{"cells": [keras.layers.GRUCell(5)], **arguments})
