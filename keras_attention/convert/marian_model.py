"""The model of Marian: its weights and ids in the order of ours.

A post-norm Transformer with sinusoids (Junczys-Dowmunt et al. 2018). Its sinusoids are
all sines, then all cosines, where ours take turns: the features of the whole model are
put in the order of ours, which no layer notices. Ids are put in the order of ours too:
padding, which no weight belongs to, then the unknown piece, the start, the end, and the
others in their order.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_attention.convert.weights import assign_weights
from keras_attention.functional import sinusoidal_positions
from keras_attention.layers import (
    PositionalEmbedding,
    TransformerDecoder,
    TransformerEncoder,
)
from keras_attention.models import DecoderStack, EncoderStack, Seq2Seq
from keras_attention.special_ids import PAD, START

ACTIVATIONS = {"relu": "relu", "swish": "silu", "silu": "silu", "gelu": "gelu"}
# The logit of an id that is never written, beside which no other one counts.
_NEVER = -1e4

# Our names of the parts of a block, and theirs.
_SELF_ATTENTION = {
    "self_attention/query": "self_attn.q_proj",
    "self_attention/key": "self_attn.k_proj",
    "self_attention/value": "self_attn.v_proj",
    "self_attention/output": "self_attn.out_proj",
}
_FEED_FORWARD = {
    "feed_forward/hidden": "fc1",
    "feed_forward/output": "fc2",
    "feed_forward_residual/normalization": "final_layer_norm",
}
ENCODER_BLOCK = {
    **_SELF_ATTENTION,
    "attention_residual/normalization": "self_attn_layer_norm",
    **_FEED_FORWARD,
}
DECODER_BLOCK = {
    **_SELF_ATTENTION,
    "self_attention_residual/normalization": "self_attn_layer_norm",
    "cross_attention/query": "encoder_attn.q_proj",
    "cross_attention/key": "encoder_attn.k_proj",
    "cross_attention/value": "encoder_attn.v_proj",
    "cross_attention/output": "encoder_attn.out_proj",
    "cross_attention_residual/normalization": "encoder_attn_layer_norm",
    **_FEED_FORWARD,
}
# Projections out of the width of the model; the others go into it.
_OUT_OF_MODEL = ("query", "key", "value", "hidden")


class Vocabulary(NamedTuple):
    """The ids of one side, in the order of ours.

    Attributes:
        pieces: the piece of each id.
        rows: the row of each id in the tables of the file; -1 for one of zeros.
        never: ids that are never written, though they have a logit.
    """

    pieces: list[str]
    rows: np.ndarray
    never: list[int]


def order_vocabulary(
    ids: Mapping[str, int], size: int, unknown: str, end: int, start: int | None
) -> Vocabulary:
    """Put the ids of a file into the order of ours.

    Args:
        ids: of each piece in the file.
        size: number of rows in the file's tables.
        unknown: the piece for what has no other.
        end: the id of the file with which a sentence ends.
        start: likewise, with which a target begins; `None` for a vector of zeros.

    Raises:
        ValueError: for ids outside the tables, or without the special ones.
    """
    named = {index: piece for piece, index in ids.items()}
    if len(named) != len(ids) or not all(0 <= index < size for index in named):
        raise ValueError(f"its ids must differ and be below {size}")
    if unknown not in ids or not {end, end if start is None else start} <= {
        *range(size)
    }:
        raise ValueError(f"it must hold {unknown!r}, and the ids {start} and {end}")
    # A start that is a piece of its own is one of ours; one that also ends sentences,
    # or is unknown, is not, and gets a copy.
    is_own = start not in (None, end, ids[unknown])
    special = [ids[unknown], -1 if start is None else start, end]
    others = [index for index in range(size) if index not in special]
    rows = [-1, *special, *others]
    pieces = ["", *(named.get(index, f"<{index}>") for index in rows[1:])]
    if not is_own:
        pieces[START] = "<s>" if "<s>" not in ids else "<start>"
    return Vocabulary(pieces, np.array(rows), [PAD] if is_own else [PAD, START])


def build_model(
    config: Mapping[str, Any], source: Vocabulary, target: Vocabulary
) -> Seq2Seq:
    """The model of a configuration, with weights of its own.

    Raises:
        ValueError: for an activation that we lack.
    """
    activation = config["activation_function"]
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"`activation_function` must be one of {[*ACTIVATIONS]}. "
            f"Received: activation_function={activation!r}"
        )

    def blocks(make, side):
        return [
            make(
                config[f"{side}_ffn_dim"],
                config[f"{side}_attention_heads"],
                dropout=config.get("dropout", 0.1),
                activation=ACTIVATIONS[activation],
                attention_options={"dropout": config.get("attention_dropout", 0.0)},
                name=f"block_{level}",
            )
            for level in range(config[f"{side}_layers"])
        ]

    def embedding(vocabulary, name, **options):
        return PositionalEmbedding(
            len(vocabulary.pieces),
            config["d_model"],
            config["max_position_embeddings"],
            scale=config["scale_embedding"],
            name=name,
            **options,
        )

    one_table, is_tied = is_shared(config), _is_tied(config)
    source_embedding = embedding(
        source,
        "embedding" if one_table else "source_embedding",
        logits_bias=one_table and is_tied,
    )
    target_embedding = output = None
    if not one_table:
        target_embedding = embedding(target, "target_embedding", logits_bias=is_tied)
    if not is_tied:
        output = keras.layers.Dense(len(target.pieces), name="logits")
    dropout = config.get("dropout", 0.1)
    return Seq2Seq(
        source_embedding,
        EncoderStack(blocks(TransformerEncoder, "encoder"), dropout, name="encoder"),
        DecoderStack(blocks(TransformerDecoder, "decoder"), dropout, name="decoder"),
        target_embedding,
        output,
        name="marian",
    )


def set_weights(
    model: Seq2Seq,
    weights: Mapping[str, np.ndarray],
    source: Vocabulary,
    target: Vocabulary,
    where: str,
) -> None:
    """Put the weights of a file into a model of `build_model`.

    Args:
        model: whose weights are set.
        weights: by the names of `MarianMTModel`.
        source: ids of the sources.
        target: ids of the targets.
        where: the folder, for messages.

    Raises:
        ValueError: for a weight that is missing, too many, or of another shape.
    """
    given = _Weights(weights, model.source_embedding.embedding_dim, where)
    for side, stack, parts in (
        ("encoder", model.encoder, ENCODER_BLOCK),
        ("decoder", model.decoder, DECODER_BLOCK),
    ):
        for level, block in enumerate(stack.blocks):
            prefix = f"model.{side}.layers.{level}"
            values = {}
            for ours, theirs in parts.items():
                values.update(given.part(ours, f"{prefix}.{theirs}"))
            assign_weights(block, values, f"{where}: {prefix}")
    one_table = model.target_embedding is model.source_embedding
    names: tuple[str, ...] = ("model.decoder.embed_tokens", "model.shared")
    bias = given.bias(target)
    if model.output_projection is None:
        names += ("lm_head",)
    else:
        kernel = given.table(("lm_head",), target).T
        values = {"kernel": kernel, "bias": bias}
        assign_weights(model.output_projection, values, f"{where}: lm_head")
    for embedding, vocabulary, candidates in (
        (model.source_embedding, source, ("model.encoder.embed_tokens", *names[1:])),
        (model.target_embedding, target, names),
    ):
        if embedding is model.target_embedding or not one_table:
            values = {"tokens/embeddings": given.table(candidates, vocabulary)}
            if embedding.logits_bias:
                values["logits_bias"] = bias
            assign_weights(embedding, values, f"{where}: {candidates[0]}")
    given.check_all_used()


class _Weights:
    """The weights of a file, given out by name once each."""

    def __init__(self, weights: Mapping[str, np.ndarray], dim: int, where: str) -> None:
        self._weights = weights
        self._where = where
        self._used: set[str] = set()
        self._order = feature_order(dim)
        for side in ("encoder", "decoder"):
            self._check_positions(f"model.{side}.embed_positions.weight")

    def take(self, name: str) -> np.ndarray:
        """A weight by its name."""
        if name not in self._weights:
            raise ValueError(f"{self._where} lacks the weight {name!r}")
        self._used.add(name)
        return self._weights[name]

    def part(self, ours: str, theirs: str) -> dict[str, np.ndarray]:
        """Kernel and bias of a projection, or the two of a normalization."""
        weight, bias = (self.take(f"{theirs}.{name}") for name in ("weight", "bias"))
        if ours.endswith("normalization"):
            values = {
                "gamma": self._ordered(weight, theirs),
                "beta": self._ordered(bias, theirs),
            }
        elif ours.rpartition("/")[2] in _OUT_OF_MODEL:
            values = {"kernel": self._ordered(weight, theirs).T, "bias": bias}
        else:
            kernel = self._ordered(weight.T, theirs)
            values = {"kernel": kernel, "bias": self._ordered(bias, theirs)}
        return {f"{ours}/{name}": value for name, value in values.items()}

    def table(self, names: tuple[str, ...], vocabulary: Vocabulary) -> np.ndarray:
        """The vectors of ids, by the first of several names that is there."""
        present = [
            f"{name}.weight" for name in names if f"{name}.weight" in self._weights
        ]
        self._used.update(present)
        table = self.take(present[0] if present else f"{names[0]}.weight")
        padded = np.concatenate([table, np.zeros_like(table[:1])])
        return self._ordered(padded[vocabulary.rows], names[0])

    def bias(self, vocabulary: Vocabulary) -> np.ndarray:
        """The bias of the logits of ids."""
        bias = np.append(np.reshape(self.take("final_logits_bias"), -1), 0.0)
        bias = bias[vocabulary.rows]
        bias[vocabulary.never] = _NEVER
        return bias.astype("float32")

    def _ordered(self, array: np.ndarray, name: str) -> np.ndarray:
        """The last axis, of the width of the model, in our order."""
        if array.shape[-1] != len(self._order):
            raise ValueError(
                f"{self._where} lacks a width of {len(self._order)} in {name}: its "
                f"shape is {array.shape}"
            )
        return array[..., self._order]

    def _check_positions(self, name: str) -> None:
        """Raise unless positions, where the file has them, are the sinusoids."""
        if name not in self._weights:
            return
        found = self._ordered(self.take(name), name)
        waves = sinusoidal_positions(
            np.arange(len(found), dtype="int32"), len(self._order), "float32"
        )
        # Half a unit of float16 apart, at most.
        if not np.allclose(found, ops.convert_to_numpy(waves), atol=1e-3):
            raise ValueError(
                f"{self._where} has positions of its own in {name}, and only "
                "sinusoids can be had here"
            )

    def check_all_used(self) -> None:
        """Raise for weights that have no place in the model."""
        unknown = sorted({*self._weights} - self._used)
        if unknown:
            raise ValueError(
                f"{self._where} has weights that a MarianMTModel lacks: {unknown[:5]}"
            )


def feature_order(dim: int) -> np.ndarray:
    """The place in theirs of each of our features, of a model of so many.

    Theirs are all sines of a position, then all cosines; ours take turns.
    """
    half = (dim + 1) // 2
    return np.arange(2 * half).reshape(2, half).T.reshape(-1)[:dim]


def choose_batch_size(config: Mapping[str, Any], search: Any) -> int:
    """How many texts at once keep the caches of a search below a gibibyte."""
    beams = getattr(search, "num_beams", 1)
    keys_and_values = 2 * 4 * config["d_model"] * config["decoder_layers"]
    row = beams * search.max_length * keys_and_values
    return int(min(64, max(1, 2**30 // row)))


def is_shared(config: Mapping[str, Any]) -> bool:
    """Whether both sides have one vocabulary and one table."""
    return bool(config.get("share_encoder_decoder_embeddings", True))


def _is_tied(config: Mapping[str, Any]) -> bool:
    """Whether logits come from the table of the targets."""
    return bool(config.get("tie_word_embeddings", True))


def read_tokenizer(path: Path, vocabulary: Vocabulary) -> Any:
    """The tokenizer of a sentencepiece model, which finds its pieces in a vocabulary.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it is no sentencepiece model.
        ImportError: without `keras-attention-layers[text]`.
    """
    from keras_attention.text import MarianTokenizer  # needs TensorFlow

    _, unknown, start, end, *_ = vocabulary.pieces
    model = path.read_bytes()
    try:
        return MarianTokenizer(
            vocabulary.pieces, model, unknown=unknown, start=start, end=end
        )
    except ValueError as error:
        raise ValueError(f"{str(path)!r}: {error}") from error
