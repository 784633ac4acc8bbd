"""Rows of the attention layers."""

from functools import partial
from typing import Any

import keras

from keras_attention import layers
from tests.case import (
    HEAD_WEIGHTS,
    KEY_BIAS,
    QUERY,
    SCORES,
    VALUE,
    WEIGHTS,
    Case,
    mask,
    tensor,
)

# What an `Attention` is given, and is not called by itself.
ALIGNMENTS = {"Alignment", "LocalAlignment", "MonotonicAlignment"}


@keras.saving.register_keras_serializable("keras_attention_tests")
def negative_distance(query: Any, key: Any) -> Any:
    """A score of one's own: the nearer, the better."""
    difference = keras.ops.expand_dims(query, 2) - keras.ops.expand_dims(key, 1)
    return -keras.ops.sum(keras.ops.square(difference), axis=-1)


ATTENTION = [
    Case(
        layers.Attention,
        {"score": "dot", "dropout": 0.3, "seed": 5},
        {"query": QUERY, "value": VALUE},
        QUERY,
    ),
    Case(
        layers.Attention,
        {"score": "scaled_dot"},
        {"query": QUERY, "value": tensor("batch", "source", 17), "key": VALUE},
        (tensor("batch", "target", 17), WEIGHTS),
        {"use_causal_mask": True, **SCORES},
    ),
    Case(
        layers.Attention,
        {"score": "general"},
        {
            "query": QUERY,
            "value": tensor("batch", "source", 17),
            "key": tensor("batch", "source", 19),
            "query_mask": mask("batch", "target"),
            "value_mask": mask("batch", "source"),
            "key_mask": mask("batch", "source"),
        },
        (tensor("batch", "target", 17), WEIGHTS),
        SCORES,
    ),
    Case(
        layers.Attention,
        {"score": "additive", "units": 11},
        {
            "query": QUERY,
            "value": tensor("batch", "source", 17),
            "attention_mask": mask("batch", "target", "source"),
        },
        tensor("batch", "target", 17),
    ),
    Case(
        layers.Attention,
        {"score": "cosine"},
        {"query": QUERY, "value": VALUE, "value_mask": mask("batch", "source")},
        QUERY,
    ),
    Case(
        layers.Attention,
        {"score": negative_distance},
        {"query": QUERY, "value": VALUE},
        (QUERY, WEIGHTS),
        SCORES,
    ),
    Case(
        layers.Attention,
        {"score": "additive", "units": 11, "normalize": True, "alignment": "monotonic"},
        {"query": QUERY, "value": VALUE, "value_mask": mask("batch", "source")},
        (QUERY, WEIGHTS),
        SCORES,
    ),
    Case(
        layers.Attention,
        {
            "alignment": "monotonic",
            "hard": True,
            "noise": 1.0,
            "stop_bias": 0.5,
            "dropout": 0.3,
            "seed": 5,
        },
        {"query": QUERY, "value": VALUE},
        (QUERY, WEIGHTS),
        SCORES,
        without_effect=("stop_bias",),
    ),
    Case(
        layers.Attention,
        {"score": "scaled_dot", "alignment": "local_m", "window": 2},
        {"query": QUERY, "value": VALUE, "query_mask": mask("batch", "target")},
        (QUERY, WEIGHTS),
        SCORES,
    ),
    Case(
        layers.Attention,
        # As wide as the memory: at an edge, half precision may choose another key.
        {"score": "general", "alignment": "local_p", "window": 7},
        {"query": QUERY, "value": VALUE, "value_mask": mask("batch", "source")},
        (QUERY, WEIGHTS),
        SCORES,
    ),
    Case(
        layers.SelfAttention,
        {"key_dim": 11},
        {"inputs": QUERY},
        tensor("batch", "target", 11),
        without_effect=KEY_BIAS,
    ),
    Case(
        layers.SelfAttention,
        {"key_dim": 11, "value_dim": 17, "use_causal_mask": True},
        {"inputs": QUERY, "attention_mask": mask("batch", "target", "target")},
        (tensor("batch", "target", 17), tensor("batch", "target", "target")),
        SCORES,
        without_effect=KEY_BIAS,
    ),
    Case(
        layers.SelfAttention,
        {
            "key_dim": 11,
            "dropout": 0.3,
            "use_bias": False,
            "kernel_initializer": "he_normal",
            "seed": 5,
        },
        {"inputs": QUERY, "mask": mask("batch", "target")},
        tensor("batch", "target", 11),
    ),
]

