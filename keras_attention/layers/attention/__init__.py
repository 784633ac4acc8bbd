"""Attention of one head and of several.

Import the layers from `keras_attention.layers`; what else lies here is theirs.
"""

from keras_attention.layers.attention.alignment import (
    Alignment,
    LocalAlignment,
    MonotonicAlignment,
)
from keras_attention.layers.attention.attention import Attention
from keras_attention.layers.attention.multi_head_attention import MultiHeadAttention
from keras_attention.layers.attention.self_attention import SelfAttention

__all__ = [
    "Alignment",
    "Attention",
    "LocalAlignment",
    "MonotonicAlignment",
    "MultiHeadAttention",
    "SelfAttention",
]
