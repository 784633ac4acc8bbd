"""Translation from strings to strings, as TensorFlow graphs."""

from keras_attention.serving.graphs import Serving
from keras_attention.serving.saved_model import write_saved_model

__all__ = ["Serving", "write_saved_model"]
