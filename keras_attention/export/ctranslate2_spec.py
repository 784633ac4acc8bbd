"""Transformers as models of CTranslate2: their weights in its order.

What is added to scores by distance (biases, and windows as a bias that nothing
overcomes) goes as a table of T5's relative biases (Raffel et al. 2020) with a bucket
for each distance.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_attention.export.transformer_parts import (
    Format,
    bias,
    kernel,
    never_written,
    position_table,
    scale_and_offset,
    to_numpy,
    token_table,
)
from keras_attention.layers import RotaryEmbedding
from keras_attention.models import LanguageModel, Seq2Seq
from keras_attention.optional_packages import needs

_CTRANSLATE2 = Format("CTranslate2")
# The bias of what is never attended to, and of ids that are never written; float16
# holds it.
_NEVER = -1e4
# Keras's names of activations, and theirs.
_ACTIVATIONS = {
    "relu": "RELU",
    "gelu": "GELU",
    "silu": "SWISH",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
}


def make_spec(model: Any, longest: int) -> Any:
    """The specification of a model, with its weights.

    Args:
        model: a `Seq2Seq` or `LanguageModel` of Transformer blocks.
        longest: the most positions of either side.

    Returns:
        A `TransformerSpec` or `TransformerDecoderModelSpec` without vocabularies.

    Raises:
        ValueError: for what CTranslate2 lacks.
        ImportError: without the extra `ctranslate2`.
    """
    with needs("ctranslate2", extra="ctranslate2", by="ctranslate2_spec"):
        from ctranslate2.specs import transformer_spec
    _CTRANSLATE2.check_model(model)
    stacks = [model.decoder]
    decoder = _decoder_spec(model, longest)
    if isinstance(model, LanguageModel):
        spec = transformer_spec.TransformerDecoderModelSpec(decoder)
    else:
        stacks.append(model.encoder)
        spec = transformer_spec.TransformerSpec(_encoder_spec(model, longest), decoder)
    blocks = [block for stack in stacks for block in stack.blocks]
    spec.config.layer_norm_epsilon = _CTRANSLATE2.common("layer_norm_epsilon", blocks)
    return spec


def _encoder_spec(model, longest):
    from ctranslate2.specs import transformer_spec

    stack = _Stack(model.encoder, longest, both_sides=True)
    spec = transformer_spec.TransformerEncoderSpec(
        len(stack.blocks), stack.num_heads, **stack.options()
    )
    _set_embedding(spec, spec.embeddings[0], model.source_embedding, longest, stack)
    stack.set_weights(spec)
    return spec


def _decoder_spec(model, longest):
    from ctranslate2.specs import transformer_spec

    stack = _Stack(model.decoder, longest, both_sides=False)
    heads = model.decoder.alignment_heads
    count = stack.num_heads if heads is None else len(heads)
    if heads is not None and [*heads] != [*range(count)]:
        raise _CTRANSLATE2.refusal(
            "only the first of the heads as `alignment_heads`", heads
        )
    spec = transformer_spec.TransformerDecoderSpec(
        len(stack.blocks),
        stack.num_heads,
        **stack.options(),
        with_encoder_attention=isinstance(model, Seq2Seq),
        alignment_layer=model.decoder.alignment_layer,
        alignment_heads=count,
    )
    _set_embedding(spec, spec.embeddings, model.target_embedding, longest, stack)
    stack.set_weights(spec)
    _set_logits(spec.projection, model)
    return spec


def _set_embedding(spec, embeddings, embedding, longest, stack):
    """Tokens and the positions that are added to them."""
    embeddings.weight = token_table(embedding)
    spec.scale_embeddings = embedding.scale
    if stack.adds_by_distance or stack.rotary is not None:
        if embedding.positions is not None:
            raise _CTRANSLATE2.refusal(
                "no window, no rotation and no bias by distance beside positions that "
                "are added to the embeddings",
                embedding.positions,
            )
        return
    # It makes sinusoids of its own where it is given no positions.
    spec.position_encodings.encodings = position_table(embedding, longest)


def _set_logits(projection, model):
    projection.weight, biases = _CTRANSLATE2.logits(model)
    biases = biases.copy()
    biases[never_written(model)] = _NEVER
    projection.bias = biases


class _Stack:
    """The blocks of an encoder or a decoder, checked, and what they have in common."""

    def __init__(self, stack: Any, longest: int, *, both_sides: bool) -> None:
        common = _CTRANSLATE2.common
        self.blocks = stack.blocks
        self._final_normalization = stack.normalization
        self._both_sides = both_sides
        sublayers = [block.sublayers() for block in self.blocks]
        own = [parts["self_attention"][0] for parts in sublayers]
        cross = [p["cross_attention"][0] for p in sublayers if "cross_attention" in p]
        networks = [parts["feed_forward"][0] for parts in sublayers]
        self.num_heads = common("num_heads", own + cross)
        self._options = {
            "num_heads_kv": common("num_key_value_heads", own + cross),
            "head_dim": common("key_dim", own + cross),
            "activation": _activation(common("activation", networks)),
            "ffn_glu": common("gated", networks),
            "pre_norm": common("normalize_first", self.blocks),
            "rms_norm": common("normalization", self.blocks) == "rms",
        }
        if (self._final_normalization is not None) != self._options["pre_norm"]:
            raise _CTRANSLATE2.refusal(
                "a `final_normalization` where blocks have `normalize_first`, and "
                "nowhere else",
                stack.final_normalization,
            )
        positions = [attention.position for attention in own]
        self.rotary = _rotary_of(positions)
        if self.rotary is None and any(one is not positions[0] for one in positions):
            raise _CTRANSLATE2.refusal(
                "only one `position`, shared by all blocks", positions
            )
        self._bias = None if self.rotary else positions[0]
        self._window = common("sliding_window", own)
        farthest = 1 if self._bias is None else longest
        self._reach = max(
            self._window or 1, getattr(self._bias, "max_distance", farthest)
        )

    @property
    def adds_by_distance(self) -> bool:
        """Whether scores change with the distance of query and key."""
        return self._bias is not None or self._window is not None

    def options(self) -> dict[str, Any]:
        """The arguments of a specification."""
        from ctranslate2.specs import attention_spec

        options = {
            **self._options,
            "relative_attention_bias": self.adds_by_distance,
        }
        if self.rotary is not None:
            options |= {
                "rotary_dim": 0,
                "rotary_interleave": False,
                "rotary_base": self.rotary.max_wavelength,
            }
            if self.rotary.scaling_factor != 1:
                options |= {
                    "rotary_scaling_type": attention_spec.RotaryScalingType.Linear,
                    "rotary_scaling_factor": self.rotary.scaling_factor,
                }
        return options

    def set_weights(self, spec: Any) -> None:
        """Put the weights of the blocks into a specification."""
        if self._final_normalization is not None:
            _set_normalization(spec.layer_norm, self._final_normalization)
        table = self._distance_table() if self.adds_by_distance else None
        for block, layer in zip(self.blocks, spec.layer, strict=True):
            sublayers = block.sublayers()
            own, residual = sublayers["self_attention"]
            _set_normalization(layer.self_attention.layer_norm, residual.normalization)
            projections = own.query_dense, own.key_dense, own.value_dense
            _set_linear(layer.self_attention.linear[0], *projections)
            _set_linear(layer.self_attention.linear[1], own.output_dense)
            if table is not None:
                layer.self_attention.relative_attention_bias = table
                layer.self_attention.relative_attention_max_distance = np.dtype(
                    "int32"
                ).type(2 * self._reach)
            if "cross_attention" in sublayers:
                other, residual = sublayers["cross_attention"]
                _set_normalization(layer.attention.layer_norm, residual.normalization)
                _set_linear(layer.attention.linear[0], other.query_dense)
                _set_linear(
                    layer.attention.linear[1], other.key_dense, other.value_dense
                )
                _set_linear(layer.attention.linear[2], other.output_dense)
            feed_forward, residual = sublayers["feed_forward"]
            _set_normalization(layer.ffn.layer_norm, residual.normalization)
            _set_linear(layer.ffn.linear_0, feed_forward.hidden_dense)
            _set_linear(layer.ffn.linear_1, feed_forward.output_dense)
            if feed_forward.gated:
                _set_linear(layer.ffn.linear_0_noact, feed_forward.gate_dense)

    def _distance_table(self) -> np.ndarray:
        """What is added to scores at each distance, `(buckets, heads)`.

        Half of the buckets of a side hold one distance each, which are as many as
        `reach`; the others, far ones. Buckets of the past come first.
        """
        behind = np.arange(2 * self._reach)
        distances = np.concatenate([-behind, behind]) if self._both_sides else -behind
        table = np.zeros((len(distances), self.num_heads), "float32")
        if self._bias is not None:
            added = self._bias.bias(ops.convert_to_tensor(distances, "int32"))
            table += to_numpy(added).T
        if self._window is not None:
            table[np.abs(distances) >= self._window] = _NEVER
        return table


def _rotary_of(positions: Sequence[Any]) -> Any:
    """What turns queries and keys, alike in all blocks; or `None`."""
    if not any(isinstance(position, RotaryEmbedding) for position in positions):
        return None
    settings = [
        (one.max_wavelength, one.scaling_factor)
        for one in positions
        if isinstance(one, RotaryEmbedding)
    ]
    if len({*settings}) > 1 or len(settings) < len(positions):
        raise _CTRANSLATE2.refusal("only one `position` in all blocks", positions)
    return positions[0]


def _activation(function):
    from ctranslate2.specs import common_spec

    name = keras.activations.serialize(function)
    if name not in _ACTIVATIONS:
        raise _CTRANSLATE2.refusal(f"only {[*_ACTIVATIONS]} as `activation`", name)
    return getattr(common_spec.Activation, _ACTIVATIONS[name])


def _set_linear(linear, *dense):
    """One product in place of several of the same inputs."""
    linear.weight = np.concatenate([kernel(layer) for layer in dense])
    linear.bias = np.concatenate([bias(layer) for layer in dense])


def _set_normalization(layer_norm, normalization):
    layer_norm.gamma, offset = scale_and_offset(normalization)
    if offset is not None:
        layer_norm.beta = offset
