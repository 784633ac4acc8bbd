"""`RecurrentEncoder` against Keras's recurrent layers with the weights copied."""

import keras
import numpy as np
import pytest

from keras_attention.layers import RecurrentEncoder
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


@pytest.mark.parametrize(
    ("cell", "bidirectional"), [("lstm", True), ("gru", False), ("simple", True)]
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
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        RecurrentEncoder(**{"units": 5, **options})
