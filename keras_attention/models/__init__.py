"""Builders of whole models, and the `Seq2Seq` that they return."""

from keras_attention.models.recurrent import rnn_seq2seq
from keras_attention.models.rnn_encoder_decoder import RNNDecoder, RNNEncoder
from keras_attention.models.seq2seq import Seq2Seq
from keras_attention.models.transformer import DecoderStack, EncoderStack, transformer

__all__ = [
    "DecoderStack",
    "EncoderStack",
    "RNNDecoder",
    "RNNEncoder",
    "Seq2Seq",
    "rnn_seq2seq",
    "transformer",
]
