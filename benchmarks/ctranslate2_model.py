"""A `transformer` of this package as a model of CTranslate2, with the same weights."""

from pathlib import Path
from typing import Any

import ctranslate2
import keras
import numpy as np
from ctranslate2.specs import transformer_spec

from keras_attention import functional

SPECIAL = {0: "<blank>", 1: "<unk>", 2: "<s>", 3: "</s>"}


def tokens(size: int) -> list[str]:
    """A vocabulary whose words are the numbers of their ids."""
    return [SPECIAL.get(number, str(number)) for number in range(size)]


def convert(model: keras.Model, path: Path, positions: int = 512) -> None:
    """Write a pre-norm model with sinusoidal positions into a folder.

    Args:
        model: of `transformer`, with its default options.
        path: the folder.
        positions: the most positions of either side.
    """
    weights = {
        weight.path: keras.ops.convert_to_numpy(weight) for weight in model.weights
    }
    blocks = len(model.decoder.blocks)
    heads = model.decoder.blocks[0].num_heads
    spec = transformer_spec.TransformerSpec.from_config(blocks, heads, pre_norm=True)
    for side, part, name in (
        (spec.encoder, "encoder", "source_embedding"),
        (spec.decoder, "decoder", "target_embedding"),
    ):
        table = weights[f"{name}/tokens/embeddings"]
        embeddings = side.embeddings[0] if part == "encoder" else side.embeddings
        embeddings.weight = table
        side.scale_embeddings = True
        waves = functional.sinusoidal_positions(np.arange(positions), table.shape[1])
        side.position_encodings.encodings = keras.ops.convert_to_numpy(waves)
        _normalization(side.layer_norm, weights, f"{part}/final_normalization")
        for level, layer in enumerate(side.layer):
            _block(layer, weights, f"{part}/block_{level}")
    spec.decoder.projection.weight = weights["logits/kernel"].T
    spec.decoder.projection.bias = weights["logits/bias"]
    spec.register_source_vocabulary(
        tokens(len(weights["source_embedding/tokens/embeddings"]))
    )
    spec.register_target_vocabulary(
        tokens(len(weights["target_embedding/tokens/embeddings"]))
    )
    spec.config.bos_token, spec.config.eos_token = SPECIAL[2], SPECIAL[3]
    spec.config.unk_token = SPECIAL[1]
    spec.config.add_source_eos = False
    spec.validate()
    spec.optimize(quantization=None)
    path.mkdir()
    spec.save(str(path))


def load(path: Path, compute_type: str, threads: int) -> ctranslate2.Translator:
    """The model with one worker of some threads."""
    return ctranslate2.Translator(
        str(path), compute_type=compute_type, inter_threads=1, intra_threads=threads
    )


def _block(layer: Any, weights: dict[str, np.ndarray], path: str) -> None:
    is_decoder = f"{path}/cross_attention/query/kernel" in weights
    own = "self_attention_residual" if is_decoder else "attention_residual"
    _normalization(
        layer.self_attention.layer_norm, weights, f"{path}/{own}/normalization"
    )
    names = ("query", "key", "value")
    attention = f"{path}/self_attention"
    _dense(
        layer.self_attention.linear[0], weights, *(f"{attention}/{n}" for n in names)
    )
    _dense(layer.self_attention.linear[1], weights, f"{attention}/output")
    if is_decoder:
        attention = f"{path}/cross_attention"
        _normalization(
            layer.attention.layer_norm, weights, f"{attention}_residual/normalization"
        )
        _dense(layer.attention.linear[0], weights, f"{attention}/query")
        _dense(
            layer.attention.linear[1], weights, f"{attention}/key", f"{attention}/value"
        )
        _dense(layer.attention.linear[2], weights, f"{attention}/output")
    feed_forward = f"{path}/feed_forward"
    _normalization(
        layer.ffn.layer_norm, weights, f"{feed_forward}_residual/normalization"
    )
    _dense(layer.ffn.linear_0, weights, f"{feed_forward}/hidden")
    _dense(layer.ffn.linear_1, weights, f"{feed_forward}/output")


def _dense(linear: Any, weights: dict[str, np.ndarray], *paths: str) -> None:
    kernels = [weights[f"{path}/kernel"].T for path in paths]
    linear.weight = np.concatenate(kernels)
    linear.bias = np.concatenate([weights[f"{path}/bias"] for path in paths])


def _normalization(layer_norm: Any, weights: dict[str, np.ndarray], path: str) -> None:
    layer_norm.gamma = weights[f"{path}/gamma"]
    layer_norm.beta = weights[f"{path}/beta"]
