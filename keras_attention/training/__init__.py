"""Loss, metrics and learning rates for padded sequences of ids."""

from keras_attention.training.losses import MaskedCrossEntropy
from keras_attention.training.metrics import MaskedAccuracy, Perplexity
from keras_attention.training.schedules import InverseSquareRoot

__all__ = ["InverseSquareRoot", "MaskedAccuracy", "MaskedCrossEntropy", "Perplexity"]
