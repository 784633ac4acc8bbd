"""Attention maps and curves of trainings as pictures."""

from keras_attention.visualization.attention_plot import plot_attention
from keras_attention.visualization.curves import plot_training

__all__ = ["plot_attention", "plot_training"]
