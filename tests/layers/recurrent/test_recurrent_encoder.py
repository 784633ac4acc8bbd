"""`RecurrentEncoder` against Keras's recurrent layers with the weights copied."""

import warnings

import keras
import numpy as np
import pytest

from keras_attention.layers import RecurrentEncoder
from tests import oracles
from tests.backends import to_numpy
from tests.tensors import in_keras_order, normal, randomize, real_positions

INPUTS = normal(3, 5, 7)
LAYERS = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple": keras.layers.SimpleRNN,
}


def _by_keras(encoder, inputs, mask):
    """Outputs and final states of a stack of Keras's layers."""
    weights, states = encoder.get_weights(), []
    for level in range(encoder.num_layers):
        layer = LAYERS[encoder.cell](
            encoder.units, return_sequences=True, return_state=True
        )
        if encoder.bidirectional:
            layer = keras.layers.Bidirectional(layer)
        layer.build(inputs.shape)
        count = {"lstm": 3, "gru": 4, "simple": 3}[encoder.cell]
        count *= 2 if encoder.bidirectional else 1
        layer.set_weights(in_keras_order(encoder.cell, weights[:count]))
        weights = weights[count:]
        with warnings.catch_warnings():
            # Keras 3.16 says of a layer in `Bidirectional` that it drops the mask.
            warnings.filterwarnings("ignore", ".*does not support masking")
            outputs, *final = to_numpy(layer(inputs, mask=mask))
        if encoder.bidirectional:
            half = len(final) // 2
            final = [
                np.concatenate([final[part], final[half + part]], axis=-1)
                for part in range(half)
            ]
        states.append(final)
        inputs = inputs + outputs if encoder.residual and level else outputs
    return inputs, states


@pytest.mark.parametrize(
    ("cell", "bidirectional", "num_layers", "residual"),
    [
        ("lstm", False, 3, True),
        ("lstm", True, 3, False),
        ("gru", False, 3, False),
        ("gru", True, 3, True),
        ("simple", True, 1, False),
    ],
)
def test_outputs_and_states(cell, bidirectional, num_layers, residual):
    encoder = RecurrentEncoder(
        5, cell, num_layers, bidirectional=bidirectional, residual=residual
    )
    encoder.build(INPUTS.shape)
    randomize(encoder)
    mask = real_positions([5, 3, 2], 5)
    outputs, states = encoder(INPUTS, mask=mask)
    expected, expected_states = _by_keras(
        encoder, INPUTS, keras.ops.convert_to_tensor(mask)
    )
    np.testing.assert_allclose(to_numpy(outputs)[mask], expected[mask], atol=1e-5)
    for found, wanted in zip(states, expected_states, strict=True):
        for part, wanted_part in zip(found, wanted, strict=True):
            np.testing.assert_allclose(to_numpy(part), wanted_part, atol=1e-5)


def _by_name(encoder):
    """The weights of each cell, `"forward_0"` and so on."""
    cells = {}
    for weight in encoder.weights:
        *_, cell, layer, name = weight.path.split("/")
        cells.setdefault(cell, {})[f"{layer}/{name}"] = to_numpy(weight)
    return cells


def _read(kind, weights, inputs, mask, backwards):
    """Outputs and last states of one direction, position by position."""
    batch, length, _ = inputs.shape
    count = 2 if kind == "lstm" else 1
    states, outputs = [np.zeros((batch, 5))] * count, np.zeros((batch, length, 5))
    order = range(length)
    for t in reversed(order) if backwards else order:
        new = oracles.cell_step(kind, [inputs[:, t]], states, weights)
        is_real = mask[:, t, None]
        states = [np.where(is_real, *pair) for pair in zip(new, states, strict=True)]
        outputs[:, t] = np.where(is_real, new[0], 0)
    return outputs, states


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple"])
@pytest.mark.parametrize(
    ("bidirectional", "residual_from"), [("lowest", 2), ("lowest", 3), (False, 1)]
)
def test_normalized_layers_of_which_the_lowest_may_read_both_ways(
    cell, bidirectional, residual_from
):
    encoder = RecurrentEncoder(
        5,
        cell,
        4,
        bidirectional,
        residual=True,
        residual_from=residual_from,
        layer_normalization=True,
    )
    encoder.build(INPUTS.shape)
    weights = _by_name(randomize(encoder))
    assert ("backward_0" in weights) == (bidirectional == "lowest")
    assert "backward_1" not in weights
    mask = real_positions([5, 3, 2], 5)
    outputs, states = to_numpy(encoder(INPUTS, mask=mask))
    expected = INPUTS
    for level in range(4):
        ways = [
            _read(cell, weights[name], expected, mask, name.startswith("backward"))
            for name in (f"forward_{level}", f"backward_{level}")
            if name in weights
        ]
        read = np.concatenate([way[0] for way in ways], axis=-1)
        expected = expected + read if level >= residual_from else read
        last = zip(*(way[1] for way in ways), strict=True)
        for part, both in zip(states[level], last, strict=True):
            joined = np.concatenate(both, axis=-1)
            np.testing.assert_allclose(part, joined, atol=1e-5)
    np.testing.assert_allclose(outputs[mask], expected[mask], atol=1e-5)


