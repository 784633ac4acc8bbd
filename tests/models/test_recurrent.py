"""The `rnn_seq2seq` builder, its encoder and its decoder."""

import keras
import numpy as np
import pytest

from keras_attention.layers import (
    Attention,
    AttentionRNN,
    CellRNN,
    RecurrentEncoder,
)
from keras_attention.models import RNNDecoder, RNNEncoder
from tests.backends import to_numpy
from tests.small_models import SOURCE, TARGET, build, decode
from tests.tensors import normal, randomize, real_positions, weights_by_name

INPUTS, MASK = normal(3, 7, 6), real_positions([7, 5, 2], 7)


def _encoder(state_sizes, reverse_source=False, **options):
    layer = RNNEncoder(
        RecurrentEncoder(5, **options), state_sizes, reverse_source=reverse_source
    )
    layer.build(INPUTS.shape)
    return randomize(layer)


def test_final_states_of_the_right_sizes_are_handed_over():
    layer = _encoder([5, 5])
    memory = to_numpy(layer(INPUTS, padding_mask=MASK))
    sequence, ((hidden, carry),) = to_numpy(layer.encoder(INPUTS, mask=MASK))
    np.testing.assert_allclose(memory["sequence"], sequence, atol=1e-6)
    np.testing.assert_allclose(memory["states"][0], hidden, atol=1e-6)
    np.testing.assert_allclose(memory["states"][1], carry, atol=1e-6)
    np.testing.assert_allclose(memory["summary"], hidden, atol=1e-6)
    np.testing.assert_array_equal(memory["mask"], MASK)


@pytest.mark.parametrize(
    ("sizes", "options"),
    [([5], {"cell": "gru", "bidirectional": True}), ([3, 7], {"cell": "lstm"})],
)
def test_other_states_pass_a_bridge(sizes, options):
    layer = _encoder(sizes, **options)
    memory = to_numpy(layer(INPUTS, padding_mask=MASK))
    _, (final,) = to_numpy(layer.encoder(INPUTS, mask=MASK))
    weights = weights_by_name(layer)
    for index, (state, size) in enumerate(zip(memory["states"], sizes, strict=True)):
        kernel, bias = (weights[f"bridge_{index}/{k}"] for k in ("kernel", "bias"))
        assert state.shape == (3, size)
        expected = np.tanh(final[index] @ kernel + bias)
        np.testing.assert_allclose(state, expected, atol=1e-6)


def test_a_reversed_source_keeps_the_order_of_the_memory():
    layer = _encoder([5], reverse_source=True, cell="gru")
    memory = to_numpy(layer(INPUTS, padding_mask=MASK))
    for row, length in enumerate(MASK.sum(axis=1)):
        backwards = INPUTS[row : row + 1, :length][:, ::-1].copy()
        outputs, ((final,),) = to_numpy(layer.encoder(backwards))
        np.testing.assert_allclose(
            memory["sequence"][row, :length], outputs[0, ::-1], atol=1e-6
        )
        np.testing.assert_allclose(memory["summary"][row], final[0], atol=1e-6)


