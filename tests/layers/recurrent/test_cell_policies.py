"""Cells, and other parts, under a dtype policy of their own; `Bidirectional`."""

from functools import partial

import keras
import numpy as np
import pytest

from keras_attention import layers, models
from tests.backends import to_numpy
from tests.tensors import normal, real_positions

INPUTS = normal(3, 5, 8)
POLICIES = ["mixed_float16", "float32", "float64"]
CELLS = {
    "ours": layers.RecurrentCell,
    "keras": keras.layers.GRUCell,
    "stack": lambda units, dtype: layers.StackedCells(
        [keras.layers.LSTMCell(units, dtype=dtype), layers.RecurrentCell(units)],
        dtype=dtype,
    ),
    "machine": lambda units, dtype: layers.NTMCell(units, 5, 3, dtype=dtype),
}
every_cell = pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)


def dtypes_of(tensors):
    return [
        keras.backend.standardize_dtype(t.dtype) for t in keras.tree.flatten(tensors)
    ]


def compute_dtype(policy):
    return policy.removeprefix("mixed_")


@pytest.mark.parametrize("policies", [POLICIES[:2], POLICIES[1::-1]], ids=str)
@every_cell
def test_outputs_are_of_the_layer_and_states_of_the_cell(make, policies):
    of_cell, of_layer = policies
    layer = layers.CellRNN(make(4, dtype=of_cell), dtype=of_layer)
    symbols = layer(keras.Input((None, 8)), return_state=True)
    outputs, states = layer(INPUTS, return_state=True)
    assert dtypes_of((outputs, states)) == dtypes_of(symbols)
    assert dtypes_of(outputs) == [compute_dtype(of_layer)]
    assert dtypes_of(states)[0] == compute_dtype(of_cell)
    exact = layers.CellRNN(make(4, dtype="float32"))
    exact.build(INPUTS.shape)
    exact.set_weights(layer.get_weights())
    np.testing.assert_allclose(to_numpy(outputs), to_numpy(exact(INPUTS)), atol=2e-2)


@pytest.mark.parametrize("policies", [POLICIES[:2], POLICIES[1::-1]], ids=str)
@pytest.mark.parametrize("order", ["luong", "bahdanau"])
@every_cell
def test_attention_reads_cells_of_another_dtype(make, order, policies):
    of_cell, of_layer = policies
    for of_attention in policies:
        layer = layers.AttentionRNN(
            make(4, dtype=of_cell),
            layers.Attention("general", dtype=of_attention, coverage="sum"),
            order=order,
            dtype=of_layer,
            dropout=0.1,
        )
        options = {"return_state": True, "return_attention_scores": True}
        symbols = layer(keras.Input((None, 8)), keras.Input((None, 8)), **options)
        found = layer(INPUTS, INPUTS, **options, training=True)
        assert dtypes_of(found) == dtypes_of(symbols)
        assert dtypes_of(found[0]) == [compute_dtype(of_layer)]


@pytest.mark.parametrize("policies", [POLICIES[:2], POLICIES[1::-1]], ids=str)
@every_cell
def test_the_loop_of_keras_runs_cells_of_another_dtype(make, policies):
    of_cell, of_layer = policies
    layer = keras.layers.RNN(make(4, dtype=of_cell), dtype=of_layer)
    assert np.isfinite(to_numpy(layer(INPUTS))).all()


def test_a_decoder_runs_parts_of_another_dtype():
    model = models.Seq2Seq(
        layers.PositionalEmbedding(11, 8),
        models.RNNEncoder(layers.RecurrentEncoder(4, dtype="mixed_float16"), [4, 4]),
        models.RNNDecoder(
            layers.AttentionRNN(
                layers.RecurrentCell(4), layers.Attention(), dtype="mixed_float16"
            )
        ),
        output=keras.layers.Dense(11),
    )
    ids = np.array([[2, 5, 6]])
    assert dtypes_of(model({"source": ids, "target": ids})) == ["float32"]
    state = model.start(model.encode(ids), 4)
    logits, *_ = model.step(np.array([2]), state, 0)
    assert np.isfinite(to_numpy(logits)).all()


def test_blocks_of_another_dtype():
    blocks = [
        layers.TransformerEncoder(9, 2, position=position, dtype=dtype)
        for dtype, position in (
            ("mixed_float16", layers.RelativePositionBias(8, 16, dtype="float32")),
            ("float32", layers.AlibiBias(dtype="mixed_float16")),
            ("mixed_float16", None),
        )
    ]
    stack = models.EncoderStack(blocks)
    mask = np.ones((3, 5), "bool")
    assert dtypes_of(stack(INPUTS, padding_mask=mask)["sequence"]) == ["float32"]


@pytest.mark.parametrize("merge_mode", ["concat", "sum", None])
def test_both_directions_are_those_of_a_recurrent_encoder(merge_mode, tmp_path):
    mask = real_positions([5, 3, 1], 5)
    layer = keras.layers.Bidirectional(
        layers.CellRNN(layers.RecurrentCell(4)), merge_mode
    )
    found = layer(INPUTS, mask=mask)
    encoder = layers.RecurrentEncoder(4, bidirectional=True)
    encoder.build(INPUTS.shape)
    encoder.set_weights(layer.get_weights())
    expected = to_numpy(encoder(INPUTS, mask=mask)[0])
    halves = expected[..., :4], expected[..., 4:]
    if merge_mode is None:
        expected = halves
    elif merge_mode == "sum":
        expected = halves[0] + halves[1]
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-6)
    if merge_mode is None:
        return
    inputs = keras.Input((None, 8))
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        to_numpy(loaded(INPUTS)), to_numpy(model(INPUTS)), atol=1e-6
    )


@pytest.mark.parametrize("cell", ["ours", "stack", "machine"])
def test_keras_runs_our_cells_in_both_directions(cell):
    rnn = keras.layers.RNN(CELLS[cell](4, dtype="float32"), return_sequences=True)
    outputs = to_numpy(keras.layers.Bidirectional(rnn)(INPUTS))
    assert outputs.shape[:2] == (3, 5)
    assert np.isfinite(outputs).all()


@pytest.mark.parametrize(
    "make",
    [
        partial(layers.SelfAttention, 4),
        partial(layers.RecurrentEncoder, 4),
        lambda: layers.AttentionRNN(layers.RecurrentCell(4), layers.Attention()),
        partial(layers.TransformerEncoder, 9, 2),
    ],
)
def test_what_has_no_direction_is_refused(make):
    with pytest.raises(ValueError, match=r"`keras.layers.Bidirectional` cannot wrap"):
        keras.layers.Bidirectional(make())


def test_a_decoder_does_not_read_backwards():
    rnn = layers.CellRNN(layers.RecurrentCell(4), go_backwards=True)
    with pytest.raises(ValueError, match="`rnn` must read forwards"):
        models.RNNDecoder(rnn)
