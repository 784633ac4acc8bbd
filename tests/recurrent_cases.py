"""Rows of the recurrent layers and of the parts of recurrent models."""

from functools import partial

import keras

from keras_attention import layers, models
from tests.case import MEMORY, SCORES, SEQUENCE, SOURCE, WEIGHTS, Case, mask, tensor


def stacked_cells() -> layers.StackedCells:
    """Two cells of unlike states."""
    return layers.StackedCells([keras.layers.LSTMCell(11), keras.layers.GRUCell(11)])


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
        (tensor("batch", "target", 17), WEIGHTS, [STATE, tensor("batch", 17)]),
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
        {"cell": GRU, "attention": GENERAL},
        {"inputs": SEQUENCE, "memory": RNN_MEMORY},
        READ,
    ),
    Case(
        models.RNNDecoder,
        {
            "cell": GRU,
            "attention": GENERAL,
            "input_feeding": False,
            "peeky": True,
            "dropout": 0.3,
        },
        {"inputs": SEQUENCE, "memory": RNN_MEMORY},
        tensor("batch", "target", 22),
    ),
    Case(
        models.RNNDecoder,
        {"cell": GRU, "attention": None, "peeky": True},
        {"inputs": SEQUENCE, "memory": RNN_MEMORY},
        tensor("batch", "target", 22),
    ),
]
