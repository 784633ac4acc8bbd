"""`RecurrentCell` against Keras's cells, and what it adds against the equations."""

import keras
import numpy as np
import pytest

from keras_attention.layers import RecurrentCell
from tests import oracles
from tests.backends import to_numpy, to_tensors
from tests.tensors import in_keras_order, normal, randomize, weights_by_name

INPUTS, PARTS = normal(3, 7), [normal(3, 7), normal(3, 11, seed=1), normal(3, 2)]
KERAS = {
    "lstm": keras.layers.LSTMCell,
    "gru": keras.layers.GRUCell,
    "simple": keras.layers.SimpleRNNCell,
}
KEEP = np.where(normal(3, 5, seed=3) < 0, 0, 2).astype("float32")
every_cell = pytest.mark.parametrize("cell", KERAS)
normalized_or_not = pytest.mark.parametrize("layer_normalization", [False, True])


def _built(cell, shape=INPUTS.shape, **options):
    layer = RecurrentCell(5, cell, **options)
    layer.build(shape)
    return randomize(layer)


def _states(layer):
    return [normal(3, 5, seed=5 + part) for part in range(len(layer.state_size))]


def _check(found, expected):
    output, states = to_numpy(found)
    np.testing.assert_allclose(output, expected[0], atol=1e-5)
    for state, wanted in zip(states, expected, strict=True):
        np.testing.assert_allclose(state, wanted, atol=1e-5)


@every_cell
def test_it_is_the_cell_of_keras(cell):
    layer = _built(cell)
    other = KERAS[cell](5)
    other.build(INPUTS.shape)
    other.set_weights(in_keras_order(cell, layer.get_weights()))
    states = _states(layer)
    _, expected = other(INPUTS, to_tensors(states))
    _check(layer(INPUTS, states), [to_numpy(state) for state in expected])


@every_cell
@normalized_or_not
def test_parts_of_inputs_count_as_joined(cell, layer_normalization):
    options = {"layer_normalization": layer_normalization}
    layer = _built(cell, [part.shape for part in PARTS], **options)
    joined = _built(cell, (3, 20), **options)
    weights = weights_by_name(layer)
    names = ["input/kernel", "input_1/kernel", "input_2/kernel"]
    weights["input/kernel"] = np.concatenate([weights.pop(name) for name in names])
    for weight in joined.weights:
        weight.assign(weights["/".join(weight.path.split("/")[-2:])])
    states = _states(layer)
    _, expected = joined(np.concatenate(PARTS, axis=-1), states)
    _check(layer(PARTS, states), to_numpy(expected))


@every_cell
@normalized_or_not
def test_all_steps_may_be_projected_at_once(cell, layer_normalization):
    layer = _built(cell, layer_normalization=layer_normalization)
    sequence = normal(3, 4, 7, seed=2)
    projected = layer.project(to_tensors(sequence))
    states = expected = to_tensors(_states(layer))
    for t in range(4):
        output, states = layer.advance(projected[:, t], [], states)
        _, expected = layer(sequence[:, t], expected)
        _check((output, states), to_numpy(expected))


@every_cell
@pytest.mark.parametrize("keep", [None, KEEP], ids=["all", "some"])
def test_sums_of_inputs_and_of_hidden_state_are_normalized_each(cell, keep):
    shapes = [part.shape for part in PARTS]
    layer = _built(cell, shapes, layer_normalization=True)
    states = _states(layer)
    factors = 1 if keep is None else keep
    expected = oracles.cell_step(cell, PARTS, states, weights_by_name(layer), factors)
    (first, *rest), *others = to_tensors([PARTS, states, keep])
    _check(layer.advance(layer.project(first), rest, *others), expected)


@every_cell
def test_factors_meet_the_hidden_state_on_its_way_to_the_gates(cell):
    layer, states = _built(cell), _states(_built(cell))
    weights = weights_by_name(layer)
    expected = oracles.cell_step(cell, [INPUTS], states, weights, KEEP)
    inputs, *others = to_tensors([INPUTS, states, KEEP])
    _check(layer.advance(layer.project(inputs), [], *others), expected)
    unlike = oracles.cell_step(cell, [INPUTS], states, weights)
    assert not np.allclose(unlike[0], expected[0], atol=1e-3)


def test_a_gru_keeps_what_was_masked_on_its_way_to_the_gates():
    layer = _built("gru")
    state, nothing = normal(3, 5), np.zeros((3, 5), "float32")
    # A high bias keeps the update gate open: the state stays as it was.
    layer.set_weights([part + 99 * (part.ndim == 1) for part in layer.get_weights()])
    inputs, *others = to_tensors([INPUTS, [state], nothing])
    _check(layer.advance(layer.project(inputs), [], *others), [state])


@pytest.mark.whole
@every_cell
@normalized_or_not
def test_only_the_forget_gate_has_a_bias_in_the_beginning(cell, layer_normalization):
    layer = RecurrentCell(5, cell, layer_normalization=layer_normalization)
    layer.build([part.shape for part in PARTS])
    weights = weights_by_name(layer)
    biases = {name for name in weights if name.endswith(("/bias", "/beta"))}
    first = "input_norm/beta" if layer_normalization else "input/bias"
    gates = {"lstm": 4, "gru": 3, "simple": 1}[cell]
    expected = np.zeros((gates, 5))
    expected[1:2] = cell == "lstm"
    np.testing.assert_array_equal(weights[first], expected.ravel())
    assert not any(weights[name].any() for name in biases - {first})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "`units` must be .* Received: units=0"),
        ({"units": 2.5}, "`units` must be .* Received: units=2.5"),
        ({"cell": "elman"}, "`cell` must be one of .* Received: cell='elman'"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        RecurrentCell(**{"units": 5, **arguments})
