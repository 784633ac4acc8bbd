"""Translation from strings to strings, as TensorFlow graphs."""

from keras_attention.serving.batches import (
    batch_by_length,
    check_strings,
    map_batches,
)
from keras_attention.serving.graphs import Serving
from keras_attention.serving.parts import (
    check_ids,
    check_process,
    check_saved,
    check_search,
    load_model,
    load_search,
    save_model,
)
from keras_attention.serving.results import (
    Hypothesis,
    Score,
    rank,
    read_hypotheses,
    read_scores,
)
from keras_attention.serving.saved_model import write_saved_model

__all__ = [
    "Hypothesis",
    "Score",
    "Serving",
    "batch_by_length",
    "check_ids",
    "check_process",
    "check_saved",
    "check_search",
    "check_strings",
    "load_model",
    "load_search",
    "map_batches",
    "rank",
    "read_hypotheses",
    "read_scores",
    "save_model",
    "write_saved_model",
]
