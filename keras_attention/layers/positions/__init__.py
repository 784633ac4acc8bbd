"""Where a token stands: added to its embedding, as a rotation, or as a bias of scores.

Import the layers from `keras_attention.layers`; what else lies here is theirs.
"""

from keras_attention.layers.positions.alibi_bias import AlibiBias
from keras_attention.layers.positions.positional_embedding import PositionalEmbedding
from keras_attention.layers.positions.relative_position_bias import (
    RelativePositionBias,
)
from keras_attention.layers.positions.rotary_embedding import RotaryEmbedding
from keras_attention.layers.positions.sine_position_encoding import (
    SinePositionEncoding,
)

__all__ = [
    "AlibiBias",
    "PositionalEmbedding",
    "RelativePositionBias",
    "RotaryEmbedding",
    "SinePositionEncoding",
]
