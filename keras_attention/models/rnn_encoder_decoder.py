"""The encoder and the decoder of a recurrent `Seq2Seq`."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.checks import check_rate
from keras_attention.children import build_once, quantized_dtype, restore
from keras_attention.layers import AttentionRNN
from keras_attention.models.seq2seq import State
from keras_attention.recurrent.cells import check_cell

Tensor = Any


@keras.saving.register_keras_serializable("keras_attention", name="RNNEncoder")
class RNNEncoder(keras.layers.Layer):
    """A `RecurrentEncoder` as the encoder of a `Seq2Seq`.

    Args:
        encoder: a `RecurrentEncoder`.
        state_sizes: sizes of the decoder's states. Final states of the same sizes are
            handed over as they are; others pass a dense layer with tanh each, the
            bridge of Bahdanau et al. (2015).
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
        self._output_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        width = self.encoder.output_width
        self._bridges = []
        if (
            any(size != width for size in self.state_sizes)
            or self.encoder.bidirectional
        ):
            self._bridges = [
                keras.layers.Dense(
                    size,
                    activation="tanh",
                    dtype=self.dtype_policy,
                    name=f"bridge_{index}",
                )
                for index, size in enumerate(self.state_sizes)
            ]

    def build(self, inputs_shape):
        build_once(self.encoder, inputs_shape)
        for bridge in self._bridges:
            bridge.build((inputs_shape[0], self.encoder.output_width))

    def call(self, inputs, padding_mask, training=None):
        if self.reverse_source:
            inputs = functional.reverse_sequence(inputs, padding_mask)
        sequence, layer_states = self.encoder(
            inputs, mask=padding_mask, training=training
        )
        if self.reverse_source:
            sequence = functional.reverse_sequence(sequence, padding_mask)
        states = keras.tree.flatten(layer_states)
        if self._bridges:
            states = [
                bridge(state)
                for bridge, state in zip(self._bridges, states, strict=True)
            ]
        return {
            "sequence": self._output_dropout(sequence, training=training),
            "mask": padding_mask,
            "states": states,
            "summary": layer_states[-1][0],
        }

    def compute_output_spec(self, inputs, padding_mask, training=None):
        def spec(*shape):
            return keras.KerasTensor(shape, self.compute_dtype)

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
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "state_sizes": self.state_sizes,
            "reverse_source": self.reverse_source,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable("keras_attention", name="RNNDecoder")
class RNNDecoder(keras.layers.Layer):
    """Recurrent cells, with attention or without, as the decoder of a `Seq2Seq`.

    Args:
        cell: a recurrent cell, such as `StackedCells`.
        attention: an `Attention`, or `None` for a decoder that has the encoder's final
            states alone (Cho et al. 2014, Sutskever et al. 2014).
        input_feeding: whether the last attentional vector joins the next input (Luong
            et al. 2015).
        peeky: whether the encoder's final hidden state joins every step's input and
            output (Cho et al. 2014).
        dropout: rate at which inputs and outputs are dropped in training.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, target, dim)`.
        memory: of an `RNNEncoder`.

    Returns:
        `(batch, target, width)`.

    Raises:
        ValueError: for something that is not a cell, or a cell with dropout.
    """

    def __init__(
        self,
        cell: Any,
        attention: Any = None,
        input_feeding: bool = True,
        peeky: bool = False,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_rate(dropout=dropout)
        self.supports_masking = True
        self.cell = restore(cell)
        check_cell(self.cell)
        self.attention = restore(attention)
        self.input_feeding = input_feeding
        self.peeky = peeky
        self.dropout = dropout
        self._input_dropout, self._output_dropout = (
            keras.layers.Dropout(dropout, dtype=self.dtype_policy) for _ in range(2)
        )
        self._attention_rnn = None
        if self.attention is not None:
            self._attention_rnn = AttentionRNN(
                self.cell,
                self.attention,
                input_feeding=input_feeding,
                dtype=self.dtype_policy,
                name="attention_rnn",
            )

    def build(self, inputs_shape, memory_shape):
        batch, target, dim = inputs_shape
        summary = memory_shape["summary"][-1] if self.peeky else 0
        if self._attention_rnn is None:
            build_once(self.cell, (batch, dim + summary))
        else:
            self._attention_rnn.build(
                (batch, target, dim + summary), memory_shape["sequence"]
            )

    def call(self, inputs, memory, training=None):
        inputs = self._input_dropout(inputs, training=training)
        inputs = self._peek(inputs, memory["summary"])
        if self._attention_rnn is None:
            outputs, _ = functional.run_recurrence(
                self._run_cell, inputs, memory["states"]
            )
        else:
            outputs = self._attention_rnn(
                inputs,
                memory["sequence"],
                memory_mask=memory["mask"],
                initial_state=memory["states"],
                training=training,
            )
        outputs = self._peek(outputs, memory["summary"])
        return self._output_dropout(outputs, training=training)

    def compute_output_spec(self, inputs, memory, training=None):
        width = self.cell.output_size
        if self.peeky:
            width += memory["summary"].shape[-1]
        return keras.KerasTensor((*inputs.shape[:-1], width), self.compute_dtype)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def get_config(self):
        attention = self.attention
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "attention": keras.saving.serialize_keras_object(attention),
            "input_feeding": self.input_feeding,
            "peeky": self.peeky,
            "dropout": self.dropout,
        }

    def start(self, memory: dict[str, Any], max_length: int) -> State:
        """The encoder's final states, and the memory projected once."""
        cache, projected = list(memory["states"]), {}
        if self._attention_rnn is not None:
            batch_size = ops.shape(memory["summary"])[0]
            cache = self._attention_rnn.get_initial_state(batch_size, cache)
            projected = self._attention_rnn.project_memory(
                memory["sequence"], memory["mask"]
            )
        return {
            "memory": {"projected": projected, "summary": memory["summary"]},
            "cache": cache,
        }

    def step(
        self, inputs: Tensor, state: State, index: Any
    ) -> tuple[Tensor, State, Tensor | None]:
        """One position of each row.

        Args:
            inputs: `(rows, 1, dim)`.
            state: of `start` or of the last step.
            index: number of positions already read, which the states imply.

        Returns:
            Hidden vectors `(rows, width)`, the new state, and attention
            `(rows, source)` or `None`.
        """
        memory = state["memory"]
        inputs = self._peek(inputs, memory["summary"])[:, 0]
        if self._attention_rnn is None:
            outputs, cache = self._run_cell(inputs, state["cache"])
            attention = None
        else:
            outputs, attention, cache = self._attention_rnn.step(
                inputs, state["cache"], memory["projected"]
            )
        hidden = self._peek(ops.expand_dims(outputs, 1), memory["summary"])[:, 0]
        return hidden, {"memory": memory, "cache": cache}, attention

    def _run_cell(self, inputs, states):
        nested = keras.tree.pack_sequence_as(self.cell.state_size, states)
        outputs, nested = self.cell(inputs, nested)
        return outputs, keras.tree.flatten(nested)

    def _peek(self, vectors, summary):
        if not self.peeky:
            return vectors
        shape = (*ops.shape(vectors)[:2], summary.shape[-1])
        repeated = ops.broadcast_to(ops.expand_dims(summary, 1), shape)
        return ops.concatenate([vectors, repeated], axis=-1)
