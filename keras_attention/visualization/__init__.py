"""Attention maps as pictures."""

from keras_attention.visualization.attention_plot import plot_attention

__all__ = ["plot_attention"]