MULTI_HEAD = [
    Case(
        layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 11},
        {"query": QUERY, "value": tensor("batch", "source", 17)},
        QUERY,
        without_effect=KEY_BIAS,
    ),
    Case(
        layers.MultiHeadAttention,
        {
            "num_heads": 2,
            "key_dim": 11,
            "value_dim": 5,
            "output_shape": 19,
            "use_bias": False,
            "dropout": 0.3,
            "seed": 5,
        },
        {
            "query": QUERY,
            "value": tensor("batch", "source", 17),
            "key": tensor("batch", "source", 23),
            "query_mask": mask("batch", "target"),
            "value_mask": mask("batch", "source"),
        },
        (tensor("batch", "target", 19), HEAD_WEIGHTS),
        SCORES,
    ),
    Case(
        layers.MultiHeadAttention,
        {
            "num_heads": 6,
            "key_dim": 5,
            "num_key_value_heads": 2,
            "output_shape": (2, 17),
            "kernel_initializer": "he_normal",
            "bias_initializer": "ones",
        },
        {
            "query": QUERY,
            "value": VALUE,
            "attention_mask": mask("batch", "target", "source"),
        },
        (
            tensor("batch", "target", 2, 17),
            tensor("batch", 6, "target", "source"),
        ),
        {"use_causal_mask": True, **SCORES},
        without_effect=KEY_BIAS,
    ),
    Case(
        layers.MultiHeadAttention,
        {
            "num_heads": 3,
            "key_dim": 5,
            "num_key_value_heads": 1,
            "kernel_regularizer": "l2",
            "bias_regularizer": "l1",
            "activity_regularizer": "l2",
            "kernel_constraint": "non_neg",
            "bias_constraint": "max_norm",
        },
        {
            "query": QUERY,
            "value": VALUE,
            "attention_mask": mask("batch", 3, "target", "source"),
        },
        QUERY,
        without_effect=KEY_BIAS,
    ),
    Case(
        layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 5, "attention_axes": (2,)},
        {
            "query": tensor("batch", 3, "target", 13),
            "value": tensor("batch", 3, "source", 13),
            "value_mask": mask("batch", 3, "source"),
        },
        (
            tensor("batch", 3, "target", 13),
            tensor("batch", 3, 2, "target", "source"),
        ),
        SCORES,
        without_effect=KEY_BIAS,
    ),
    Case(
        layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 5, "value_dim": 3},
        {
            "query": QUERY,
            "value": QUERY,
            "cache": {
                "key": tensor("batch", 2, "source", 5),
                "value": tensor("batch", 2, "source", 3),
            },
        },
        (
            QUERY,
            HEAD_WEIGHTS,
            {
                "key": tensor("batch", 2, "source", 5),
                "value": tensor("batch", 2, "source", 3),
            },
        ),
        {"cache_index": 2, **SCORES},
        needed=("source",),  # The cache must have room.
        # TensorFlow writes into a slice without a gradient.
        differentiable=False,
    ),
    Case(
        layers.MultiHeadAttention,
        {
            "num_heads": 2,
            "key_dim": 6,
            "position": partial(layers.RotaryEmbedding, max_wavelength=50),
            "sliding_window": 3,
            "query_key_norm": True,
            "use_gate": True,
            "chunk_size": 2,
        },
        {"query": QUERY, "value": VALUE, "value_mask": mask("batch", "source")},
        QUERY,
    ),
    Case(
        layers.MultiHeadAttention,
        {
            "num_heads": 2,
            "key_dim": 6,
            "position": layers.AlibiBias,
            "soft_cap": 5.0,
            "dropout": 0.3,
            "chunk_size": 2,
        },
        {"query": QUERY, "value": VALUE},
        QUERY,
        {"use_causal_mask": True},
    ),
    Case(
        layers.MultiHeadAttention,
        {
            "num_heads": 2,
            "key_dim": 6,
            "position": partial(layers.RelativePositionBias, 8, 16),
        },
        {"query": QUERY, "value": VALUE},
        (QUERY, HEAD_WEIGHTS),
        SCORES,
        without_effect=KEY_BIAS,
    ),
]

HEADS = tensor("batch", 2, "target", 6)
HEAD_SCORES = tensor("batch", 2, "target", "source")

POSITIONS = [
    Case(
        layers.RotaryEmbedding,
        {"max_wavelength": 50, "scaling_factor": 2.0},
        {"inputs": tensor("batch", "target", 6)},
        tensor("batch", "target", 6),
    ),
    Case(
        layers.RotaryEmbedding,
        {"sequence_axis": -2},
        {"inputs": HEADS},
        HEADS,
        {"start_index": 3},
    ),
    Case(
        layers.SinePositionEncoding,
        {"max_wavelength": 50},
        {"inputs": tensor("batch", "target", 6)},
        tensor("batch", "target", 6),
        {"start_index": 3},
    ),
    Case(
        layers.AlibiBias,
        {"alibi_bias_max": 4},
        {"attention_scores": HEAD_SCORES},
        HEAD_SCORES,
    ),
    Case(
        layers.RelativePositionBias,
        {
            "num_buckets": 4,
            "max_distance": 5,
            "bidirectional": False,
            "embeddings_initializer": "he_normal",
        },
        {"attention_scores": HEAD_SCORES},
        HEAD_SCORES,
    ),
]
