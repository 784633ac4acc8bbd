"""Translation from strings to strings, as TensorFlow graphs."""

from keras_attention.serving.batches import batches, collect
from keras_attention.serving.graphs import Serving
from keras_attention.serving.results import Hypothesis, Score
from keras_attention.serving.saved_model import write_saved_model

__all__ = [
    "Hypothesis",
    "Score",
    "Serving",
    "batches",
    "collect",
    "write_saved_model",
]
