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

from keras_attention.layers import (
    FeedForward,
    MultiHeadAttention,
    PositionalEmbedding,
    RotaryEmbedding,
    TransformerDecoder,
    TransformerEncoder,
)
from keras_attention.layers.projection import float_kernel
from keras_attention.models import (
    DecoderStack,
    EncoderStack,
    LanguageModel,
    Seq2Seq,
)
from keras_attention.optional_packages import needs
from keras_attention.special_ids import PAD

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
    is_known = type(model) in (Seq2Seq, LanguageModel)
    if not is_known or type(model.decoder) is not DecoderStack:
        raise _refusal("only models of `transformer` and `language_model`", model)
    stacks = [model.decoder]
    decoder = _decoder_spec(model, longest)
    if isinstance(model, LanguageModel):
        spec = transformer_spec.TransformerDecoderModelSpec(decoder)
    else:
        stacks.append(model.encoder)
        spec = transformer_spec.TransformerSpec(_encoder_spec(model, longest), decoder)
    blocks = [block for stack in stacks for block in stack.blocks]
    spec.config.layer_norm_epsilon = _common("layer_norm_epsilon", blocks)
    return spec


def _refusal(holds: str, received: Any) -> ValueError:
    return ValueError(f"CTranslate2 holds {holds}. Received: {received!r}")


def _encoder_spec(model, longest):
    from ctranslate2.specs import transformer_spec

    if type(model.encoder) is not EncoderStack or model.source_dim is not None:
        raise _refusal("only encoders of `transformer`, of ids", model.encoder)
    stack = _Stack(model.encoder, TransformerEncoder, longest, both_sides=True)
    spec = transformer_spec.TransformerEncoderSpec(
        len(stack.blocks), stack.num_heads, **stack.options()
    )
    _set_embedding(spec, spec.embeddings[0], model.source_embedding, longest, stack)
    stack.set_weights(spec)
    return spec


def _decoder_spec(model, longest):
    from ctranslate2.specs import transformer_spec

    stack = _Stack(model.decoder, TransformerDecoder, longest, both_sides=False)
    heads = model.decoder.alignment_heads
    count = stack.num_heads if heads is None else len(heads)
    if heads is not None and [*heads] != [*range(count)]:
        raise _refusal("only the first of the heads as `alignment_heads`", heads)
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
    if type(embedding) is not PositionalEmbedding:
        raise _refusal("only a `PositionalEmbedding` of ids", embedding)
    embeddings.weight = _table(embedding)
    spec.scale_embeddings = embedding.scale
    if stack.adds_by_distance or stack.rotary is not None:
        if embedding.positions is not None:
            raise _refusal(
                "no window, no rotation and no bias by distance beside positions that "
                "are added to the embeddings",
                embedding.positions,
            )
        return
    # It makes sinusoids of its own where it is given no positions.
    positions = np.arange(embedding.max_length or longest)
    added = embedding.position_vectors(positions)
    shape = len(positions), embedding.embedding_dim
    spec.position_encodings.encodings = (
        np.zeros(shape, "float32") if added is None else _to_numpy(added)
    )


def _table(embedding):
    return _to_numpy(embedding.token_vectors(np.arange(embedding.vocabulary_size)))


def _set_logits(projection, model):
    output, embedding = model.output_projection, model.target_embedding
    if output is None:
        bias = embedding.logit_biases()
        projection.weight = _table(embedding)
    elif type(output) is keras.layers.Dense and _is_linear(output):
        bias = output.bias
        projection.weight = _kernel(output)
    else:
        raise _refusal("only a linear `Dense` layer of logits", output)
    size = len(projection.weight)
    bias = np.zeros(size, "float32") if bias is None else _to_numpy(bias).copy()
    bias[[PAD, model.start_id]] = _NEVER
    projection.bias = bias


def _is_linear(dense):
    return dense.activation is keras.activations.linear


