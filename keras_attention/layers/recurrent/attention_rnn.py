"""A recurrent decoder that attends to a memory at each step."""

from typing import Any

import keras
from keras import ops

from keras_attention.argument_checks import (
    SEQUENCE,
    check_axes,
    check_choice,
    check_given,
    check_index,
    check_positive,
    check_rate,
    takes_numpy,
)
from keras_attention.layers.recurrent.attention_rnn_steps import AttentionRNNSteps
from keras_attention.layers.recurrent.cells import (
    build_cell,
    check_cell,
    check_recurrent_dropout,
    state_dtypes,
    state_sizes,
)
from keras_attention.layers.recurrent.readout import Readout, check_readout
from keras_attention.layers.sublayers import (
    build_once,
    quantized_dtype,
    restore,
    serialize_shared,
)
from keras_attention.precision import precise

ORDERS = ("luong", "bahdanau")


@keras.saving.register_keras_serializable("keras_attention", name="AttentionRNN")
class AttentionRNN(AttentionRNNSteps):
    """A recurrent layer whose every step attends to a memory.

    | `order` | what queries the memory for the context `c` | source |
    | --- | --- | --- |
    | `"luong"` | the cell's output `h`, after the step | Luong et al. 2015 |
    | `"bahdanau"` | its last `h`; then `c` joins its input `x` | Bahdanau et al. 2015 |

    | `readout` | the output `o` |
    | --- | --- |
    | `"tanh"` | `tanh(W [c; h])`, the attentional vector; after Bahdanau's order
      `tanh(W [c; h; x])` |
    | `"maxout"` | the larger of each two of twice as many, without tanh |
    | `"hidden"` | `h` itself, which in Bahdanau's order knows `c` |

    With input feeding the output joins the next step's input, so that the decoder knows
    what it has attended to.

    Args:
        cell: a recurrent cell without dropout of its own: `RecurrentCell`,
            `StackedCells`, or another, such as `keras.layers.LSTMCell`.
        attention: an `Attention` layer; its score, alignment, coverage and dropout
            apply. Dropped positions of the memory stay the same through a sequence.
        input_feeding: whether the last output is fed back.
        attention_units: width of the output; the cell's output size when left out.
        dropout: rate at which outputs, and what goes from cell to cell of a stack, are
            dropped in training; what is fed back is not.
        seed: integer seed of the dropout.
        order: `"luong"` or `"bahdanau"`.
        readout: `"tanh"`, `"maxout"` or `"hidden"`.
        query_level: index of the cell of a stack whose last hidden state is the query
            in Bahdanau's order.
        recurrent_dropout: rate at which hidden states are dropped in training on their
            way to the gates, the same units at each step (Gal and Ghahramani 2016).
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, target, dim)`.
        memory: `(batch, source, memory_dim)`.
        memory_mask: boolean `(batch, source)`, combined with the mask on `memory`.
        initial_state: list of tensors `(batch, size)`: the cell's states, alone or with
            all that follows them in a last state; those the cell begins with when
            left out, and zeros for the rest.
        return_state: whether to return the last state too.
        return_attention_scores: whether to return the weights too.
        training: whether to drop.

    Where a mask on `inputs` is `False`, the state stays as it is, and outputs and
    weights are zeros.

    Returns:
        Outputs `(batch, target, attention_units)`; with `return_attention_scores`
        followed by the weights `(batch, target, source)`; with `return_state` followed
        by the last state, a list: the cell's states, the output if it is fed back, and
        what the attention leaves to the next query.

    Raises:
        ValueError: for something that is not a cell, a cell with dropout, options that
            exclude each other, a state of the wrong number of tensors, tensors of
            another number of axes, or a mask that is not boolean or does not fit.

    Example:
    >>> from keras_attention.layers import Attention, RecurrentCell
    >>> decoder = AttentionRNN(RecurrentCell(8, "gru"), Attention("general"))
    >>> inputs, memory = keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 6))
    >>> outputs, weights = decoder(inputs, memory, return_attention_scores=True)
    >>> tuple(outputs.shape), tuple(weights.shape)
    ((2, 3, 8), (2, 3, 5))
    """

    @takes_numpy
    def __init__(
        self,
        cell: Any,
        attention: Any,
        input_feeding: bool = True,
        attention_units: int | None = None,
        dropout: float = 0.0,
        seed: int | None = None,
        *,
        order: str = "luong",
        readout: str = "tanh",
        query_level: int = -1,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.cell = restore(cell)
        self.attention = restore(attention)
        self.input_feeding = input_feeding
        self.attention_units = attention_units
        self.dropout = dropout
        self.seed = seed
        self.order = order
        self.readout = readout
        self.query_level = query_level
        self.recurrent_dropout = recurrent_dropout
        self._check_arguments()
        self._units = attention_units or self.cell.output_size
        self._attends_first = order == "bahdanau"
        self._readout = Readout(
            readout, self._units, dtype=self.dtype_policy, name="readout"
        )
        self._output_dropout = keras.layers.Dropout(
            dropout, seed=seed, dtype=self.dtype_policy
        )
        self._seeds = keras.random.SeedGenerator(seed)

    def _check_arguments(self):
        check_cell(self.cell)
        if not hasattr(self.attention, "compute_weights"):
            raise ValueError(
                "`attention` must be an `Attention` layer. "
                f"Received: attention={self.attention!r}"
            )
        if self.attention_units is not None:
            check_positive(attention_units=self.attention_units)
        check_rate(dropout=self.dropout, recurrent_dropout=self.recurrent_dropout)
        check_recurrent_dropout(self.cell, self.recurrent_dropout)
        check_choice(ORDERS, order=self.order)
        check_readout(self.readout, self.order, self.attention_units)
        levels = len(getattr(self.cell, "cells", [self.cell]))
        check_index(levels, query_level=self.query_level)

    def build(self, inputs_shape, memory_shape=None):
        check_given(memory=memory_shape)
        _check_axes(inputs_shape, memory_shape)
        batch, _, dim = inputs_shape
        shapes = [(batch, dim)]
        if self.input_feeding:
            shapes.append((batch, self._units))
        if self._attends_first:
            shapes.append((batch, memory_shape[-1]))
        build_cell(self.cell, shapes)
        hidden, width = self.cell.output_size, self.cell.output_size
        if self._attends_first:
            hidden = state_sizes(self.cell)[self._query_index()]
            width += dim
        build_once(self.attention, (batch, 1, hidden), memory_shape)
        self._readout.build(memory_shape[-1] + width)

    def call(
        self,
        inputs,
        memory,
        memory_mask=None,
        initial_state=None,
        return_state=False,
        return_attention_scores=False,
        training=None,
    ):
        _check_axes(inputs.shape, memory.shape)
        batch, source = ops.shape(memory)[:2]
        state = self._complete(initial_state, batch, source)
        projected = self.attention.project_memory(memory, memory_mask)
        # Without anything between two steps but the cell, all attend at once.
        is_apart = not (
            self.input_feeding or self._attends_first or self.attention.state_sizes(1)
        )
        outputs, weights, state = (self._run_apart if is_apart else self._run)(
            inputs,
            state,
            projected,
            self._draw_dropout_masks(memory) if training else {},
            training,
        )
        outputs = ops.cast(outputs, self.compute_dtype)
        outputs = self._output_dropout(outputs, training=training)
        results: tuple[Any, ...] = (outputs,)
        if return_attention_scores:
            results = (*results, ops.cast(weights, self.compute_dtype))
        if return_state:
            results = (*results, state.flat())
        return results if len(results) > 1 else outputs

    def compute_output_spec(
        self,
        inputs,
        memory,
        *args,
        return_state=False,
        return_attention_scores=False,
        **kwargs,
    ):
        _check_axes(inputs.shape, memory.shape)
        batch, target, _ = inputs.shape

        def spec(*shape, dtype=self.compute_dtype):
            return keras.KerasTensor((batch, *shape), dtype)

        results = [spec(target, self._units)]
        if return_attention_scores:
            results.append(spec(target, memory.shape[1]))
        if return_state:
            own = [
                spec(size, dtype=dtype)
                for size, dtype in zip(
                    state_sizes(self.cell), state_dtypes(self.cell), strict=True
                )
            ]
            own += [spec(self._units)] * self.input_feeding
            sizes = self.attention.state_sizes(memory.shape[1])
            dtype = precise(self.attention.compute_dtype)
            results.append([*own, *(spec(size, dtype=dtype) for size in sizes)])
        return tuple(results) if len(results) > 1 else results[0]

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "cell": serialize_shared(self.cell),
            "attention": serialize_shared(self.attention),
            "input_feeding": self.input_feeding,
            "attention_units": self.attention_units,
            "dropout": self.dropout,
            "seed": self.seed,
            "order": self.order,
            "readout": self.readout,
            "query_level": self.query_level,
            "recurrent_dropout": self.recurrent_dropout,
        }

    @property
    def output_width(self) -> int:
        """Width of the outputs."""
        return self._units


def _check_axes(inputs_shape, memory_shape):
    check_axes(SEQUENCE, inputs=inputs_shape, memory=memory_shape)
