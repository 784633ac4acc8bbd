"""Recurrent cells, encoders, and decoders that attend to a memory.

Import the layers from `keras_attention.layers`; what else lies here is theirs.
"""

from keras_attention.layers.recurrent.attention_rnn import AttentionRNN
from keras_attention.layers.recurrent.cell_rnn import CellRNN
from keras_attention.layers.recurrent.ntm_cell import NTMCell
from keras_attention.layers.recurrent.recurrent_cell import RecurrentCell
from keras_attention.layers.recurrent.recurrent_encoder import RecurrentEncoder
from keras_attention.layers.recurrent.stacked_cells import StackedCells

__all__ = [
    "AttentionRNN",
    "CellRNN",
    "NTMCell",
    "RecurrentCell",
    "RecurrentEncoder",
    "StackedCells",
]
