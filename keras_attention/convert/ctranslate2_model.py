"""Transformers of CTranslate2, read into ours."""

import math
import re
from collections.abc import Callable
from os import PathLike
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_attention.convert.ctranslate2_files import read_ctranslate2_files
from keras_attention.convert.weights import assign_weights
from keras_attention.layers import (
    PositionalEmbedding,
    RelativePositionBias,
    RotaryEmbedding,
    TransformerDecoder,
    TransformerEncoder,
)
from keras_attention.models import DecoderStack, EncoderStack, Seq2Seq
from keras_attention.special_ids import END, START

_KINDS = ("TransformerSpec", "TransformerBase", "TransformerBig")
# Keras's names of activations, in its order.
_ACTIVATIONS = ("relu", None, "silu", "gelu", None, "tanh", "sigmoid")
_HEADS = {"TransformerBig": 16}  # where a file does not say
_POSITIONS = 1024
# Settings that say how to compute, and what they are where nothing else is meant.
_SETTINGS = {
    "alibi": 0,
    "alibi_use_positive_positions": None,
    "scale_alibi": None,
    "embeddings_merge": None,
    "start_from_zero_embedding": 0,
    "multi_query_attention": None,
}


class CTranslate2Model(NamedTuple):
    """A model that CTranslate2 runs, as one of ours.

    Attributes:
        model: with the ids of the file.
        source: the token of each source id.
        target: likewise.
        reads_end: whether a source ends with the end id.
    """

    model: Seq2Seq
    source: list[str]
    target: list[str]
    reads_end: bool


def read_ctranslate2(folder: str | PathLike[str]) -> CTranslate2Model:
    """Read a Transformer that CTranslate2 translates with.

    Args:
        folder: with `model.bin`, the vocabularies, and `config.json` where there is
            one. What is quantized is read as float32.

    Raises:
        FileNotFoundError: when a file is missing.
        ValueError: for a file that is truncated, altered or of something else, and for
            a part of a model that cannot be had here.
    """
    files = read_ctranslate2_files(folder)
    if files.kind not in _KINDS:
        raise ValueError(
            f"{str(folder)!r} is a {files.kind}, and only a TransformerSpec can be "
            "read here"
        )
    given = _Variables(files.variables, str(folder), _HEADS.get(files.kind, 8))
    epsilon = files.config.get("layer_norm_epsilon") or 1e-5
    source = _read_side(given, "encoder", epsilon)
    target = _read_side(given, "decoder", epsilon)
    start, end = (
        _id(files.target, files.config.get(name, default), fallback)
        for name, default, fallback in (
            ("decoder_start_token", "<s>", START),
            ("eos_token", "</s>", END),
        )
    )
    model = Seq2Seq(
        source.embedding,
        source.stack,
        target.stack,
        target.embedding,
        keras.layers.Dense(len(files.target), name="logits"),
        start_id=start,
        end_id=end,
        name="transformer",
    )
    source.assign()
    target.assign()
    projection = {
        "kernel": given.take("decoder/projection/weight").T,
        "bias": given.take("decoder/projection/bias", None),
    }
    if projection["bias"] is None:
        projection["bias"] = np.zeros(len(files.target), "float32")
    assign_weights(model.output_projection, projection, "decoder/projection")
    given.check_all_used()
    reads_end = bool(files.config.get("add_source_eos", False))
    return CTranslate2Model(model, files.source, files.target, reads_end)


def _id(tokens, token, fallback):
    return tokens.index(token) if token in tokens else fallback


class _Variables:
    """The variables of a file, given out by name, and what remains."""

    def __init__(self, found: dict[str, np.ndarray], where: str, heads: int) -> None:
        self._found = found
        self._left = set(found)
        self.where = where
        self.heads = heads

    def take(self, name: str, *default: Any) -> Any:
        """An array, or else the default."""
        self._left.discard(name)
        if name not in self._found and not default:
            raise ValueError(f"{self.where!r} lacks the weight {name!r}")
        return self._found.get(name, *default)

    def number(self, name: str, default: Any) -> Any:
        """A setting."""
        found = self.take(name, None)
        return default if found is None else found.item()

    def has(self, name: str) -> bool:
        """Whether there is such a variable."""
        return name in self._found

    def count_layers(self, side: str) -> int:
        """How many blocks a side has."""
        found = (re.match(rf"{side}/layer_(\d+)/", name) for name in self._found)
        return len({match[1] for match in found if match})

    def check_all_used(self) -> None:
        """Raise for variables that have no place in the model."""
        for name in sorted(self._left):
            setting = name.rpartition("/")[2]
            value = self._found[name]
            if setting in _SETTINGS and _SETTINGS[setting] in (None, value.tolist()):
                continue
            raise ValueError(
                f"{self.where!r} has {name!r}, which cannot be had here. "
                f"Received: an array of shape {value.shape}"
            )


