"""`StackedCells` against its cells one after another."""

import keras
import numpy as np
import pytest

from keras_attention.layers import StackedCells
from keras_attention.recurrent.cells import make_cell
from tests import oracles
from tests.backends import to_numpy
from tests.tensors import normal, randomize

INPUTS = normal(3, 7)


def _built(residual):
    cells = [keras.layers.LSTMCell(5), keras.layers.GRUCell(5), keras.layers.GRUCell(5)]
    stack = StackedCells(cells, residual=residual)
    stack.build(INPUTS.shape)
    return randomize(stack)


@pytest.mark.parametrize("residual", [True, False])
def test_each_cell_reads_the_output_of_the_one_below(residual):
    stack = _built(residual)
    states = [normal(3, 5, seed=part) for part in range(4)]
    output, new_states = to_numpy(stack(INPUTS, states))
    lowest, *higher = (cell.get_weights() for cell in stack.cells)
    expected = oracles.lstm_step(INPUTS, states[:2], lowest)
    hidden = expected[0]
    for index, weights in enumerate(higher):
        (state,) = oracles.gru_step(hidden, [states[2 + index]], weights)
        expected.append(state)
        hidden = hidden + state if residual else state
    np.testing.assert_allclose(output, hidden, atol=1e-5)
    for found, wanted in zip(new_states, expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_keras_rnn_runs_the_stack():
    stack, inputs = _built(False), normal(3, 4, 7)
    expected = keras.layers.RNN(stack.cells, return_sequences=True)(inputs)
    found = keras.layers.RNN(stack, return_sequences=True)(inputs)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=1e-5)


def test_initial_states_are_zeros_of_each_size():
    states = to_numpy(
        StackedCells([make_cell("lstm", 5), make_cell("gru", 3)]).get_initial_state(7)
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
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        StackedCells(**arguments)


def test_an_unknown_cell_is_named():
    with pytest.raises(ValueError, match=r"`cell` must be one of.* cell='rnn'"):
        make_cell("rnn", 5)