def _identity(input_factor, recurrent_factor, **options):
    """A layer that adds multiples of its input and its state."""
    encoder = RecurrentEncoder(41, "simple", seed=3, **options)
    encoder.build((None, None, 41))
    bias, *_ = (weight for weight in encoder.weights if weight.ndim == 1)
    bias.assign(np.zeros(41))
    for weight, factor in zip(
        [weight for weight in encoder.weights if weight.ndim == 2],
        (input_factor, recurrent_factor),
        strict=True,
    ):
        weight.assign(factor * np.eye(41))
    return encoder


def test_recurrent_dropout_drops_the_same_units_at_each_step():
    encoder = _identity(1, 1, recurrent_dropout=0.5)
    inputs = 0.1 + 0.1 * np.abs(normal(37, 5, 41))
    outputs, _ = to_numpy(encoder(inputs, training=True))
    kept = (np.arctanh(outputs[:, 1:]) - inputs[:, 1:]) / outputs[:, :-1]
    np.testing.assert_allclose(kept, np.repeat(kept[:, :1], 4, axis=1), atol=2e-2)
    np.testing.assert_allclose(np.unique(kept[:, 0].round(1)), [0, 2])
    assert abs(kept[:, 0].mean() - 1) < 0.1
    again, _ = to_numpy(encoder(inputs, training=True))
    assert not np.allclose(outputs, again, atol=1e-3)


@pytest.mark.parametrize("variational", [True, False])
def test_variational_dropout_of_inputs_is_the_same_at_each_step(variational):
    encoder = _identity(1, 0, dropout=0.5, variational=variational)
    inputs = 0.1 + 0.1 * np.abs(normal(37, 5, 41))
    outputs, _ = to_numpy(encoder(inputs, training=True))
    kept = np.arctanh(outputs) / inputs
    np.testing.assert_allclose(np.unique(kept.round(2)), [0, 2])
    is_same = np.all(kept.round(2) == kept[:, :1].round(2), axis=1)
    # Five units at once are alike by chance in one case of sixteen.
    assert is_same.all() if variational else abs(is_same.mean() - 1 / 16) < 0.04
    assert abs(kept.mean() - 1) < 0.1


def test_nothing_is_dropped_in_inference():
    options = {"dropout": 0.5, "recurrent_dropout": 0.5, "variational": True}
    found, _ = to_numpy(_identity(1, 1, **options)(normal(3, 5, 41)))
    expected, _ = to_numpy(_identity(1, 1)(normal(3, 5, 41)))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("cell", "bidirectional"), [("lstm", True), ("gru", False), ("simple", "lowest")]
)
def test_padding_changes_nothing(cell, bidirectional):
    encoder = RecurrentEncoder(5, cell, 2, bidirectional=bidirectional)
    encoder.build(INPUTS.shape)
    randomize(encoder)
    lengths = [5, 3, 1]
    mask = real_positions(lengths, 5)
    padded = np.where(mask[..., None], INPUTS, np.float32(1e4))
    outputs, states = to_numpy(encoder(padded, mask=mask))
    for row, length in enumerate(lengths):
        alone, alone_states = to_numpy(encoder(INPUTS[row : row + 1, :length]))
        np.testing.assert_allclose(outputs[row, :length], alone[0], atol=1e-5)
        for found, wanted in zip(states, alone_states, strict=True):
            for part, wanted_part in zip(found, wanted, strict=True):
                np.testing.assert_allclose(part[row], wanted_part[0], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "`units` must be .* Received: units=0"),
        ({"num_layers": 0}, "`num_layers` must be .* Received: num_layers=0"),
        ({"cell": "elman"}, "`cell` must be one of .* Received: cell='elman'"),
        ({"dropout": 1.0}, "`dropout` must be .* Received: dropout=1.0"),
        (
            {"recurrent_dropout": -1},
            "`recurrent_dropout` must be .* Received: recurrent_dropout=-1",
        ),
        (
            {"bidirectional": "both"},
            "`bidirectional` must be one of .* Received: bidirectional='both'",
        ),
        (
            {"residual": True, "residual_from": 0},
            "`residual_from` must be at least 1.* residual_from=0, .*=False",
        ),
        (
            {"residual": True, "bidirectional": "lowest"},
            "`residual_from` must be at least 2.* residual_from=1, .*='lowest'",
        ),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        RecurrentEncoder(**{"units": 5, **options})


@pytest.mark.parametrize("cell", LAYERS)
def test_padding_in_front_or_between_changes_nothing(cell):
    encoder = RecurrentEncoder(5, cell, num_layers=2, bidirectional=True)
    short = normal(2, 3, 7)
    expected, expected_states = to_numpy(encoder(short))
    for places in ([2, 3, 4], [1, 3, 4], [0, 2, 4]):
        inputs = normal(2, 5, 7, seed=9)
        inputs[:, places] = short
        mask = np.zeros((2, 5), "bool")
        mask[:, places] = True
        found, states = to_numpy(encoder(inputs, mask=mask))
        np.testing.assert_allclose(found[:, places], expected, atol=1e-6)
        for state, wanted in zip(
            *map(keras.tree.flatten, (states, expected_states)), strict=True
        ):
            np.testing.assert_allclose(state, wanted, atol=1e-6)
