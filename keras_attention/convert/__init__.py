"""Models of other programs, read into ours: weights, vocabularies and settings.

`Translator.from_marian` reads a folder of a `MarianMTModel`; what is named here may be
imported for more than that.
"""

from keras_attention.convert.ctranslate2_model import (
    CTranslate2Model,
    read_ctranslate2,
)
from keras_attention.convert.keras_layers import convert_layer, fill_block
from keras_attention.convert.keras_models import from_keras
from keras_attention.convert.marian import read_marian
from keras_attention.convert.precision import change_precision
from keras_attention.convert.torch_files import read_torch
from keras_attention.convert.vocabularies import change_vocabularies
from keras_attention.convert.weight_files import read_safetensors, read_weights
from keras_attention.convert.weights import assign_weights, named_weights

__all__ = [
    "CTranslate2Model",
    "assign_weights",
    "change_precision",
    "change_vocabularies",
    "convert_layer",
    "fill_block",
    "from_keras",
    "named_weights",
    "read_ctranslate2",
    "read_marian",
    "read_safetensors",
    "read_torch",
    "read_weights",
]
