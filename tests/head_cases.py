"""Rows of the attentions of several heads that are not `MultiHeadAttention`."""

from functools import partial

from keras_attention import layers
from tests.case import (
    HEAD_WEIGHTS,
    KEY_BIAS,
    QUERY,
    SCORES,
    VALUE,
    Case,
    mask,
    tensor,
)

DIFFERENTIAL = [
    Case(
        layers.DifferentialAttention,
        {"num_heads": 2, "key_dim": 5},
        {"query": QUERY, "value": tensor("batch", "source", 17)},
        QUERY,
        without_effect=KEY_BIAS,
    ),
    Case(
        layers.DifferentialAttention,
        {
            "num_heads": 2,
            "key_dim": 5,
            "value_dim": 3,
            "dropout": 0.3,
            "use_bias": False,
            "depth": 2,
            "kernel_initializer": "he_normal",
            "seed": 5,
        },
        {
            "query": QUERY,
            "value": tensor("batch", "source", 17),
            "key": tensor("batch", "source", 19),
            "query_mask": mask("batch", "target"),
            "value_mask": mask("batch", "source"),
        },
        (QUERY, HEAD_WEIGHTS),
        SCORES,
    ),
    Case(
        layers.DifferentialAttention,
        {
            "num_heads": 6,
            "key_dim": 4,
            "num_key_value_heads": 2,
            "position": layers.RotaryEmbedding,
            "sliding_window": 3,
        },
        {"query": QUERY, "value": VALUE, "key_mask": mask("batch", "source")},
        QUERY,
        {"use_causal_mask": True},
    ),
    Case(
        layers.DifferentialAttention,
        {
            "num_heads": 2,
            "key_dim": 4,
            "position": partial(layers.RelativePositionBias, 8, 16),
        },
        {
            "query": QUERY,
            "value": VALUE,
            "attention_mask": mask("batch", 2, "target", "source"),
        },
        (QUERY, HEAD_WEIGHTS),
        SCORES,
        without_effect=KEY_BIAS,
    ),
]

LATENT_CACHE = {"key": tensor("batch", 1, "source", 11)}
LATENT = [
    Case(
        layers.MultiHeadLatentAttention,
        {"num_heads": 2, "key_dim": 5, "latent_dim": 7, "rotary_dim": 4},
        {"query": QUERY, "value": tensor("batch", "source", 17)},
        QUERY,
    ),
    Case(
        layers.MultiHeadLatentAttention,
        {
            "num_heads": 2,
            "key_dim": 5,
            "latent_dim": 7,
            "rotary_dim": 0,
            "value_dim": 3,
            "query_latent_dim": 11,
            "dropout": 0.3,
            "kernel_initializer": "he_normal",
            "seed": 5,
        },
        {
            "query": QUERY,
            "value": VALUE,
            "query_mask": mask("batch", "target"),
            "value_mask": mask("batch", "source"),
            "attention_mask": mask("batch", "target", "source"),
        },
        (QUERY, HEAD_WEIGHTS),
        SCORES,
    ),
    Case(
        layers.MultiHeadLatentAttention,
        {
            "num_heads": 2,
            "key_dim": 5,
            "latent_dim": 7,
            "rotary_dim": 4,
            "chunk_size": 2,
        },
        {"query": QUERY, "value": VALUE, "key_mask": mask("batch", "source")},
        QUERY,
        {"use_causal_mask": True},
    ),
    Case(
        layers.MultiHeadLatentAttention,
        {"num_heads": 2, "key_dim": 5, "latent_dim": 7, "rotary_dim": 4},
        {"query": QUERY, "value": QUERY, "cache": LATENT_CACHE},
        (QUERY, HEAD_WEIGHTS, LATENT_CACHE),
        {"cache_index": 2, **SCORES},
        needed=("source",),  # The cache must have room.
        # TensorFlow writes into a slice without a gradient.
        differentiable=False,
    ),
]

LINEAR = [
    Case(
        layers.LinearAttention,
        {"num_heads": 2, "key_dim": 5},
        {"query": QUERY, "value": tensor("batch", "source", 17)},
        QUERY,
    ),
    Case(
        layers.LinearAttention,
        {
            "num_heads": 2,
            "key_dim": 5,
            "value_dim": 3,
            "use_bias": False,
            "kernel_initializer": "he_normal",
        },
        {
            "query": QUERY,
            "value": tensor("batch", "source", 17),
            "key": tensor("batch", "source", 19),
            "query_mask": mask("batch", "target"),
            "value_mask": mask("batch", "source"),
            "key_mask": mask("batch", "source"),
        },
        (QUERY, HEAD_WEIGHTS),
        SCORES,
    ),
    Case(
        layers.LinearAttention,
        {"num_heads": 2, "key_dim": 5, "chunk_size": 2},
        {"query": QUERY, "value": VALUE, "value_mask": mask("batch", "source")},
        (QUERY, HEAD_WEIGHTS),
        {"use_causal_mask": True, **SCORES},
    ),
    Case(
        layers.LinearAttention,
        {"num_heads": 2, "key_dim": 5, "chunk_size": 3},
        {
            "query": tensor("batch", "source", 13),
            "value": tensor("batch", "target", 13),
        },
        tensor("batch", "source", 13),
        {"use_causal_mask": True},
    ),
]
