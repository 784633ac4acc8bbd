"""Functions and their variables as models for other programs."""

from keras_attention.export.saved_model import export_saved_model

__all__ = ["export_saved_model"]
