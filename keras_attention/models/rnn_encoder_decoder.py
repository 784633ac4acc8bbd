"""The encoder and the decoder of a recurrent `Seq2Seq`."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    SEQUENCE,
    check_axes,
    check_rate,
    takes_numpy,
)
from keras_attention.functional import StepState
from keras_attention.layers import AttentionRNN, CellRNN
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.dropout import FeatureDropout
from keras_attention.layers.sublayers import (
    build_once,
    quantized_dtype,
    restore,
    serialize_shared,
)
from keras_attention.tensor import Tensor


@keras.saving.register_keras_serializable("keras_attention", name="RNNEncoder")
class RNNEncoder(BaseLayer):
    """A `RecurrentEncoder` as the encoder of a `Seq2Seq`.

    Args:
        encoder: a `RecurrentEncoder`.
        state_sizes: sizes of the decoder's states. Final states of one direction and
            of the same size are handed over as they are; others pass a dense layer with
            tanh each, the bridge of Bahdanau et al. (2015).
        reverse_source: whether the source is read from its end (Sutskever et al. 2014).
            The memory keeps the order of the source all the same.
        dropout: rate at which the outputs are dropped in training.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, source, dim)`.
        padding_mask: boolean `(batch, source)`, `True` for real positions.

    Returns:
        `{"sequence", "mask", "states", "summary"}`: every step's hidden state `(batch,
        source, width)`, the mask, the list of the decoder's first states, and the last
        layer's final hidden state `(batch, width)`.

    Raises:
        ValueError: for a number of sizes other than that of the encoder's states.
    """

    @takes_numpy
    def __init__(
        self,
        encoder: Any,
        state_sizes: list[int],
        reverse_source: bool = False,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_rate(dropout=dropout)
        self.supports_masking = True
        self.encoder = restore(encoder)
        self.state_sizes = list(state_sizes)
        self.reverse_source = reverse_source
        self.dropout = dropout
        if len(self.state_sizes) != self.encoder.num_states:
            raise ValueError(
                "`state_sizes` must hold a size for each final state of the encoder, "
                f"{self.encoder.num_states}. Received: state_sizes={self.state_sizes}"
            )
        self._output_dropout = FeatureDropout(dropout, dtype=self.dtype_policy)
        self._bridges = [
            None
            if size == width == self.encoder.units
            else keras.layers.Dense(
                size,
                activation="tanh",
                dtype=self.dtype_policy,
                name=f"bridge_{index}",
            )
            for index, (size, width) in enumerate(
                zip(self.state_sizes, self.encoder.state_sizes, strict=True)
            )
        ]

    def build(self, inputs_shape):
        check_axes(SEQUENCE, inputs=inputs_shape)
        build_once(self.encoder, inputs_shape)
        for bridge, width in zip(self._bridges, self.encoder.state_sizes, strict=True):
            if bridge is not None:
                bridge.build((inputs_shape[0], width))

    def call(self, inputs, padding_mask, training=None):
        check_axes(SEQUENCE, inputs=inputs.shape)
        padding_mask = functional.position_mask(inputs, padding_mask=padding_mask)
        if self.reverse_source:
            inputs = functional.reverse_sequence(inputs, padding_mask)
        sequence, layer_states = self.encoder(
            inputs, mask=padding_mask, training=training
        )
        if self.reverse_source:
            sequence = functional.reverse_sequence(sequence, padding_mask)
        states = [
            ops.cast(state if bridge is None else bridge(state), self.compute_dtype)
            for bridge, state in zip(
                self._bridges, keras.tree.flatten(layer_states), strict=True
            )
        ]
        return {
            "sequence": self._output_dropout(sequence, training=training),
            "mask": padding_mask,
            "states": states,
            "summary": ops.cast(layer_states[-1][0], self.compute_dtype),
        }

    def compute_output_spec(self, inputs, padding_mask, training=None):
        def spec(*shape):
            return keras.KerasTensor(shape, self.compute_dtype)

        check_axes(SEQUENCE, inputs=inputs.shape)
        batch, source, _ = inputs.shape
        width = self.encoder.output_width
        return {
            "sequence": spec(batch, source, width),
            "mask": keras.KerasTensor(padding_mask.shape, "bool"),
            "states": [spec(batch, size) for size in self.state_sizes],
            "summary": spec(batch, width),
        }

    def compute_mask(self, inputs, previous_mask=None):
        return {"mask": None, "sequence": previous_mask}

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "encoder": serialize_shared(self.encoder),
            "state_sizes": self.state_sizes,
            "reverse_source": self.reverse_source,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable("keras_attention", name="RNNDecoder")
class RNNDecoder(BaseLayer):
    """A recurrent layer as the decoder of a `Seq2Seq`.

    Args:
        rnn: an `AttentionRNN`; or a `CellRNN`, which has the encoder's final states
            alone (Cho et al. 2014, Sutskever et al. 2014).
        peeky: whether the encoder's final hidden state joins every step's input and
            output (Cho et al. 2014).
        dropout: rate at which inputs are dropped in training.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, target, dim)`.
        memory: of an `RNNEncoder`; without it, a `CellRNN` begins with zeros.

    Returns:
        `(batch, target, width)`.

    Raises:
        ValueError: for another layer, or one that reads backwards.
    """

    @takes_numpy
    def __init__(
        self, rnn: Any, peeky: bool = False, dropout: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        check_rate(dropout=dropout)
        self.supports_masking = True
        self.rnn = restore(rnn)
        if not isinstance(self.rnn, AttentionRNN | CellRNN):
            raise ValueError(
                "`rnn` must be an `AttentionRNN` or a `CellRNN`. "
                f"Received: rnn={self.rnn!r}"
            )
        if getattr(self.rnn, "go_backwards", False):
            raise ValueError(
                "`rnn` must read forwards, as a decoder writes. "
                "Received: rnn with go_backwards=True"
            )
        self.attends = isinstance(self.rnn, AttentionRNN)
        self.peeky = peeky
        self.dropout = dropout
        self._input_dropout = FeatureDropout(dropout, dtype=self.dtype_policy)

    def build(self, inputs_shape, memory_shape=None):
        check_axes(SEQUENCE, inputs=inputs_shape)
        batch, target, dim = inputs_shape
        self._inputs_width = dim
        if self.peeky:
            dim += memory_shape["summary"][-1]
        memory_shapes = [memory_shape["sequence"]] if self.attends else []
        build_once(self.rnn, (batch, target, dim), *memory_shapes)

    def call(self, inputs, memory=None, training=None):
        check_axes(SEQUENCE, inputs=inputs.shape)
        memory = memory or {}
        inputs = self._input_dropout(inputs, training=training)
        inputs = self._peek(inputs, memory)
        options = {"initial_state": memory.get("states"), "training": training}
        if self.attends:
            outputs = self.rnn(
                inputs, memory["sequence"], memory_mask=memory["mask"], **options
            )
        else:
            outputs = self.rnn(inputs, **options)
        return self._peek(ops.cast(outputs, self.compute_dtype), memory)

    def compute_output_spec(self, inputs, memory=None, training=None):
        check_axes(SEQUENCE, inputs=inputs.shape)
        width = self.rnn.output_width
        if self.peeky:
            width += memory["summary"].shape[-1]
        return keras.KerasTensor((*inputs.shape[:-1], width), self.compute_dtype)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "rnn": serialize_shared(self.rnn),
            "peeky": self.peeky,
            "dropout": self.dropout,
        }

    def start(
        self, memory: dict[str, Any], max_length: int, training: bool = False
    ) -> StepState:
        """The encoder's final states, and the memory projected once.

        Args:
            memory: of an `RNNEncoder`; or, for a `CellRNN`, anything that counts rows.
            max_length: the most positions that steps read.
            training: whether to draw what they drop.
        """
        rows = memory.get("sequence", keras.tree.flatten(memory)[0])
        options = {"initial_state": memory.get("states"), "training": training}
        if self.attends:
            options["memory_mask"] = memory["mask"]
        own = self.rnn.start(rows, max_length, **options)
        constant = {"rnn": own.constant}
        if self.peeky:
            constant["summary"] = memory["summary"]
        if training:
            shape = ops.shape(rows)[0], max_length, self._inputs_width
            ones = ops.ones(shape, self.compute_dtype)
            constant["inputs"] = self._input_dropout(ones, training=True)
        return StepState(constant, own.recurrent)

    def step(
        self,
        inputs: Tensor,
        state: StepState,
        index: int | Tensor,
        training: bool = False,
    ) -> tuple[Tensor, StepState, Tensor | None]:
        """Read the next positions.

        Args:
            inputs: `(rows, length, dim)`, one position or several.
            state: of `start`, or of the last step.
            index: number of positions read before; it counts in training alone.
            training: whether to drop, by a state that was started so.

        Returns:
            Hidden vectors `(rows, length, width)`, the new state, and attention
            `(rows, length, source)` or `None`.
        """
        constant = state.constant
        if training:
            length = ops.shape(inputs)[1]
            inputs = inputs * functional.read_at(constant["inputs"], index, length, 1)
        outputs, own, attention = self.rnn.step(
            self._peek(inputs, constant),
            StepState(constant["rnn"], state.recurrent),
            index,
            training,
        )
        hidden = self._peek(ops.cast(outputs, self.compute_dtype), constant)
        return hidden, StepState(constant, own.recurrent), attention

    def _peek(self, vectors, memory):
        if not self.peeky:
            return vectors
        summary = memory["summary"]
        shape = (*ops.shape(vectors)[:2], summary.shape[-1])
        repeated = ops.broadcast_to(ops.expand_dims(summary, 1), shape)
        return ops.concatenate([vectors, repeated], axis=-1)
