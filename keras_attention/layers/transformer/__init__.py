"""Transformer blocks and what they are made of.

Import the layers from `keras_attention.layers`; what else lies here is theirs.
"""

from keras_attention.layers.transformer.decoder import TransformerDecoder
from keras_attention.layers.transformer.encoder import TransformerEncoder
from keras_attention.layers.transformer.feed_forward import FeedForward

__all__ = ["FeedForward", "TransformerDecoder", "TransformerEncoder"]
