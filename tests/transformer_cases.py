"""Rows of embeddings, Transformer blocks and their stacks."""

from functools import partial

from keras_attention import layers, models
from tests.case import (
    HEAD_WEIGHTS,
    KEY_BIAS,
    MEMORY,
    QUERY,
    SCORES,
    SEQUENCE,
    SOURCE,
    VOCABULARY,
    Case,
    ids,
    mask,
    tensor,
)

BLOCK = {"intermediate_dim": 23, "num_heads": 2}
OPTIONS = {
    "intermediate_dim": 23,
    "num_heads": 2,
    "dropout": 0.3,
    "activation": "silu",
    "layer_norm_epsilon": 1e-3,
    "kernel_initializer": "he_normal",
    "bias_initializer": "ones",
    "normalize_first": True,
    "normalization": "rms",
    "gated": True,
    "num_key_value_heads": 1,
}

MORE_OPTIONS = {
    "stochastic_depth": 0.2,
    "attention_options": {
        "sliding_window": 3,
        "query_key_norm": True,
        "soft_cap": 5.0,
        "chunk_size": 2,
    },
}

BLOCKS = [
    Case(
        layers.FeedForward,
        {"intermediate_dim": 23},
        {"inputs": SEQUENCE},
        SEQUENCE,
    ),
    Case(
        layers.FeedForward,
        {
            "intermediate_dim": 23,
            "activation": "gelu",
            "gated": True,
            "kernel_initializer": "he_normal",
            "bias_initializer": "ones",
        },
        {"inputs": SEQUENCE},
        SEQUENCE,
    ),
    Case(
        layers.TransformerEncoder,
        BLOCK,
        {"inputs": SEQUENCE},
        SEQUENCE,
        without_effect=KEY_BIAS,
    ),
    Case(
        layers.TransformerEncoder,
        OPTIONS,
        {
            "inputs": SEQUENCE,
            "padding_mask": mask("batch", "target"),
            "attention_mask": mask("batch", "target", "target"),
        },
        (SEQUENCE, tensor("batch", 2, "target", "target")),
        SCORES,
        without_effect=KEY_BIAS,
    ),
    Case(
        layers.TransformerEncoder,
        {**BLOCK, **MORE_OPTIONS, "dropout": 0.3, "position": layers.AlibiBias},
        {"inputs": SEQUENCE, "padding_mask": mask("batch", "target")},
        SEQUENCE,
    ),
    Case(
        layers.TransformerDecoder,
        {
            **BLOCK,
            **MORE_OPTIONS,
            "dropout": 0.3,
            "position": partial(layers.RelativePositionBias, 4, 5, bidirectional=False),
        },
        {"decoder_sequence": SEQUENCE, "encoder_sequence": MEMORY},
        SEQUENCE,
    ),
    Case(
        layers.TransformerDecoder,
        BLOCK,
        {"decoder_sequence": SEQUENCE},
        (SEQUENCE, {"self_attention": tensor("batch", 2, "target", "target")}),
        SCORES,
        without_effect=KEY_BIAS,
    ),
    Case(
        layers.TransformerDecoder,
        {**BLOCK, "normalize_first": True},
        {"decoder_sequence": SEQUENCE, "encoder_sequence": MEMORY},
        SEQUENCE,
        without_effect=KEY_BIAS,
    ),
    Case(
        layers.TransformerDecoder,
        OPTIONS,
        {
            "decoder_sequence": SEQUENCE,
            "encoder_sequence": MEMORY,
            "decoder_padding_mask": mask("batch", "target"),
            "decoder_attention_mask": mask("batch", "target", "target"),
            "encoder_padding_mask": mask("batch", "source"),
            "encoder_attention_mask": mask("batch", "target", "source"),
        },
        (
            SEQUENCE,
            {
                "self_attention": tensor("batch", 2, "target", "target"),
                "cross_attention": HEAD_WEIGHTS,
            },
        ),
        SCORES,
        without_effect=KEY_BIAS,
    ),
]

IDS = {"inputs": ids("batch", "target")}
TABLE = {"vocabulary_size": VOCABULARY, "embedding_dim": 13}

EMBEDDINGS = [
    Case(
        layers.PositionalEmbedding,
        TABLE,
        IDS,
        QUERY,
    ),
    Case(
        layers.PositionalEmbedding,
        {
            **TABLE,
            "max_length": 7,
            "positions": "learned",
            "mask_zero": False,
            "embeddings_initializer": "he_normal",
        },
        IDS,
        QUERY,
        {"start_index": 2},
    ),
    Case(
        layers.PositionalEmbedding,
        {
            **TABLE,
            "positions": None,
            "scale": False,
        },
        IDS,
        QUERY,
    ),
    Case(
        layers.PositionalEmbedding,
        TABLE,
        {"inputs": QUERY},
        tensor("batch", "target", VOCABULARY),
        {"reverse": True},
    ),
]

STACK_MEMORY = {"sequence": MEMORY, "mask": mask("batch", "source")}

STACKS = [
    Case(
        models.EncoderStack,
        {"blocks": [partial(layers.TransformerEncoder, **BLOCK)]},
        SOURCE,
        {"sequence": SOURCE["inputs"], "mask": SOURCE["padding_mask"]},
        without_effect=KEY_BIAS,
    ),
    Case(
        models.EncoderStack,
        {"blocks": [partial(layers.TransformerEncoder, **OPTIONS)] * 2, "dropout": 0.3},
        SOURCE,
        {"sequence": SOURCE["inputs"], "mask": SOURCE["padding_mask"]},
        without_effect=KEY_BIAS,
    ),
    Case(
        models.DecoderStack,
        {"blocks": [partial(layers.TransformerDecoder, **BLOCK)]},
        {"inputs": SEQUENCE, "memory": STACK_MEMORY},
        SEQUENCE,
        without_effect=KEY_BIAS,
    ),
    Case(
        models.DecoderStack,
        {"blocks": [partial(layers.TransformerDecoder, **OPTIONS)] * 2, "dropout": 0.3},
        {"inputs": SEQUENCE, "memory": STACK_MEMORY},
        SEQUENCE,
        without_effect=KEY_BIAS,
    ),
    Case(
        models.DecoderStack,
        {"blocks": [partial(layers.TransformerDecoder, **BLOCK)] * 2},
        {"inputs": SEQUENCE},
        SEQUENCE,
        without_effect=KEY_BIAS,
    ),
]
