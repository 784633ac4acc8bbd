"""The loss, the metrics and the schedules of sequence-to-sequence models.

All of them run on each Keras backend, and a model compiled with them saves as
`.keras` and loads again.
"""

from keras_attention.training.averaging import average_checkpoints
from keras_attention.training.losses import MaskedCrossEntropy
from keras_attention.training.metrics import MaskedAccuracy, Perplexity
from keras_attention.training.schedules import InverseSigmoidDecay, InverseSquareRoot

__all__ = [
    "InverseSigmoidDecay",
    "InverseSquareRoot",
    "MaskedAccuracy",
    "MaskedCrossEntropy",
    "Perplexity",
    "average_checkpoints",
]
