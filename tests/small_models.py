"""Small models of every option, and their decoding step by step."""

from typing import Any

import keras
import numpy as np

from keras_attention.layers import Attention
from keras_attention.models import Seq2Seq, rnn_seq2seq, transformer
from tests.backends import to_numpy
from tests.tensors import randomize

SOURCE = np.array(
    [[4, 5, 6, 7, 8, 9, 3], [10, 4, 7, 5, 3, 0, 0], [6, 3, 0, 0, 0, 0, 0]], "int32"
)
TARGET = np.array([[2, 4, 5, 6, 7], [2, 8, 9, 10, 0], [2, 5, 0, 0, 0]], "int32")
INPUTS = {"source": SOURCE, "target": TARGET}
IS_REAL = TARGET != 0
SOURCE_VOCABULARY, TARGET_VOCABULARY = 11, 13

TRANSFORMERS: list[dict[str, Any]] = [
    {},
    {"normalize_first": False, "num_layers": 1},
    {"normalization": "rms", "gated": True, "activation": "silu"},
    {"tie_embeddings": True, "target_vocabulary_size": SOURCE_VOCABULARY},
    {"positions": "learned", "max_length": 7},
    {"num_key_value_heads": 1, "positions": None},
    {
        "positions": "rotary",
        "embedding_dim": 12,
        "attention_options": {"sliding_window": 3, "query_key_norm": True},
    },
    {"positions": "alibi", "num_layers": 1},
    {"positions": "relative", "stochastic_depth": 0.3},
]
RECURRENT: list[dict[str, Any]] = [
    {},
    {"cell": "gru", "attention": "dot", "peeky": True},
    {"cell": "simple", "attention": "additive", "input_feeding": False},
    {"attention": "scaled_dot", "num_layers": 2, "residual": True},
    {"attention": "cosine", "cell": "gru", "reverse_source": True, "num_layers": 2},
    {"bidirectional": True, "num_layers": 3, "residual": True, "cell": "gru"},
    {"attention": "additive", "bidirectional": True, "input_feeding": False},
    {"attention": None, "num_layers": 2},
    {"attention": None, "cell": "gru", "peeky": True, "reverse_source": True},
    {"attention": None, "bidirectional": True, "peeky": True, "reverse_source": True},
    {
        "tie_embeddings": True,
        "target_vocabulary_size": SOURCE_VOCABULARY,
        "embedding_dim": 5,
        "attention": Attention("general", dropout=0.2),
    },
]
MODELS = [
    *(("transformer", options) for options in TRANSFORMERS),
    *(("rnn", options) for options in RECURRENT),
]


def build(architecture: str, **options: Any) -> Seq2Seq:
    """A small model with random weights."""
    vocabularies = {
        "source_vocabulary_size": SOURCE_VOCABULARY,
        "target_vocabulary_size": TARGET_VOCABULARY,
    }
    if architecture == "rnn":
        sizes = {"embedding_dim": 7, "units": 5}
        return randomize(rnn_seq2seq(**{**vocabularies, **sizes, **options}))
    sizes = {
        "num_layers": 2,
        "num_heads": 2,
        "embedding_dim": 10,
        "intermediate_dim": 17,
    }
    return randomize(transformer(**{**vocabularies, **sizes, **options}))


def name_of(case: tuple[str, dict[str, Any]]) -> str:
    """The architecture and its options."""
    architecture, options = case
    words = [
        f"{name}={getattr(value, 'score', value)}" for name, value in options.items()
    ]
    return f"{architecture}({','.join(words)})"


def decode(
    model: Seq2Seq, source: np.ndarray, target: np.ndarray, max_length: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Logits and attention of one step after the other over given ids."""
    state = model.start(model.encode(source), max_length)
    logits, attentions = [], []
    for index in range(target.shape[1]):
        ids = keras.ops.convert_to_tensor(target[:, index])
        step_logits, state, attention = model.step(ids, state, index)
        logits.append(to_numpy(step_logits))
        attentions.append(to_numpy(attention))
    if attentions[0] is None:
        return np.stack(logits, axis=1), None
    return np.stack(logits, axis=1), np.stack(attentions, axis=1)
