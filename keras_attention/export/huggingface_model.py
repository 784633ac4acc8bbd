"""Transformers as models of Hugging Face: a configuration, and weights by its names.

Post-norm models are `MarianMTModel`s, pre-norm ones `PegasusForConditionalGeneration`s.
Both have sinusoids that are all sines, then all cosines, where ours take turns: the
features of the whole model are put in their order, which no layer notices.
"""

from typing import Any

import keras
import numpy as np

from keras_attention.convert.marian_model import (
    DECODER_BLOCK,
    ENCODER_BLOCK,
    feature_order,
)
from keras_attention.export.transformer_parts import (
    Format,
    bias,
    kernel,
    position_table,
    scale_and_offset,
    token_table,
)
from keras_attention.models import Seq2Seq
from keras_attention.special_ids import PAD

HUGGING_FACE = Format("Hugging Face")
_ACTIVATIONS = ("relu", "gelu", "silu", "tanh", "sigmoid")
_EPSILON = 1e-5  # of their normalizations
_FARTHEST = 1e-4  # from it, where ours are another number as small
_POSITIONS = 1024  # of what is computed, where a model has no limit
_NEVER = -1e4  # the logit of an id that there is not; float16 holds it


def make_huggingface(
    model: Any, longest: int
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What Hugging Face's `config.json` says of a model, and its weights.

    Args:
        model: a `Seq2Seq` of Transformer blocks.
        longest: the most positions of either side.

    Raises:
        ValueError: for what Hugging Face lacks.
    """
    HUGGING_FACE.check_model(model)
    if not isinstance(model, Seq2Seq):
        raise HUGGING_FACE.refusal("only models from sequences to sequences", model)
    stacks = {"encoder": model.encoder, "decoder": model.decoder}
    blocks = [block for stack in stacks.values() for block in stack.blocks]
    is_first = HUGGING_FACE.common("normalize_first", blocks)
    embeddings = [model.source_embedding, model.target_embedding]
    _check(blocks, stacks.values(), is_first, embeddings)
    config = {
        **_sizes(stacks, embeddings[1].embedding_dim),
        "activation_function": _activation(blocks),
        "dropout": blocks[0].dropout,
        "attention_dropout": blocks[0].sublayers()["self_attention"][0].dropout,
        "activation_dropout": 0.0,
        "scale_embedding": HUGGING_FACE.common("scale", embeddings),
        "max_position_embeddings": _longest(embeddings, longest),
        "pad_token_id": PAD,
        "bos_token_id": model.start_id,
        "eos_token_id": model.end_id,
        "forced_eos_token_id": None,
        "decoder_start_token_id": model.start_id,
        "is_encoder_decoder": True,
        "use_cache": True,
    }
    weights: dict[str, np.ndarray] = {}
    for side, stack in stacks.items():
        weights |= _stack_weights(f"model.{side}", stack)
    write = _write_pegasus if is_first else _write_marian
    write(model, config, weights)
    order = np.argsort(feature_order(config["d_model"]))
    return config, {
        name: np.ascontiguousarray(_ordered(name, array, order))
        for name, array in weights.items()
    }


def _check(blocks, stacks, is_first, embeddings):
    for stack in stacks:
        if (stack.normalization is not None) != is_first:
            raise HUGGING_FACE.refusal(
                "a `final_normalization` where blocks have `normalize_first`, and "
                "nowhere else",
                stack.final_normalization,
            )
    if HUGGING_FACE.common("normalization", blocks) != "layer":
        raise HUGGING_FACE.refusal(
            "only 'layer' as `normalization`", blocks[0].normalization
        )
    epsilon = HUGGING_FACE.common("layer_norm_epsilon", blocks)
    if abs(epsilon - _EPSILON) > _FARTHEST:
        raise HUGGING_FACE.refusal(f"only {_EPSILON} as `layer_norm_epsilon`", epsilon)
    for block in blocks:
        for name, (layer, _) in block.sublayers().items():
            if name == "feed_forward":
                if layer.gated:
                    raise HUGGING_FACE.refusal("no `gated` feed-forward network", True)
                continue
            _check_attention(layer, embeddings[0].embedding_dim)
    kinds = {embedding.positions for embedding in embeddings}
    held = ("sinusoidal", "learned", None) if is_first else ("sinusoidal",)
    for kind in kinds:
        if kind not in held:
            raise HUGGING_FACE.refusal(
                "only 'sinusoidal' as `positions` where `normalize_first` is False",
                kind,
            )


def _check_attention(layer, dim):
    for option in ("position", "sliding_window"):
        if getattr(layer, option):
            raise HUGGING_FACE.refusal(f"no `{option}`", getattr(layer, option))
    if layer.num_key_value_heads not in (None, layer.num_heads):
        raise HUGGING_FACE.refusal(
            "only a `num_key_value_heads` that is `num_heads`",
            layer.num_key_value_heads,
        )
    if layer.key_dim * layer.num_heads != dim:
        raise HUGGING_FACE.refusal(
            f"only a `key_dim` of {dim} / {layer.num_heads}", layer.key_dim
        )


def _sizes(stacks, dim):
    sizes = {"d_model": dim}
    for side, stack in stacks.items():
        sublayers = [block.sublayers() for block in stack.blocks]
        attentions = [
            layer
            for parts in sublayers
            for name, (layer, _) in parts.items()
            if name != "feed_forward"
        ]
        networks = [parts["feed_forward"][0] for parts in sublayers]
        common = HUGGING_FACE.common
        sizes[f"{side}_layers"] = len(stack.blocks)
        sizes[f"{side}_attention_heads"] = common("num_heads", attentions)
        sizes[f"{side}_ffn_dim"] = common("intermediate_dim", networks)
        sizes[f"{side}_layerdrop"] = 0.0
    return sizes


def _activation(blocks):
    networks = [block.sublayers()["feed_forward"][0] for block in blocks]
    name = keras.activations.serialize(HUGGING_FACE.common("activation", networks))
    if name not in _ACTIVATIONS:
        raise HUGGING_FACE.refusal(f"only {[*_ACTIVATIONS]} as `activation`", name)
    return name


def _longest(embeddings, longest):
    """Both sides have one number of positions, which tables of the two must have."""
    limits = {embedding.max_length for embedding in embeddings}
    learned = {one.max_length for one in embeddings if one.positions == "learned"}
    if len(learned) > 1:
        raise HUGGING_FACE.refusal("only one `max_length` of both sides", limits)
    return next(iter(learned), max(longest, _POSITIONS))


def _stack_weights(prefix, stack):
    """The weights of the blocks of one side."""
    weights: dict[str, np.ndarray] = {}
    if stack.normalization is not None:
        weights |= _normalization(f"{prefix}.layer_norm", stack.normalization)
    names = DECODER_BLOCK if prefix.endswith("decoder") else ENCODER_BLOCK
    for level, block in enumerate(stack.blocks):
        for ours, part in _parts(block).items():
            theirs = f"{prefix}.layers.{level}.{names[ours]}"
            if ours.endswith("normalization"):
                weights |= _normalization(theirs, part)
                continue
            weights[f"{theirs}.weight"] = kernel(part)
            weights[f"{theirs}.bias"] = bias(part)
    return weights


def _normalization(name, layer):
    scale, offset = scale_and_offset(layer)
    return {f"{name}.weight": scale, f"{name}.bias": offset}


def _parts(block):
    """The projections and normalizations of a block, by the names they have in it."""
    parts = {}
    for sublayer, (layer, residual) in block.sublayers().items():
        parts[f"{residual.name}/normalization"] = residual.normalization
        names = ("query", "key", "value", "output")
        for name in ("hidden", "output") if sublayer == "feed_forward" else names:
            parts[f"{sublayer}/{name}"] = getattr(layer, f"{name}_dense")
    return parts


def _write_marian(model, config, weights):
    """Tables of both sides; their sinusoids are computed."""
    table, biases = HUGGING_FACE.logits(model)
    is_shared = model.source_embedding is model.target_embedding
    is_tied = model.output_projection is None
    config |= {
        "model_type": "marian",
        "architectures": ["MarianMTModel"],
        "normalize_before": False,
        "static_position_embeddings": True,
        "vocab_size": model.source_embedding.vocabulary_size,
        "decoder_vocab_size": model.target_embedding.vocabulary_size,
        "share_encoder_decoder_embeddings": is_shared and is_tied,
        "tie_word_embeddings": is_tied,
    }
    if is_shared and is_tied:
        weights["model.shared.weight"] = table
    else:
        for side, embedding in _sides(model):
            weights[f"model.{side}.embed_tokens.weight"] = token_table(embedding)
    if not is_tied:
        weights["lm_head.weight"] = table
    weights["final_logits_bias"] = biases[None]


def _write_pegasus(model, config, weights):
    """One size of both vocabularies: the smaller gets rows that are not used."""
    table, biases = HUGGING_FACE.logits(model)
    is_shared = model.source_embedding is model.target_embedding
    is_one = is_shared and model.output_projection is None
    size = max(one.vocabulary_size for _, one in _sides(model))
    config |= {
        "model_type": "pegasus",
        "architectures": ["PegasusForConditionalGeneration"],
        "vocab_size": size,
        "tie_word_embeddings": is_one,
    }
    for side, embedding in _sides(model):
        weights[f"model.{side}.embed_positions.weight"] = position_table(
            embedding, config["max_position_embeddings"]
        )
        if not is_one:
            tokens = _filled(token_table(embedding), size)
            weights[f"model.{side}.embed_tokens.weight"] = tokens
    # Where tables differ it is there all the same, and is not used.
    weights["model.shared.weight"] = _filled(table, size)
    if not is_one:
        weights["lm_head.weight"] = weights["model.shared.weight"].copy()
    weights["final_logits_bias"] = np.pad(
        biases, (0, size - len(biases)), constant_values=_NEVER
    )[None]


def _sides(model):
    return ("encoder", model.source_embedding), ("decoder", model.target_embedding)


def _filled(table, size):
    return np.pad(table, ((0, size - len(table)), (0, 0)))


def _ordered(name, array, order):
    """The axis that is as wide as the model, in their order."""
    part, kind = name.split(".")[-2:] if "." in name else ("", name)
    if part in ("k_proj", "v_proj", "q_proj", "fc1"):
        return array[..., order] if kind == "weight" else array
    if part in ("out_proj", "fc2"):
        return array[order]
    return array if name == "final_logits_bias" else array[..., order]
