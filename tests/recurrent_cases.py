"""Rows of the recurrent layers and of the parts of recurrent models."""

from functools import partial

import keras

from keras_attention import layers, models
from tests.case import (
    MEMORY,
    SCORES,
    SEQUENCE,
    SOURCE,
    WEIGHTS,
    Case,
    mask,
    precise,
    tensor,
)


def stacked_cells() -> layers.StackedCells:
    """Two cells of unlike states."""
    return layers.StackedCells([keras.layers.LSTMCell(11), keras.layers.GRUCell(11)])


def own_cells(**options) -> layers.StackedCells:
    """The same of cells of our own."""
    return layers.StackedCells(
        [layers.RecurrentCell(11), layers.RecurrentCell(11, "gru")], **options
    )


LSTM, GRU = partial(keras.layers.LSTMCell, 11), partial(keras.layers.GRUCell, 11)
GENERAL = partial(layers.Attention, "general")
STATE = tensor("batch", 11)
READ = tensor("batch", "target", 11)
INPUTS_AND_MEMORY = {"inputs": SEQUENCE, "memory": MEMORY}

RECURRENT = [
    Case(
        layers.StackedCells,
        {"cells": [GRU, partial(keras.layers.SimpleRNNCell, 5)]},
        {"inputs": tensor("batch", 13), "states": [STATE, tensor("batch", 5)]},
        (tensor("batch", 5), [STATE, tensor("batch", 5)]),
    ),
    Case(
        layers.StackedCells,
        {"cells": [LSTM, GRU], "residual": True},
        {"inputs": tensor("batch", 13), "states": [STATE] * 3},
        (STATE, [STATE] * 3),
    ),
    Case(
        layers.RecurrentEncoder,
        {"units": 11},
        {"inputs": SEQUENCE},
        (READ, [[STATE, STATE]]),
    ),
    Case(
        layers.RecurrentEncoder,
        {
            "units": 5,
            "cell": "gru",
            "num_layers": 3,
            "bidirectional": True,
            "residual": True,
        },
        {"inputs": SEQUENCE, "mask": mask("batch", "target")},
        (tensor("batch", "target", 10), [[tensor("batch", 10)]] * 3),
    ),
    Case(
        layers.RecurrentEncoder,
        {
            "units": 11,
            "num_layers": 3,
            "bidirectional": "lowest",
            "residual": True,
            "residual_from": 2,
            "dropout": 0.3,
            "layer_normalization": True,
            "recurrent_dropout": 0.3,
            "variational": True,
            "seed": 5,
        },
        {"inputs": SEQUENCE},
        (READ, [[tensor("batch", 22)] * 2, [STATE] * 2, [STATE] * 2]),
    ),
    Case(
        layers.RecurrentEncoder,
        {"units": 11, "cell": "simple", "num_layers": 2, "dropout": 0.3, "seed": 5},
        {"inputs": SEQUENCE},
        (READ, [[STATE]] * 2),
    ),
    Case(
        layers.AttentionRNN,
        {"cell": LSTM, "attention": GENERAL},
        INPUTS_AND_MEMORY,
        READ,
    ),
    Case(
        layers.AttentionRNN,
        {
            "cell": GRU,
            "attention": partial(layers.Attention, "additive", units=13),
            "input_feeding": False,
            "attention_units": 17,
        },
        {
            **INPUTS_AND_MEMORY,
            "memory_mask": mask("batch", "source"),
            "initial_state": [STATE],
        },
        (tensor("batch", "target", 17), WEIGHTS, [STATE]),
        {"return_state": True, **SCORES},
    ),
    Case(
        layers.AttentionRNN,
        {
            "cell": partial(stacked_cells),
            "attention": partial(layers.Attention, "general", dropout=0.3),
            "dropout": 0.3,
            "seed": 5,
        },
        {**INPUTS_AND_MEMORY, "initial_state": [STATE] * 4},
        (READ, [STATE] * 4),
        {"return_state": True},
    ),
]

