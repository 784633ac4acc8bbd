"""A recurrent decoder that attends to a memory at each step."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.checks import check_positive, check_rate
from keras_attention.children import build_once, quantized_dtype, restore
from keras_attention.recurrent.cells import check_cell, state_sizes

Tensor = Any


@keras.saving.register_keras_serializable("keras_attention", name="AttentionRNN")
class AttentionRNN(keras.layers.Layer):
    """A recurrent layer whose every step attends to a memory (Luong et al. 2015).

    At each step the cell's output `h` queries the memory; the context `c` it gets and
    `h` make the output, the attentional vector `tanh(W [c; h])`. With input feeding the
    attentional vector joins the next step's input, so that the decoder knows what it
    has attended to.

    Args:
        cell: a recurrent cell, such as `keras.layers.LSTMCell` or `StackedCells`; one
            without dropout of its own.
        attention: an `Attention` layer; its score and its dropout apply. Dropped
            positions of the memory stay the same through a sequence.
        input_feeding: whether the last attentional vector is fed back.
        attention_units: width of the attentional vector; the cell's output size when
            left out.
        dropout: rate at which outputs are dropped in training; what is fed back is not.
        seed: integer seed of the dropout.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, target, dim)`.
        memory: `(batch, source, memory_dim)`.
        memory_mask: boolean `(batch, source)`, combined with the mask on `memory`.
        initial_state: list of tensors `(batch, size)`: the cell's states, with or
            without the attentional vector behind them; zeros when left out.
        return_state: whether to return the last state too.
        return_attention_scores: whether to return the weights too.
        training: whether to drop.

    Where a mask on `inputs` is `False`, the state stays as it is, and outputs and
    weights are zeros.

    Returns:
        Outputs `(batch, target, attention_units)`; with `return_attention_scores`
        followed by the weights `(batch, target, source)`; with `return_state` followed
        by the list of the cell's last states and the last attentional vector.

    Raises:
        ValueError: for something that is not a cell, a cell with dropout, or a state
            of the wrong number of tensors.

    Example:
    >>> from keras_attention.layers import Attention
    >>> decoder = AttentionRNN(keras.layers.GRUCell(8), Attention("general"))
    >>> inputs, memory = keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 6))
    >>> outputs, weights = decoder(inputs, memory, return_attention_scores=True)
    >>> tuple(outputs.shape), tuple(weights.shape)
    ((2, 3, 8), (2, 3, 5))
    """

    def __init__(
        self,
        cell: Any,
        attention: Any,
        input_feeding: bool = True,
        attention_units: int | None = None,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cell = restore(cell)
        self.attention = restore(attention)
        check_cell(self.cell)
        if not hasattr(self.attention, "weigh"):
            raise ValueError(
                "`attention` must be an `Attention` layer. "
                f"Received: attention={attention!r}"
            )
        if getattr(self.attention, "alignment", None) in ("local_m", "monotonic"):
            raise ValueError(
                "`attention` must weigh each step by itself: by an alignment of "
                '"softmax" or "local_p". '
                f"Received: alignment={self.attention.alignment!r}"
            )
        if attention_units is not None:
            check_positive(attention_units=attention_units)
        check_rate(dropout=dropout)
        self.supports_masking = True
        self.input_feeding = input_feeding
        self.attention_units = attention_units
        self.dropout = dropout
        self.seed = seed
        self._units = attention_units or self.cell.output_size
        self._attentional_dense = keras.layers.Dense(
            self._units,
            activation="tanh",
            use_bias=False,
            dtype=self.dtype_policy,
            name="attentional",
        )
        self._output_dropout = keras.layers.Dropout(
            dropout, seed=seed, dtype=self.dtype_policy
        )
        self._memory_dropout = keras.layers.Dropout(
            self.attention.dropout, seed=self.attention.seed, dtype=self.dtype_policy
        )

    def build(self, inputs_shape, memory_shape):
        batch, _, dim = inputs_shape
        fed = self._units if self.input_feeding else 0
        build_once(self.cell, (batch, dim + fed))
        hidden = self.cell.output_size
        build_once(self.attention, (batch, 1, hidden), memory_shape)
        self._attentional_dense.build((batch, None, memory_shape[-1] + hidden))

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
        memory_mask = functional.combine_masks(
            memory_mask, functional.implicit_mask(memory)
        )
        state = self._complete(initial_state, ops.shape(inputs)[0])
        projected = self.project_memory(memory, memory_mask)
        run = self._run_feeding if self.input_feeding else self._run_then_attend
        outputs, weights, state = run(
            inputs,
            state,
            projected,
            functional.implicit_mask(inputs),
            self._draw_keep(memory, training),
        )
        outputs = self._output_dropout(outputs, training=training)
        results = (outputs,)
        if return_attention_scores:
            results = (*results, weights)
        if return_state:
            results = (*results, state)
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
        def spec(*shape):
            return keras.KerasTensor(shape, self.compute_dtype)

        batch, target, _ = inputs.shape
        results = [spec(batch, target, self._units)]
        if return_attention_scores:
            results.append(spec(batch, target, memory.shape[1]))
        if return_state:
            sizes = [*state_sizes(self.cell), self._units]
            results.append([spec(batch, size) for size in sizes])
        return tuple(results) if len(results) > 1 else results[0]

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "attention": keras.saving.serialize_keras_object(self.attention),
            "input_feeding": self.input_feeding,
            "attention_units": self.attention_units,
            "dropout": self.dropout,
            "seed": self.seed,
        }

    def project_memory(
        self, memory: Tensor, memory_mask: Tensor | None = None
    ) -> dict[str, Tensor | None]:
        """What all steps need of a memory, computed once: values, keys and mask."""
        return {
            "value": memory,
            "key": self.attention.project_key(memory),
            "mask": None if memory_mask is None else ops.expand_dims(memory_mask, 1),
        }

    def get_initial_state(
        self, batch_size: Any, cell_state: list[Tensor] | None = None
    ) -> list[Tensor]:
        """The cell's states, zeros when left out, and an attentional one of zeros."""
        return self._complete(cell_state, batch_size)

    def step(
        self,
        inputs: Tensor,
        state: list[Tensor],
        projected: dict[str, Tensor | None],
        keep: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """One step of the layer.

        Args:
            inputs: `(batch, dim)`.
            state: the cell's states and the last attentional vector.
            projected: from `project_memory`.
            keep: factors `(batch, source)` on the weights, of the dropout.

        Returns:
            The attentional vector `(batch, attention_units)`, the weights
            `(batch, source)` and the new state.
        """
        *cell_state, fed = state
        if self.input_feeding:
            inputs = ops.concatenate([inputs, ops.cast(fed, inputs.dtype)], axis=-1)
        hidden, cell_state = self._run_cell(inputs, cell_state)
        outputs, weights = self._attend(ops.expand_dims(hidden, 1), projected, keep)
        outputs = ops.squeeze(outputs, 1)
        return outputs, ops.squeeze(weights, 1), [*cell_state, outputs]

    def _run_feeding(self, inputs, state, projected, mask, keep):
        def step(inputs, state):
            outputs, weights, state = self.step(inputs, state, projected, keep)
            # PyTorch's loop stacks one tensor a step.
            return ops.concatenate([outputs, weights], axis=-1), state

        joined, state = functional.run_recurrence(step, inputs, state, mask)
        return joined[..., : self._units], joined[..., self._units :], state

    def _run_then_attend(self, inputs, state, projected, mask, keep):
        *cell_state, fed = state
        hidden, cell_state = functional.run_recurrence(
            self._run_cell, inputs, cell_state, mask
        )
        outputs, weights = self._attend(hidden, projected, keep)
        if mask is not None:
            is_real = ops.expand_dims(mask, -1)
            outputs = ops.where(is_real, outputs, ops.zeros_like(outputs))
            weights = ops.where(is_real, weights, ops.zeros_like(weights))
        last = functional.last_position(outputs, mask, fed)
        return outputs, weights, [*cell_state, last]

    def _run_cell(self, inputs, cell_state):
        nested = keras.tree.pack_sequence_as(self.cell.state_size, cell_state)
        hidden, nested = self.cell(inputs, nested)
        return hidden, keras.tree.flatten(nested)

    def _attend(self, hidden, projected, keep):
        weights = self.attention.weigh(hidden, projected["key"], projected["mask"])
        kept = weights if keep is None else weights * ops.expand_dims(keep, 1)
        context = functional.attend(kept, projected["value"])
        joined = ops.concatenate([context, hidden], axis=-1)
        return self._attentional_dense(joined), weights

    def _draw_keep(self, memory, training):
        if not self.attention.dropout:
            return None
        return self._memory_dropout(ops.ones_like(memory[..., 0]), training=training)

    def _complete(self, state, batch_size):
        state = [] if state is None else keras.tree.flatten(state)
        sizes = state_sizes(self.cell)
        if len(state) not in (0, len(sizes), len(sizes) + 1):
            raise ValueError(
                f"`initial_state` must hold the {len(sizes)} states of the cell, and "
                f"may hold the attentional vector. Received: {len(state)} tensors"
            )
        missing = [*sizes, self._units][len(state) :]
        return [
            *(ops.cast(part, self.compute_dtype) for part in state),
            *(ops.zeros((batch_size, size), self.compute_dtype) for size in missing),
        ]
