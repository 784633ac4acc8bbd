"""Attention of one head and of several.

Import the layers from `keras_attention.layers`; what else lies here is theirs.
"""

from keras_attention.layers.attention.alignment import (
    Alignment,
    LocalAlignment,
    MonotonicAlignment,
)
from keras_attention.layers.attention.attention import Attention
from keras_attention.layers.attention.differential_attention import (
    DifferentialAttention,
)
from keras_attention.layers.attention.linear_attention import LinearAttention
from keras_attention.layers.attention.multi_head_attention import MultiHeadAttention
from keras_attention.layers.attention.multi_head_latent_attention import (
    MultiHeadLatentAttention,
)
from keras_attention.layers.attention.self_attention import SelfAttention

__all__ = [
    "Alignment",
    "Attention",
    "DifferentialAttention",
    "LinearAttention",
    "LocalAlignment",
    "MonotonicAlignment",
    "MultiHeadAttention",
    "MultiHeadLatentAttention",
    "SelfAttention",
]