CELLS = [
    Case(
        layers.RecurrentCell,
        {"units": 11},
        {"inputs": tensor("batch", 13), "states": [STATE] * 2},
        (STATE, [STATE] * 2),
    ),
    Case(
        layers.RecurrentCell,
        {"units": 11, "cell": "gru", "layer_normalization": True},
        {"inputs": tensor("batch", 13), "states": [STATE]},
        (STATE, [STATE]),
    ),
    Case(
        layers.RecurrentCell,
        {"units": 11, "cell": "simple"},
        {"inputs": tensor("batch", 13), "states": [STATE]},
        (STATE, [STATE]),
    ),
    Case(
        layers.NTMCell,
        {"units": 11, "memory_slots": 5, "memory_dim": 3, "read_heads": 2},
        {
            "inputs": tensor("batch", 13),
            "states": [STATE, STATE, *(tensor("batch", size) for size in (6, 15, 15))],
        },
        (
            tensor("batch", 17),
            [STATE, STATE, *(tensor("batch", size) for size in (6, 15, 15))],
        ),
        without_effect=("first_read", "first_weights"),
    ),
    Case(
        layers.NTMCell,
        {
            "units": 11,
            "memory_slots": 7,
            "memory_dim": 3,
            "write_heads": 2,
            "shift_range": 2,
            "controller": "feed_forward",
        },
        {
            "inputs": tensor("batch", 13),
            "states": [tensor("batch", size) for size in (3, 21, 21)],
        },
        (tensor("batch", 14), [tensor("batch", size) for size in (3, 21, 21)]),
        without_effect=("first_read", "first_weights"),
    ),
    Case(layers.CellRNN, {"cell": GRU}, {"inputs": SEQUENCE}, READ),
    Case(
        layers.CellRNN,
        {
            "cell": partial(own_cells),
            "dropout": 0.3,
            "recurrent_dropout": 0.3,
            "seed": 5,
        },
        {"inputs": SEQUENCE, "initial_state": [STATE] * 3},
        (READ, [STATE] * 3),
        {"return_state": True},
    ),
    Case(
        layers.AttentionRNN,
        {
            "cell": partial(own_cells, residual=True, share_last_part=True),
            "attention": partial(
                layers.Attention,
                "additive",
                units=7,
                coverage="fertility",
                alignment="monotonic",
            ),
            "attention_units": 17,
            "order": "bahdanau",
            "readout": "maxout",
            "query_level": 0,
            "dropout": 0.3,
            "recurrent_dropout": 0.3,
            "seed": 5,
        },
        {**INPUTS_AND_MEMORY, "memory_mask": mask("batch", "source")},
        (
            tensor("batch", "target", 17),
            [*[STATE] * 3, tensor("batch", 17), *[precise("batch", "source")] * 2],
        ),
        {"return_state": True},
    ),
    Case(
        layers.AttentionRNN,
        {
            "cell": partial(own_cells),
            "attention": partial(layers.Attention, alignment="local_m", window=2),
            "input_feeding": False,
            "order": "bahdanau",
            "readout": "hidden",
        },
        {"inputs": SEQUENCE, "memory": tensor("batch", "source", 11)},
        READ,
    ),
]


def make_rnn(attends: bool, **options) -> keras.layers.Layer:
    """What a decoder runs, with attention or without."""
    if attends:
        return layers.AttentionRNN(GRU(), GENERAL(), **options)
    return layers.CellRNN(GRU(), **options)


RNN_MEMORY = {
    "sequence": MEMORY,
    "mask": mask("batch", "source"),
    "states": [STATE],
    "summary": STATE,
}

RECURRENT_PARTS = [
    Case(
        models.RNNEncoder,
        {
            "encoder": partial(layers.RecurrentEncoder, 19, "gru"),
            "state_sizes": [11],
            "dropout": 0.3,
        },
        SOURCE,
        {**RNN_MEMORY, "summary": tensor("batch", 19)},
    ),
    Case(
        models.RNNEncoder,
        {
            "encoder": partial(layers.RecurrentEncoder, 11, num_layers=2),
            "state_sizes": [11] * 4,
            "reverse_source": True,
        },
        SOURCE,
        {
            "sequence": tensor("batch", "source", 11),
            "mask": SOURCE["padding_mask"],
            "states": [STATE] * 4,
            "summary": STATE,
        },
    ),
    Case(
        models.RNNDecoder,
        {"rnn": partial(make_rnn, True)},
        {"inputs": SEQUENCE, "memory": RNN_MEMORY},
        READ,
    ),
    Case(
        models.RNNDecoder,
        {
            "rnn": partial(make_rnn, True, input_feeding=False, dropout=0.3),
            "peeky": True,
            "dropout": 0.3,
        },
        {"inputs": SEQUENCE, "memory": RNN_MEMORY},
        tensor("batch", "target", 22),
    ),
    Case(
        models.RNNDecoder,
        {"rnn": partial(make_rnn, False), "peeky": True},
        {"inputs": SEQUENCE, "memory": RNN_MEMORY},
        tensor("batch", "target", 22),
    ),
]
