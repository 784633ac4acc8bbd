"""Recurrent encoders and decoders."""

from keras_attention.recurrent.attention_rnn import AttentionRNN
from keras_attention.recurrent.cell_rnn import CellRNN
from keras_attention.recurrent.ntm_cell import NTMCell
from keras_attention.recurrent.recurrent_cell import RecurrentCell
from keras_attention.recurrent.recurrent_encoder import RecurrentEncoder
from keras_attention.recurrent.stacked_cells import StackedCells

__all__ = [
    "AttentionRNN",
    "CellRNN",
    "NTMCell",
    "RecurrentCell",
    "RecurrentEncoder",
    "StackedCells",
]
