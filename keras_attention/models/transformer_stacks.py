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
from keras_attention.layers.sublayers import (
    restore,
    serialize_shared,
    shared_within,
)
from keras_attention.layers.transformer.normalization import Normalization
from keras_attention.tensor import Tensor

State = list[Any]


class _Stack(BaseLayer):
    """Blocks on top of each other, with a dropout before and a normalization after."""

    @takes_numpy
    def __init__(
        self,
        blocks: Sequence[Any],
        dropout: float = 0.0,
        final_normalization: Any = None,
        **kwargs: Any,
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
        self.final_normalization = final_normalization
        last = self.blocks[-1]
        kind, self._epsilon = final_normalization, 1e-5
        if kind is None and getattr(last, "normalize_first", False):
            kind, self._epsilon = last.normalization, last.layer_norm_epsilon
        self._normalization = Normalization(kind) if kind else None
        self._final_normalization: Any = None
        self._input_dropout = FeatureDropout(dropout, dtype=self.dtype_policy)

    def get_config(self):
        with shared_within():
            blocks = [serialize_shared(block) for block in self.blocks]
        final = self.final_normalization
        if self._normalization is not None and final is not None:
            final = self._normalization.serialize()
        return {
            **super().get_config(),
            "blocks": blocks,
            "dropout": self.dropout,
            "final_normalization": final,
        }

    @classmethod
    def from_config(cls, config):
        with shared_within():
            blocks: list[Any] = []
            for saved in config["blocks"]:
                # Version 0.2 wrote down which of the blocks had a position first.
                first = saved["config"].get("position")
                if isinstance(first, int):
                    own = {**saved["config"], "position": blocks[first].position}
                    saved = {**saved, "config": own}
                blocks.append(restore(saved))
        return cls(**{**config, "blocks": blocks})

    @property
    def normalization(self) -> Any:
        """The normalization of the outputs, or `None`, once it is built."""
        return self._final_normalization

    def _build_blocks(self, *inputs, **masks):
        """Build every block by a call, as what is in it may be built by no other."""
        for block in self.blocks:
            if not block.built:
                block(*inputs, **masks)
        if self._normalization is not None:
            self._final_normalization = self._normalization.build(
                self, self._epsilon, inputs[0].shape, "final_normalization"
            )

    def _normalize(self, hidden):
        if self._final_normalization is not None:
            hidden = self._final_normalization(hidden)
        return ops.cast(hidden, self.compute_dtype)


@keras.saving.register_keras_serializable("keras_attention", name="EncoderStack")
class EncoderStack(_Stack):
    """`TransformerEncoder` blocks on top of each other, as the encoder of a `Seq2Seq`.

    Args:
        blocks: `TransformerEncoder` layers, the lowest first; or others, called with
            `(batch, source, dim)` and, as `padding_mask`, a boolean `(batch, source)`,
            which return such vectors.
        dropout: rate at which the inputs are dropped in training.
        final_normalization: of the outputs: `"layer"`, `"rms"`, a layer that it becomes
            a copy of, or `False` for none. When left out, that of the last block if it
            has `normalize_first`, else none.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, source, dim)`.
        padding_mask: boolean `(batch, source)`, `True` for real positions.

    Returns:
        `{"sequence": (batch, source, dim), "mask": (batch, source)}`.
    """

    def build(self, inputs_shape):
        check_axes(SEQUENCE, inputs=inputs_shape)
        inputs = keras.KerasTensor(inputs_shape, self.compute_dtype)
        mask = keras.KerasTensor(inputs_shape[:-1], "bool")
        self._build_blocks(inputs, padding_mask=mask)

    def call(self, inputs, padding_mask, training=None):
        check_axes(SEQUENCE, inputs=inputs.shape)
        padding_mask = functional.position_mask(inputs, padding_mask=padding_mask)
        hidden = self._input_dropout(inputs, training=training)
        for block in self.blocks:
            hidden = block(hidden, padding_mask=padding_mask)
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
        blocks: `TransformerDecoder` layers, the lowest first; or others that keep the
            protocol of `DecoderBlock`.
        dropout: rate at which the inputs are dropped in training.
        alignment_layer: index of the block whose attention to the memory says which
            part of the source an output comes from.
        alignment_heads: indices of its heads that count; all when left out.
        final_normalization: as of an `EncoderStack`.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, target, dim)`.
        memory: of an `EncoderStack`; without it, there is no attention to a memory.
        use_causal_mask: whether a position sees only those up to itself; `False` is
            for blocks that take it, such as `TransformerDecoder`.

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
        final_normalization: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(blocks, dropout, final_normalization, **kwargs)
        check_index(alignment_layer=alignment_layer, count=len(self.blocks))
        heads = getattr(self.blocks[alignment_layer], "num_heads", None)
        for head in alignment_heads or ():
            if heads is not None:
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
        inputs = keras.KerasTensor(inputs_shape, self.compute_dtype)
        if memory_shape is None or "sequence" not in memory_shape:
            self._build_blocks(inputs)
            return
        memory = keras.KerasTensor(memory_shape["sequence"], self.compute_dtype)
        mask = keras.KerasTensor(memory.shape[:-1], "bool")
        self._build_blocks(inputs, memory, encoder_padding_mask=mask)

    def call(self, inputs, memory=None, training=None, use_causal_mask=True):
        check_axes(SEQUENCE, inputs=inputs.shape)
        hidden = self._input_dropout(inputs, training=training)
        attended, options = [], {}
        if memory is not None and "sequence" in memory:
            attended = [memory["sequence"]]
            options["encoder_padding_mask"] = memory["mask"]
        if not use_causal_mask:  # which other blocks need not know of
            options["use_causal_mask"] = False
        for block in self.blocks:
            hidden = block(hidden, *attended, **options)
        return self._normalize(hidden)

    def compute_output_spec(self, inputs, memory=None, **kwargs):
        check_axes(SEQUENCE, inputs=inputs.shape)
        return keras.KerasTensor(inputs.shape, self.compute_dtype)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def start(self, memory: Any, max_length: int) -> State:
        """The states of all blocks before the first step.

        Args:
            memory: of an `EncoderStack`; or any nested structure that counts rows.
            max_length: the most positions that steps read.
        """
        return [block.start(memory, max_length) for block in self.blocks]

    def step(
        self, inputs: Tensor, state: State, index: int | Tensor
    ) -> tuple[Tensor, State, Tensor | None]:
        """Read the next positions.

        Args:
            inputs: `(rows, length, dim)`, one position or several.
            state: of `start`, of the last step, or of `expand` or `reorder`.
            index: number of positions read before, an integer or a scalar.

        Returns:
            Hidden vectors shaped as `inputs`, the new state, and attention `(rows,
            length, source)`, the mean of the alignment's heads; `None` without a
            memory.
        """
        hidden, states, attention = inputs, [], None
        aligned = self.alignment_layer % len(self.blocks)
        for level, (block, own) in enumerate(zip(self.blocks, state, strict=True)):
            hidden, own, weights = block.step(hidden, own, index)
            states.append(own)
            if level == aligned:
                attention = weights
        if attention is not None and len(attention.shape) == 4:
            attention = self._align(attention)
        return self._normalize(hidden), states, attention

    def expand(self, state: State, count: int) -> State:
        """The state of `count` hypotheses for each row, next to each other."""
        return [
            functional.expand_state(block, own, count)
            for block, own in zip(self.blocks, state, strict=True)
        ]

    def reorder(self, state: State, parents: Tensor) -> State:
        """The state of rows that continue others, `parents (rows,)`."""
        return [
            functional.reorder_state(block, own, parents)
            for block, own in zip(self.blocks, state, strict=True)
        ]

    def _align(self, weights):
        """The mean over the heads that count, `(rows, target, source)`."""
        if self.alignment_heads is not None:
            weights = ops.take(weights, self.alignment_heads, axis=1)
        return ops.mean(weights, axis=1)