def test_a_decoder_without_attention_is_a_keras_rnn():
    cell = keras.layers.GRUCell(5)
    layer = RNNDecoder(CellRNN(cell), peeky=True)
    state = normal(3, 5, seed=2)
    memory = {
        "sequence": INPUTS,
        "mask": MASK,
        "states": [state],
        "summary": normal(3, 5, seed=3),
    }
    inputs = normal(3, 4, 6, seed=4)
    found = to_numpy(layer(inputs, memory))
    repeated = np.repeat(memory["summary"][:, None], 4, axis=1)
    rnn = keras.layers.RNN(cell, return_sequences=True)
    outputs = rnn(
        np.concatenate([inputs, repeated], axis=-1),
        initial_state=keras.ops.convert_to_tensor(state),
    )
    expected = np.concatenate([to_numpy(outputs), repeated], axis=-1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("input_feeding", [True, False])
def test_a_decoder_with_attention_is_an_attention_rnn(input_feeding):
    rnn = AttentionRNN(
        keras.layers.GRUCell(5), Attention("general"), input_feeding=input_feeding
    )
    memory = {
        "sequence": INPUTS,
        "mask": MASK,
        "states": [normal(3, 5, seed=2)],
        "summary": normal(3, 5, seed=3),
    }
    inputs = normal(3, 4, 6, seed=4)
    found = to_numpy(RNNDecoder(rnn)(inputs, memory))
    expected = rnn(inputs, INPUTS, memory_mask=MASK, initial_state=memory["states"])
    np.testing.assert_allclose(found, to_numpy(expected), atol=1e-5)


def test_without_attention_the_memory_is_the_final_state_alone():
    model = build("rnn", attention=None)
    state = model.start(model.encode(SOURCE), 5)
    shapes = [tuple(part.shape) for part in keras.tree.flatten(state)]
    assert set(shapes) == {(3, 5)}
    _, attention = decode(model, SOURCE, TARGET, 5)
    assert attention is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source_vocabulary_size": 0}, "`source_vocabulary_size` .*size=0"),
        ({"target_vocabulary_size": -1}, "`target_vocabulary_size` .*size=-1"),
        ({"embedding_dim": 0}, "`embedding_dim` must be .* embedding_dim=0"),
        ({"units": 0}, "`units` must be .* Received: units=0"),
        ({"num_layers": 0}, "`num_layers` must be .* Received: num_layers=0"),
        ({"cell": "rnn"}, "`cell` must be one of .* Received: cell='rnn'"),
        ({"dropout": -1}, "`dropout` must be .* Received: dropout=-1"),
        ({"attention": "luong"}, "must be one of .* Received: score='luong'"),
        (
            {"attention": "dot", "bidirectional": True},
            r'`score="dot"` needs .*query_shape=\(None, 1, 5\)',
        ),
        (
            {"attention_units": 3},
            "`attention_units` is only for.*attention='general', attention_units=3",
        ),
        (
            {"attention": None, "readout_units": 3},
            "need attention. .*attention=None, readout_units=3, readout='tanh'",
        ),
        ({"attention": None, "order": "bahdanau"}, "need attention. .*'bahdanau'"),
        (
            {"tie_embeddings": True, "embedding_dim": 5},
            "`tie_embeddings=True` .*source_vocabulary_size=11, "
            "target_vocabulary_size=13",
        ),
        (
            {"tie_embeddings": True},
            "`tie_embeddings=True` .*embedding_dim=7, width of outputs=5, peeky=False",
        ),
        (
            {"tie_embeddings": True, "embedding_dim": 5, "peeky": True},
            "`tie_embeddings=True` .*embedding_dim=5, width of outputs=5, peeky=True",
        ),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build("rnn", **options)


def test_attention_units_are_those_of_the_additive_score():
    model = build("rnn", attention="additive", attention_units=3)
    assert model.decoder.rnn.attention.units == 3
    assert build("rnn", attention="additive").decoder.rnn.attention.units == 5


@pytest.mark.parametrize("layer", [RNNEncoder, RNNDecoder])
def test_a_wrong_dropout_is_named(layer):
    parts = {
        RNNEncoder: {"encoder": RecurrentEncoder(5), "state_sizes": [5, 5]},
        RNNDecoder: {"rnn": CellRNN(keras.layers.GRUCell(5))},
    }
    with pytest.raises(ValueError, match=r"`dropout` must be .* Received: dropout=1.5"):
        layer(**parts[layer], dropout=1.5)


def test_a_decoder_of_another_layer_is_refused():
    with pytest.raises(ValueError, match="`rnn` must be an .* Received: rnn=<GRUCell"):
        RNNDecoder(keras.layers.GRUCell(5))


def test_states_that_do_not_fit_the_encoder_are_refused():
    encoder = RecurrentEncoder(5, "gru", num_layers=2)
    with pytest.raises(ValueError, match=r"`state_sizes` .* state_sizes=\[5\]"):
        RNNEncoder(encoder, [5])