class _Stack:
    """The blocks of an encoder or a decoder, checked, and what they have in common."""

    def __init__(
        self, stack: Any, kind: type, longest: int, *, both_sides: bool
    ) -> None:
        for block in stack.blocks:
            _check_block(block, kind)
        self.blocks = stack.blocks
        self._final_normalization = stack.normalization
        self._both_sides = both_sides
        sublayers = [block.sublayers() for block in self.blocks]
        own = [parts["self_attention"][0] for parts in sublayers]
        cross = [p["cross_attention"][0] for p in sublayers if "cross_attention" in p]
        networks = [parts["feed_forward"][0] for parts in sublayers]
        self.num_heads = _common("num_heads", own + cross)
        self._options = {
            "num_heads_kv": _common("num_key_value_heads", own + cross),
            "head_dim": _common("key_dim", own + cross),
            "activation": _activation(_common("activation", networks)),
            "ffn_glu": _common("gated", networks),
            "pre_norm": _common("normalize_first", self.blocks),
            "rms_norm": _common("normalization", self.blocks) == "rms",
        }
        if (self._final_normalization is not None) != self._options["pre_norm"]:
            raise _refusal(
                "a `final_normalization` where blocks have `normalize_first`, and "
                "nowhere else",
                stack.final_normalization,
            )
        positions = [attention.position for attention in own]
        self.rotary = _rotary_of(positions)
        if self.rotary is None and any(one is not positions[0] for one in positions):
            raise _refusal("only one `position`, shared by all blocks", positions)
        self._bias = None if self.rotary else positions[0]
        self._window = _common("sliding_window", own)
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
            bias = self._bias.bias(ops.convert_to_tensor(distances, "int32"))
            table += _to_numpy(bias).T
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
        raise _refusal("only one `position` in all blocks", positions)
    return positions[0]


def _common(name: str, layers: Sequence[Any]) -> Any:
    """An attribute that must be the same in all layers."""
    values = [getattr(layer, name) for layer in layers]
    if any(value != values[0] for value in values):
        raise _refusal(f"only one `{name}` in all blocks of a stack", values)
    return values[0]


def _activation(function):
    from ctranslate2.specs import common_spec

    name = keras.activations.serialize(function)
    if name not in _ACTIVATIONS:
        raise _refusal(f"only {[*_ACTIVATIONS]} as `activation`", name)
    return getattr(common_spec.Activation, _ACTIVATIONS[name])


def _check_block(block, kind):
    """Raise for what a block has that CTranslate2 lacks."""
    if type(block) is not kind:
        raise _refusal(f"only blocks that are a {kind.__name__}", block)
    if block.normalization not in ("layer", "rms"):
        raise _refusal("only 'layer' and 'rms' as `normalization`", block.normalization)
    for name, (layer, _) in block.sublayers().items():
        if name == "feed_forward":
            if type(layer) is not FeedForward:
                raise _refusal("only a `FeedForward` as `feed_forward`", layer)
            continue
        if type(layer) is not MultiHeadAttention:
            raise _refusal(f"only a `MultiHeadAttention` as `{name}`", layer)
        lacking = ["soft_cap", "query_key_norm", "use_gate"]
        if name == "cross_attention":
            lacking += ["position", "sliding_window"]
        for option in lacking:
            if getattr(layer, option):
                raise _refusal(f"no `{option}` of a {name}", getattr(layer, option))
        if layer.value_dim not in (None, layer.key_dim):
            raise _refusal("only a `value_dim` that is `key_dim`", layer.value_dim)


def _set_linear(linear, *dense):
    """One product in place of several of the same inputs."""
    linear.weight = np.concatenate([_kernel(layer) for layer in dense])
    biases = [
        np.zeros(layer.units, "float32") if layer.bias is None else layer.bias
        for layer in dense
    ]
    linear.bias = np.concatenate([_to_numpy(bias) for bias in biases])


def _kernel(dense):
    """The kernel `(out, in)`, adapters included."""
    return _to_numpy(float_kernel(dense)).T


def _set_normalization(layer_norm, normalization):
    weights = {weight.name: weight for weight in normalization.weights}
    layer_norm.gamma = _to_numpy(weights.get("gamma", weights.get("scale")))
    if "beta" in weights:
        layer_norm.beta = _to_numpy(weights["beta"])


def _to_numpy(tensor: Any) -> np.ndarray:
    return np.ascontiguousarray(ops.convert_to_numpy(ops.cast(tensor, "float32")))
