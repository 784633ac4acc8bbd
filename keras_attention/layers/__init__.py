"""Attention layers, Transformer blocks and recurrent layers for any Keras model."""

from keras_attention.layers.alibi_bias import AlibiBias
from keras_attention.layers.attention import Attention
from keras_attention.layers.feed_forward import FeedForward
from keras_attention.layers.multi_head_attention import MultiHeadAttention
from keras_attention.layers.positional_embedding import PositionalEmbedding
from keras_attention.layers.relative_position_bias import RelativePositionBias
from keras_attention.layers.rotary_embedding import RotaryEmbedding
from keras_attention.layers.self_attention import SelfAttention
from keras_attention.layers.transformer_decoder import TransformerDecoder
from keras_attention.layers.transformer_encoder import TransformerEncoder
from keras_attention.recurrent import (
    AttentionRNN,
    CellRNN,
    NTMCell,
    RecurrentCell,
    RecurrentEncoder,
    StackedCells,
)

__all__ = [
    "AlibiBias",
    "Attention",
    "AttentionRNN",
    "CellRNN",
    "FeedForward",
    "MultiHeadAttention",
    "NTMCell",
    "PositionalEmbedding",
    "RecurrentCell",
    "RecurrentEncoder",
    "RelativePositionBias",
    "RotaryEmbedding",
    "SelfAttention",
    "StackedCells",
    "TransformerDecoder",
    "TransformerEncoder",
]
