"""Builders of whole models, and the models and parts that they are made of.

All that is named here may be imported from here.
"""

from keras_attention.models.decoder_block import DecoderBlock
from keras_attention.models.ensemble import Ensemble
from keras_attention.models.gnmt import gnmt
from keras_attention.models.language_model import LanguageModel, language_model
from keras_attention.models.presets import (
    bahdanau2015,
    luong2015,
    sutskever2014,
    transformer_base,
    transformer_big,
    transformer_tiny,
)
from keras_attention.models.recurrent import rnn_seq2seq
from keras_attention.models.rnn_encoder_decoder import RNNDecoder, RNNEncoder
from keras_attention.models.seq2seq import Seq2Seq
from keras_attention.models.transformer import transformer
from keras_attention.models.transformer_stacks import DecoderStack, EncoderStack

__all__ = [
    "DecoderBlock",
    "DecoderStack",
    "EncoderStack",
    "Ensemble",
    "LanguageModel",
    "RNNDecoder",
    "RNNEncoder",
    "Seq2Seq",
    "bahdanau2015",
    "gnmt",
    "language_model",
    "luong2015",
    "rnn_seq2seq",
    "sutskever2014",
    "transformer",
    "transformer_base",
    "transformer_big",
    "transformer_tiny",
]
