"""Losses, metrics, schedules, callbacks and an optimizer, for sequences.

All of them run on each Keras backend, and a model compiled with them saves as
`.keras` and loads again.
"""

from keras_attention.training.adam import Adam
from keras_attention.training.adapters import (
    enable_lora,
    freeze,
    merge_lora,
    unfreeze,
)
from keras_attention.training.averaging import average_checkpoints, averaged_weights
from keras_attention.training.backup import Backup
from keras_attention.training.bleu import BleuCallback
from keras_attention.training.finite_loss import FiniteLoss
from keras_attention.training.losses import MaskedCrossEntropy
from keras_attention.training.metrics import MaskedAccuracy, Perplexity
from keras_attention.training.progress import TokenCount, TokensPerSecond
from keras_attention.training.schedules import InverseSigmoidDecay, InverseSquareRoot
from keras_attention.training.show_translation import ShowTranslation
from keras_attention.training.time_limit import TimeLimit

__all__ = [
    "Adam",
    "Backup",
    "BleuCallback",
    "FiniteLoss",
    "InverseSigmoidDecay",
    "InverseSquareRoot",
    "MaskedAccuracy",
    "MaskedCrossEntropy",
    "Perplexity",
    "ShowTranslation",
    "TimeLimit",
    "TokenCount",
    "TokensPerSecond",
    "average_checkpoints",
    "averaged_weights",
    "enable_lora",
    "freeze",
    "merge_lora",
    "unfreeze",
]
