"""The loss, the metrics and the learning rate schedule of sequence-to-sequence models.

All of them run on each Keras backend, and a model compiled with them saves as
`.keras` and loads again.
"""

from keras_attention.training.losses import MaskedCrossEntropy
from keras_attention.training.metrics import MaskedAccuracy, Perplexity
from keras_attention.training.schedules import InverseSquareRoot

__all__ = [
    "InverseSquareRoot",
    "MaskedAccuracy",
    "MaskedCrossEntropy",
    "Perplexity",
]
