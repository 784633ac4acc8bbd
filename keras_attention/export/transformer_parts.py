"""What formats of other libraries need of a Transformer: its parts, checked, as arrays.

Each format holds less than our layers can be; what it lacks is refused by name.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_attention.layers import (
    FeedForward,
    MultiHeadAttention,
    PositionalEmbedding,
    TransformerDecoder,
    TransformerEncoder,
)
from keras_attention.layers.projection import float_kernel
from keras_attention.models import DecoderStack, EncoderStack, LanguageModel, Seq2Seq
from keras_attention.special_ids import PAD


class Format(NamedTuple):
    """A format by the name that messages have for it."""

    name: str

    def refusal(self, holds: str, received: Any) -> ValueError:
        """The error for something that it lacks."""
        return ValueError(f"{self.name} holds {holds}. Received: {received!r}")

    def common(self, name: str, layers: Sequence[Any]) -> Any:
        """An attribute that must be the same in all layers."""
        values = [getattr(layer, name) for layer in layers]
        if any(value != values[0] for value in values):
            raise self.refusal(f"only one `{name}` in all blocks", values)
        return values[0]

    def check_model(self, model: Any) -> None:
        """Raise unless it is made of our stacks, and reads and writes ids."""
        is_known = type(model) in (Seq2Seq, LanguageModel)
        if not is_known or type(model.decoder) is not DecoderStack:
            raise self.refusal(
                "only models of `transformer` and `language_model`", model
            )
        embeddings = [model.target_embedding]
        if isinstance(model, Seq2Seq):
            if type(model.encoder) is not EncoderStack or model.source_dim is not None:
                raise self.refusal(
                    "only encoders of `transformer`, of ids", model.encoder
                )
            embeddings.append(model.source_embedding)
            self._check_blocks(model.encoder, TransformerEncoder)
        self._check_blocks(model.decoder, TransformerDecoder)
        for embedding in embeddings:
            if type(embedding) is not PositionalEmbedding:
                raise self.refusal("only a `PositionalEmbedding` of ids", embedding)

    def _check_blocks(self, stack, kind):
        for block in stack.blocks:
            if type(block) is not kind:
                raise self.refusal(f"only blocks that are a {kind.__name__}", block)
            if block.normalization not in ("layer", "rms"):
                raise self.refusal(
                    "only 'layer' and 'rms' as `normalization`", block.normalization
                )
            for name, (layer, _) in block.sublayers().items():
                self._check_sublayer(name, layer)

    def _check_sublayer(self, name, layer):
        if name == "feed_forward":
            if type(layer) is not FeedForward:
                raise self.refusal("only a `FeedForward` as `feed_forward`", layer)
            return
        if type(layer) is not MultiHeadAttention:
            raise self.refusal(f"only a `MultiHeadAttention` as `{name}`", layer)
        lacking = ["soft_cap", "query_key_norm", "use_gate"]
        if name == "cross_attention":
            lacking += ["position", "sliding_window"]
        for option in lacking:
            if getattr(layer, option):
                raise self.refusal(f"no `{option}` of a {name}", getattr(layer, option))
        if layer.value_dim not in (None, layer.key_dim):
            raise self.refusal("only a `value_dim` that is `key_dim`", layer.value_dim)

    def logits(self, model: Any) -> tuple[np.ndarray, np.ndarray]:
        """Vectors `(ids, width)` and biases `(ids,)` of the logits."""
        output = model.output_projection
        if output is None:
            return (
                token_table(model.target_embedding),
                _or_zeros(
                    model.target_embedding.logit_biases(),
                    model.target_embedding.vocabulary_size,
                ),
            )
        is_linear = (
            type(output) is keras.layers.Dense
            and output.activation is keras.activations.linear
        )
        if not is_linear:
            raise self.refusal("only a linear `Dense` layer of logits", output)
        return kernel(output), bias(output)


def never_written(model: Any) -> list[int]:
    """The ids that no search writes."""
    return [PAD, model.start_id]


def token_table(embedding: PositionalEmbedding) -> np.ndarray:
    """The vectors of all ids, `(ids, width)`."""
    return to_numpy(embedding.token_vectors(np.arange(embedding.vocabulary_size)))


def position_table(embedding: PositionalEmbedding, length: int) -> np.ndarray:
    """What is added at each position, `(positions, width)`; zeros for nothing."""
    if embedding.positions == "learned":
        length = embedding.max_length or length
    positions = np.arange(length)
    added = embedding.position_vectors(positions)
    shape = len(positions), embedding.embedding_dim
    return np.zeros(shape, "float32") if added is None else to_numpy(added)


def kernel(dense: Any) -> np.ndarray:
    """The kernel `(out, in)`, adapters included."""
    return np.ascontiguousarray(to_numpy(float_kernel(dense)).T)


def bias(dense: Any) -> np.ndarray:
    """The bias `(out,)`, of zeros where there is none."""
    return _or_zeros(dense.bias, dense.units)


def scale_and_offset(normalization: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """What normalized vectors are multiplied by, and what is added to them."""
    weights = {weight.name: weight for weight in normalization.weights}
    scale = to_numpy(weights.get("gamma", weights.get("scale")))
    return scale, to_numpy(weights["beta"]) if "beta" in weights else None


def to_numpy(tensor: Any) -> np.ndarray:
    """As float32."""
    return np.ascontiguousarray(ops.convert_to_numpy(ops.cast(tensor, "float32")))


def _or_zeros(bias, size):
    return np.zeros(size, "float32") if bias is None else to_numpy(bias)
