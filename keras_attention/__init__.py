"""Attention, sequence-to-sequence and Transformer translation for Keras 3."""

__version__ = "0.1.0"
