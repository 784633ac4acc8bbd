"""Recurrent encoders and decoders."""

from keras_attention.recurrent.attention_rnn import AttentionRNN
from keras_attention.recurrent.cells import StackedCells
from keras_attention.recurrent.recurrent_encoder import RecurrentEncoder

__all__ = ["AttentionRNN", "RecurrentEncoder", "StackedCells"]
