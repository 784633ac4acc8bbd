"""Attention maps, curves of trainings and confidence as pictures."""

from keras_attention.visualization.attention_plot import plot_attention
from keras_attention.visualization.confidence_plot import plot_confidence
from keras_attention.visualization.curves import plot_training

__all__ = ["plot_attention", "plot_confidence", "plot_training"]
