"""The encoder and the decoder of a Transformer, as layers of blocks."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    SEQUENCE,
    check_axes,
    check_index,
    check_rate,
    takes_numpy,
)
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.dropout import FeatureDropout
from keras_attention.layers.sublayers import build_once, restore, serialize_shared
from keras_attention.layers.transformer.normalization import Normalization
from keras_attention.models.seq2seq import State

Tensor = Any


class _Stack(BaseLayer):
    """Blocks on top of each other; pre-norm blocks are followed by a normalization."""

    @takes_numpy
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
        self._input_dropout = FeatureDropout(dropout, dtype=self.dtype_policy)
        self._final_normalization = None

    def get_config(self):
        blocks = [serialize_shared(block) for block in self.blocks]
        for own, saved in zip(self.blocks, blocks, strict=True):
            # What blocks share is made once: the others name the first one.
            first = [block.position is own.position for block in self.blocks].index(
                True
            )
            if own.position is not None and own is not self.blocks[first]:
                saved["config"]["position"] = first
        return {**super().get_config(), "blocks": blocks, "dropout": self.dropout}

    @classmethod
    def from_config(cls, config):
        blocks: list[Any] = []
        for saved in config["blocks"]:
            position = saved["config"].get("position")
            if isinstance(position, int):
                own = {**saved["config"], "position": blocks[position].position}
                saved = {**saved, "config": own}
            blocks.append(restore(saved))
        return cls(**{**config, "blocks": blocks})

    def _build_blocks(self, inputs_shape, *other_shapes):
        for block in self.blocks:
            build_once(block, inputs_shape, *other_shapes)
        last = self.blocks[-1]
        if last.normalize_first:
            self._final_normalization = Normalization(last.normalization).build(
                self, last.layer_norm_epsilon, inputs_shape, "final_normalization"
            )

    def _normalize(self, hidden):
        if self._final_normalization is None:
            return ops.cast(hidden, self.compute_dtype)
        return ops.cast(self._final_normalization(hidden), self.compute_dtype)


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
        check_axes(SEQUENCE, inputs=inputs_shape)
        self._build_blocks(inputs_shape)

    def call(self, inputs, padding_mask, training=None):
        check_axes(SEQUENCE, inputs=inputs.shape)
        padding_mask = functional.position_mask(inputs, padding_mask=padding_mask)
        hidden = self._input_dropout(inputs, training=training)
        for block in self.blocks:
            hidden = block(hidden, padding_mask=padding_mask, training=training)
        return {"sequence": self._normalize(hidden), "mask": padding_mask}

    def compute_output_spec(self, inputs, padding_mask, training=None):
        check_axes(SEQUENCE, inputs=inputs.shape)
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

    @takes_numpy
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
        check_axes(SEQUENCE, inputs=inputs_shape)
        memory_shapes = [] if memory_shape is None else [memory_shape["sequence"]]
        self._build_blocks(inputs_shape, *memory_shapes)

    def call(self, inputs, memory=None, training=None):
        check_axes(SEQUENCE, inputs=inputs.shape)
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
        check_axes(SEQUENCE, inputs=inputs.shape)
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