class _Side(NamedTuple):
    """The layers of a side, and what sets their weights once they are built."""

    embedding: PositionalEmbedding
    stack: Any
    assign: Callable[[], None]


def _read_side(given, side, epsilon):
    """The layers of a side."""
    name = f"{side}/embeddings_0"
    if not given.has(f"{name}/weight"):
        name = f"{side}/embeddings"
    table = given.take(f"{name}/weight")
    width = table.shape[1]
    scale = bool(given.number(f"{side}/scale_embeddings", 1))
    blocks = _Blocks(given, side, width, epsilon)
    values = {"tokens/embeddings": table}
    positions, length = None, None
    if not blocks.knows_positions:
        default = _sinusoids(_POSITIONS, width)
        encodings = given.take(f"{side}/position_encodings/encodings", default)
        positions, length = "learned", len(encodings)
        values["positions/embeddings"] = encodings
    ours = "source" if side == "encoder" else "target"
    embedding = PositionalEmbedding(
        len(table), width, length, positions, scale, name=f"{ours}_embedding"
    )
    options = {"final_normalization": blocks.final, "name": side}
    if side == "encoder":
        stack: Any = EncoderStack(blocks.layers, **options)
    else:
        heads = given.number("decoder/alignment_heads", 0) or blocks.num_heads
        level = given.number("decoder/alignment_layer", -1)
        stack = DecoderStack(blocks.layers, 0.0, level, [*range(heads)], **options)

    def assign():
        assign_weights(embedding, values, f"{given.where}: {name}")
        blocks.assign(stack)

    return _Side(embedding, stack, assign)


def _sinusoids(length, width):
    """What CTranslate2 adds where a file has no positions: sines, then cosines."""
    half = width // 2
    slopes = np.exp(-math.log(10_000) / (half - 1) * np.arange(half))
    angles = np.arange(1, length + 1)[:, None] * slopes
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype("float32")


