"""The Transformer (Vaswani et al. 2017)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

from keras_attention.checks import (
    check_choice,
    check_divides,
    check_index,
    check_positive,
    check_rate,
)
from keras_attention.children import build_once, restore
from keras_attention.layers import (
    AlibiBias,
    RelativePositionBias,
    RotaryEmbedding,
    TransformerDecoder,
    TransformerEncoder,
)
from keras_attention.layers.positional_embedding import POSITIONS
from keras_attention.layers.residual import build_normalization
from keras_attention.models.embeddings import build_ends
from keras_attention.models.seq2seq import Seq2Seq, State

Tensor = Any

# Positions that are the business of self-attention; whether it sees both sides.
ATTENTION_POSITIONS: dict[str | None, Callable[[bool], keras.layers.Layer]] = {
    "rotary": lambda bidirectional: RotaryEmbedding(name="rotary"),
    "alibi": lambda bidirectional: AlibiBias(name="alibi"),
    "relative": lambda bidirectional: RelativePositionBias(
        bidirectional=bidirectional, name="relative"
    ),
}


class _Stack(keras.layers.Layer):
    """Blocks on top of each other; pre-norm blocks are followed by a normalization."""

    def __init__(
        self, blocks: Sequence[Any], dropout: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        check_rate(dropout=dropout)
        self.supports_masking = True
        self.blocks = [restore(block) for block in blocks]
        if not self.blocks:
            raise ValueError(
                f"`blocks` must hold at least one block. Received: blocks={blocks!r}"
            )
        self.dropout = dropout
        self._input_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self._final_normalization = None

    def get_config(self):
        return {
            **super().get_config(),
            "blocks": [keras.saving.serialize_keras_object(b) for b in self.blocks],
            "dropout": self.dropout,
        }

    def _build_blocks(self, inputs_shape, *other_shapes):
        for block in self.blocks:
            build_once(block, inputs_shape, *other_shapes)
        last = self.blocks[-1]
        if last.normalize_first:
            self._final_normalization = build_normalization(
                self,
                last.normalization,
                last.layer_norm_epsilon,
                inputs_shape,
                "final_normalization",
            )

    def _normalize(self, hidden):
        if self._final_normalization is None:
            return hidden
        return self._final_normalization(hidden)


@keras.saving.register_keras_serializable("keras_attention", name="EncoderStack")
class EncoderStack(_Stack):
    """`TransformerEncoder` blocks on top of each other, as the encoder of a `Seq2Seq`.

    Args:
        blocks: `TransformerEncoder` layers, the lowest first.
        dropout: rate at which the inputs are dropped in training.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, source, dim)`.
        padding_mask: boolean `(batch, source)`, `True` for real positions.

    Returns:
        `{"sequence": (batch, source, dim), "mask": (batch, source)}`.
    """

    def build(self, inputs_shape):
        self._build_blocks(inputs_shape)

    def call(self, inputs, padding_mask, training=None):
        hidden = self._input_dropout(inputs, training=training)
        for block in self.blocks:
            hidden = block(hidden, padding_mask=padding_mask, training=training)
        return {"sequence": self._normalize(hidden), "mask": padding_mask}

    def compute_output_spec(self, inputs, padding_mask, training=None):
        return {
            "sequence": keras.KerasTensor(inputs.shape, self.compute_dtype),
            "mask": keras.KerasTensor(padding_mask.shape, "bool"),
        }

    def compute_mask(self, inputs, previous_mask=None):
        return {"mask": None, "sequence": previous_mask}


@keras.saving.register_keras_serializable("keras_attention", name="DecoderStack")
class DecoderStack(_Stack):
    """`TransformerDecoder` blocks on top of each other, as the decoder of a `Seq2Seq`.

    Args:
        blocks: `TransformerDecoder` layers, the lowest first.
        dropout: rate at which the inputs are dropped in training.
        alignment_layer: index of the block whose attention to the memory tells which
            part of the source an output comes from.
        alignment_heads: indices of its heads that count; all when left out.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, target, dim)`.
        memory: of an `EncoderStack`; without it, there is no attention to a memory.

    Returns:
        `(batch, target, dim)`.
    """

    def __init__(
        self,
        blocks: Sequence[Any],
        dropout: float = 0.0,
        alignment_layer: int = -1,
        alignment_heads: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(blocks, dropout, **kwargs)
        check_index(alignment_layer=alignment_layer, count=len(self.blocks))
        for head in alignment_heads or ():
            heads = self.blocks[alignment_layer].num_heads
            check_index(alignment_heads=head, count=heads)
        self.alignment_layer = alignment_layer
        self.alignment_heads = None if alignment_heads is None else [*alignment_heads]

    def get_config(self):
        return {
            **super().get_config(),
            "alignment_layer": self.alignment_layer,
            "alignment_heads": self.alignment_heads,
        }

    def build(self, inputs_shape, memory_shape=None):
        memory_shapes = [] if memory_shape is None else [memory_shape["sequence"]]
        self._build_blocks(inputs_shape, *memory_shapes)

    def call(self, inputs, memory=None, training=None):
        hidden = self._input_dropout(inputs, training=training)
        memory = memory or {}
        for block in self.blocks:
            hidden = block(
                hidden,
                memory.get("sequence"),
                encoder_padding_mask=memory.get("mask"),
                training=training,
            )
        return self._normalize(hidden)

    def compute_output_spec(self, inputs, memory=None, training=None):
        return keras.KerasTensor(inputs.shape, self.compute_dtype)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def start(self, memory: dict[str, Tensor], max_length: int) -> State:
        """Empty pasts of `max_length` positions, and the memory projected once."""
        batch_size = ops.shape(keras.tree.flatten(memory)[0])[0]
        sequence = memory.get("sequence")
        caches = [
            block.init_cache(batch_size, max_length, sequence) for block in self.blocks
        ]
        once = {}
        if sequence is not None:
            once = {
                "mask": memory["mask"],
                "projected": [cache["cross_attention"] for cache in caches],
            }
        return {
            "memory": once,
            "cache": [cache["self_attention"] for cache in caches],
        }

    def step(
        self, inputs: Tensor, state: State, index: Any
    ) -> tuple[Tensor, State, Tensor | None]:
        """One position of each row; attention is the mean of the alignment's heads.

        Args:
            inputs: `(rows, 1, dim)`.
            state: of `start` or of the last step.
            index: number of positions already in the state.

        Returns:
            Hidden vectors `(rows, dim)`, the new state, and attention `(rows, source)`,
            `None` without a memory.
        """
        hidden, state, attention = self._advance(inputs, state, index)
        return hidden[:, 0], state, None if attention is None else attention[:, 0]

    @property
    def can_branch(self) -> bool:
        """Whether `branch` knows the positions: not where attention counts them."""
        return all(
            block.position is None
            and not (block.attention_options or {}).get("sliding_window")
            for block in self.blocks
        )

    def branch(
        self, inputs: Tensor, state: State, index: Any, visible: Tensor
    ) -> tuple[Tensor, State, Tensor | None]:
        """One position of several hypotheses of each row, which share its past.

        Args:
            inputs: `(rows, hypotheses, dim)`.
            state: of `start` or of the last step.
            index: number of positions in the state to which these are written.
            visible: boolean `(rows, hypotheses, positions)`, which of the past, and of
                these themselves, each hypothesis may attend to.

        Returns:
            Hidden vectors `(rows, hypotheses, dim)`, the new state, and attention
            `(rows, hypotheses, source)`, `None` without a memory.
        """
        return self._advance(inputs, state, index, visible)

    def _advance(self, inputs, state, index, attention_mask=None):
        memory, attention = state["memory"], None
        hidden, caches = inputs, []
        aligned = self.blocks[self.alignment_layer]
        projected = memory.get("projected", [None] * len(self.blocks))
        for block, past, keys in zip(
            self.blocks, state["cache"], projected, strict=True
        ):
            cache = {"self_attention": past}
            if keys is not None:
                cache["cross_attention"] = keys
            is_asked = block is aligned and keys is not None
            hidden, *weights, cache = block(
                hidden,
                decoder_attention_mask=attention_mask,
                encoder_padding_mask=memory.get("mask"),
                return_attention_scores=is_asked,
                cache=cache,
                cache_index=index,
            )
            caches.append(cache["self_attention"])
            if is_asked:
                attention = self._align(weights[0]["cross_attention"])
        state = {"memory": memory, "cache": caches}
        return self._normalize(hidden), state, attention

    def _align(self, weights):
        """The mean over the heads that count, `(rows, target, source)`."""
        if self.alignment_heads is not None:
            weights = ops.take(weights, self.alignment_heads, axis=1)
        return ops.mean(weights, axis=1)


def transformer(
    source_vocabulary_size: int,
    target_vocabulary_size: int,
    *,
    num_layers: int = 6,
    num_heads: int = 8,
    embedding_dim: int = 512,
    intermediate_dim: int = 2048,
    dropout: float = 0.1,
    activation: Any = "relu",
    normalize_first: bool = True,
    normalization: str = "layer",
    gated: bool = False,
    num_key_value_heads: int | None = None,
    positions: str | None = "sinusoidal",
    stochastic_depth: float = 0.0,
    attention_options: dict[str, Any] | None = None,
    max_length: int | None = None,
    tie_embeddings: bool = False,
    alignment_layer: int = -1,
    alignment_heads: Sequence[int] | None = None,
    name: str = "transformer",
) -> Seq2Seq:
    """Build a Transformer from sequences to sequences (Vaswani et al. 2017).

    The defaults are the published base size, with normalization first.

    Args:
        source_vocabulary_size: number of source ids, padding included.
        target_vocabulary_size: number of target ids, padding included.
        num_layers: number of blocks of the encoder, and of the decoder.
        num_heads: number of attention heads; divides `embedding_dim`.
        embedding_dim: width of the model.
        intermediate_dim: width of the hidden layer of the feed-forward networks.
        dropout: rate in training: of embeddings, weights and sublayers' outputs.
        activation: of the feed-forward networks.
        normalize_first: pre-norm, which trains without much care (Xiong et al. 2020),
            or post-norm as published.
        normalization: `"layer"` or `"rms"`.
        gated: whether feed-forward networks are gated (Shazeer 2020).
        num_key_value_heads: number of key and value heads shared by groups of query
            heads; `num_heads` when left out.
        positions: `"sinusoidal"` or `"learned"` (needs `max_length`), added to the
            embeddings; `"rotary"` (Su et al. 2021), `"alibi"` (Press et al. 2022) or
            `"relative"` (Raffel et al. 2020, one table for all encoder blocks and one
            for all decoder blocks), in self-attention; or `None`.
        stochastic_depth: rate at which rows skip a sublayer in training, from 0 below
            the first block to this at the last (Huang et al. 2016).
        attention_options: further options of the attentions, as in
            `TransformerEncoder`.
        max_length: the longest sequence on either side; without it, any.
        tie_embeddings: whether source, target and output share one table (Press and
            Wolf 2017); both vocabularies must be one then.
        alignment_layer: index of the decoder block whose attention to the source is
            the alignment that `step` gives.
        alignment_heads: indices of its heads that count, averaged; all when left out.
        name: of the model.

    Returns:
        A `Seq2Seq`.

    Raises:
        ValueError: for sizes that are not positive or do not fit each other.

    Example:
    >>> model = transformer(11, 13, num_layers=1, num_heads=2, embedding_dim=8)
    >>> model.name, tuple(model.output_shape)
    ('transformer', (None, None, 13))
    """
    check_positive(
        source_vocabulary_size=source_vocabulary_size,
        target_vocabulary_size=target_vocabulary_size,
        num_layers=num_layers,
        num_heads=num_heads,
        embedding_dim=embedding_dim,
        intermediate_dim=intermediate_dim,
    )
    check_rate(dropout=dropout, stochastic_depth=stochastic_depth)
    check_choice((*POSITIONS, *ATTENTION_POSITIONS), positions=positions)
    check_divides("num_heads", num_heads, "embedding_dim", embedding_dim)
    source_embedding, target_embedding, output = build_ends(
        source_vocabulary_size,
        target_vocabulary_size,
        embedding_dim,
        tie_embeddings,
        max_length=max_length,
        positions=positions if positions in POSITIONS else None,
    )
    block_options = {
        "intermediate_dim": intermediate_dim,
        "num_heads": num_heads,
        "dropout": dropout,
        "activation": activation,
        "normalize_first": normalize_first,
        "normalization": normalization,
        "gated": gated,
        "num_key_value_heads": num_key_value_heads,
        "attention_options": attention_options,
    }

    make_blocks = partial(
        build_blocks, num_layers, positions, stochastic_depth, block_options
    )
    return Seq2Seq(
        source_embedding,
        EncoderStack(make_blocks(TransformerEncoder, True), dropout, name="encoder"),
        DecoderStack(
            make_blocks(TransformerDecoder, False),
            dropout,
            alignment_layer,
            alignment_heads,
            name="decoder",
        ),
        target_embedding,
        output,
        name=name,
    )


def build_blocks(
    num_layers: int,
    positions: str | None,
    stochastic_depth: float,
    options: dict[str, Any],
    make: Callable[..., keras.layers.Layer],
    bidirectional: bool,
) -> list[keras.layers.Layer]:
    """The blocks of a stack, which share what says the positions in attention.

    Args:
        num_layers: number of blocks.
        positions: as in `transformer`, likewise the next.
        stochastic_depth: the rate at the last block.
        options: of each block.
        make: `TransformerEncoder` or `TransformerDecoder`.
        bidirectional: whether a position sees both sides.
    """
    position = None
    if positions in ATTENTION_POSITIONS:
        position = ATTENTION_POSITIONS[positions](bidirectional)
    return [
        make(
            **options,
            position=position,
            stochastic_depth=stochastic_depth * level / max(num_layers - 1, 1),
            name=f"block_{level}",
        )
        for level in range(num_layers)
    ]
