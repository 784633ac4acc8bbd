"""Attention layers, Transformer blocks and recurrent layers for any Keras model.

All that is named here may be imported from here.
"""

from keras_attention.layers.attention import (
    Alignment,
    Attention,
    DifferentialAttention,
    LinearAttention,
    LocalAlignment,
    MonotonicAlignment,
    MultiHeadAttention,
    MultiHeadLatentAttention,
    SelfAttention,
)
from keras_attention.layers.positions import (
    AlibiBias,
    PositionalEmbedding,
    RelativePositionBias,
    RotaryEmbedding,
    SinePositionEncoding,
)
from keras_attention.layers.recurrent import (
    AttentionRNN,
    CellRNN,
    NTMCell,
    RecurrentCell,
    RecurrentEncoder,
    StackedCells,
)
from keras_attention.layers.transformer import (
    FeedForward,
    TransformerDecoder,
    TransformerEncoder,
)

__all__ = [
    "AlibiBias",
    "Alignment",
    "Attention",
    "AttentionRNN",
    "CellRNN",
    "DifferentialAttention",
    "FeedForward",
    "LinearAttention",
    "LocalAlignment",
    "MonotonicAlignment",
    "MultiHeadAttention",
    "MultiHeadLatentAttention",
    "NTMCell",
    "PositionalEmbedding",
    "RecurrentCell",
    "RecurrentEncoder",
    "RelativePositionBias",
    "RotaryEmbedding",
    "SelfAttention",
    "SinePositionEncoding",
    "StackedCells",
    "TransformerDecoder",
    "TransformerEncoder",
]