class _Blocks:
    """The blocks of a side, and their weights by name."""

    def __init__(
        self, given: _Variables, side: str, width: int, epsilon: float
    ) -> None:
        self._given, self._side, self._width = given, side, width
        first = f"{side}/layer_0"
        own = f"{first}/self_attention"
        self.num_heads = given.number(f"{side}/num_heads", given.heads)
        key_dim = self._common("head_dim", None) or width // self.num_heads
        self._key_value_heads = self._common("num_heads_kv", None)
        self._key_dim = key_dim
        pre_norm = bool(given.number(f"{side}/pre_norm", 1))
        self._is_rms = not given.has(f"{own}/layer_norm/beta")
        self._gated = given.has(f"{first}/ffn/linear_0_noact/weight")
        activation = _ACTIVATIONS[given.number(f"{side}/activation", 0)]
        if activation is None:
            raise ValueError(f"{given.where!r} has an activation that we lack")
        self._bias = self._read_bias(own)
        self._rotary = self._read_rotary()
        self.knows_positions = self._bias is not None or self._rotary is not None
        self.final: Any = False
        if given.has(f"{side}/layer_norm/gamma"):
            self.final = "rms" if self._is_rms else "layer"
        kinds = {"encoder": TransformerEncoder, "decoder": TransformerDecoder}
        self.layers = [
            kinds[side](
                given.take(f"{side}/layer_{level}/ffn/linear_0/weight").shape[0],
                self.num_heads,
                activation=activation,
                layer_norm_epsilon=epsilon,
                normalize_first=pre_norm,
                normalization="rms" if self._is_rms else "layer",
                gated=self._gated,
                num_key_value_heads=self._key_value_heads,
                position=self._bias or self._rotary,
                key_dim=key_dim,
                name=f"block_{level}",
            )
            for level in range(given.count_layers(side))
        ]

    def assign(self, stack: Any) -> None:
        """Set the weights of the built stack."""
        for level, layer in enumerate(self.layers):
            prefix = f"{self._side}/layer_{level}"
            values = self._block(prefix)
            if self._bias is not None:
                table = self._given.take(
                    f"{self._side}/layer_0/self_attention/relative_attention_bias"
                )
                values["relative/table/embeddings"] = table
            assign_weights(layer, values, f"{self._given.where}: {prefix}")
        if self.final:
            values = self._normalization(f"{self._side}/layer_norm")
            assign_weights(stack.normalization, values, f"{self._side}/layer_norm")

    def _common(self, setting, default):
        """A setting of all attentions, which must be one."""
        found = {
            self._given.number(
                f"{self._side}/layer_{level}/{attention}/{setting}", default
            )
            for level in range(self._given.count_layers(self._side))
            for attention in ("self_attention", "attention")
            if self._given.has(
                f"{self._side}/layer_{level}/{attention}/linear_0/weight"
            )
        }
        if len(found) > 1:
            raise ValueError(
                f"{self._given.where!r} has blocks of different {setting}: {found}"
            )
        return found.pop()

    def _read_bias(self, own):
        if not self._given.has(f"{own}/relative_attention_bias"):
            return None
        buckets = len(self._given.take(f"{own}/relative_attention_bias"))
        for level in range(self._given.count_layers(self._side)):
            name = f"{self._side}/layer_{level}/self_attention/relative_attention"
            self._given.take(f"{name}_bias", None)
            distance = self._given.number(f"{name}_max_distance", None)
        return RelativePositionBias(
            buckets, distance, self._side == "encoder", name="relative"
        )

    def _read_rotary(self):
        given, found = self._given, None
        for level in range(given.count_layers(self._side)):
            name = f"{self._side}/layer_{level}/self_attention/rotary"
            if not given.has(f"{name}_dim"):
                continue
            dim = given.number(f"{name}_dim", 0)
            if dim not in (0, self._key_dim) or given.number(f"{name}_interleave", 1):
                raise ValueError(
                    f"{given.where!r} turns features otherwise than in halves of a "
                    f"head. Received: {name}_dim={dim}"
                )
            given.number(f"{name}_scaling_type", None)
            found = (
                given.number(f"{name}_base", 10_000.0),
                given.number(f"{name}_scaling_factor", 1.0),
            )
        return None if found is None else RotaryEmbedding(*found, name="rotary")

    def _block(self, prefix):
        """The weights of a block, by their names in it."""
        heads = self.num_heads * self._key_dim
        grouped = (self._key_value_heads or self.num_heads) * self._key_dim
        own, cross = f"{prefix}/self_attention", f"{prefix}/attention"
        first = "attention" if self._side == "encoder" else "self_attention"
        names = [f"self_attention/{name}" for name in ("query", "key", "value")]
        values = {
            **self._linear(f"{own}/linear_0", [heads, grouped, grouped], *names),
            **self._linear(f"{own}/linear_1", None, "self_attention/output"),
            **self._frame(own, f"{first}_residual"),
            **self._linear(f"{prefix}/ffn/linear_0", None, "feed_forward/hidden"),
            **self._linear(f"{prefix}/ffn/linear_1", None, "feed_forward/output"),
            **self._frame(f"{prefix}/ffn", "feed_forward_residual"),
        }
        if self._gated:
            gate = f"{prefix}/ffn/linear_0_noact"
            values |= self._linear(gate, None, "feed_forward/gate")
        if self._side == "decoder":
            names = [f"cross_attention/{name}" for name in ("key", "value")]
            values |= {
                **self._linear(f"{cross}/linear_0", None, "cross_attention/query"),
                **self._linear(f"{cross}/linear_1", [grouped, grouped], *names),
                **self._linear(f"{cross}/linear_2", None, "cross_attention/output"),
                **self._frame(cross, "cross_attention_residual"),
            }
        return values

    def _linear(self, theirs, sizes, *names):
        """Kernels and biases of products that are one there."""
        weight = self._given.take(f"{theirs}/weight")
        bias = self._given.take(f"{theirs}/bias", None)
        if bias is None:
            bias = np.zeros(len(weight), "float32")
        if sizes is not None and sum(sizes) != len(weight):
            raise ValueError(
                f"{self._given.where!r} has a {theirs} of {len(weight)} features, not "
                f"{sum(sizes)}"
            )
        places = np.cumsum((sizes or [0])[:-1])
        values: dict[str, np.ndarray] = {}
        for name, kernel, own in zip(
            names, np.split(weight, places), np.split(bias, places), strict=True
        ):
            values |= {f"{name}/kernel": kernel.T, f"{name}/bias": own}
        return values

    def _frame(self, theirs, ours):
        values = self._normalization(f"{theirs}/layer_norm")
        return {f"{ours}/normalization/{name}": part for name, part in values.items()}

    def _normalization(self, theirs):
        gamma = self._given.take(f"{theirs}/gamma")
        if self._is_rms:
            return {"scale": gamma}
        return {"gamma": gamma, "beta": self._given.take(f"{theirs}/beta")}
