"""The steps of a recurrent decoder that attends to a memory."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.functional import StepState
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.recurrent.attention_state import (
    AttentionState,
    pack,
)
from keras_attention.layers.recurrent.cells import (
    advance,
    check_states,
    draw_dropout_masks,
    factors,
    initial_states,
    project_inputs,
    run_cell,
    state_sizes,
)
from keras_attention.tensor import Tensor


class AttentionRNNSteps(BaseLayer):
    """The steps of `AttentionRNN`, which has the constructor and the call."""

    def start(
        self,
        memory: Tensor,
        max_length: int | None = None,
        memory_mask: Tensor | None = None,
        initial_state: Any = None,
        training: bool = False,
    ) -> StepState:
        """The state before the first step.

        Args:
            memory: `(rows, source, memory_dim)`.
            max_length: the most positions that steps read; needed in training alone.
            memory_mask: boolean `(rows, source)`.
            initial_state: as in the call.
            training: whether to draw what the steps drop and add: a loop on JAX cannot.
        """
        rows, source = ops.shape(memory)[:2]
        constant = {"memory": self.attention.project_memory(memory, memory_mask)}
        if training:
            constant["dropout"] = self._draw_dropout_masks(memory)
            ones = ops.ones((rows, max_length, self._units), self.compute_dtype)
            constant["outputs"] = self._output_dropout(ones, training=True)
            noise = self.attention.draw_noise(rows, max_length, source)
            if noise is not None:
                constant["noise"] = noise
        return StepState(constant, self._complete(initial_state, rows, source))

    def step(
        self,
        inputs: Tensor,
        state: StepState,
        index: int | Tensor,
        training: bool = False,
    ) -> tuple[Tensor, StepState, Tensor]:
        """Read the next positions.

        Args:
            inputs: `(rows, length, dim)`, one position or several.
            state: of `start`, or of the last step.
            index: number of positions read before, an integer or a scalar; it counts in
                training alone.
            training: whether to drop, by a state that was started so.

        Returns:
            Outputs `(rows, length, attention_units)`, the new state, and the weights
            `(rows, length, source)`.
        """
        constant, recurrent = state
        if inputs.shape[1] == 1:
            outputs, weights, recurrent = self._read_one(
                inputs[:, 0], recurrent, constant, index, training
            )
            outputs, weights = (ops.expand_dims(p, 1) for p in (outputs, weights))
        else:
            outputs, weights, recurrent = self._read_each(
                inputs, recurrent, constant, index, training
            )
        if training:
            length = ops.shape(inputs)[1]
            outputs = outputs * functional.read_at(
                constant["outputs"], index, length, 1
            )
        return outputs, StepState(constant, recurrent), weights

    def _read_one(self, inputs, recurrent, constant, index, training):
        """Output, weights and state of one position, `(rows, dim)`."""
        drops = constant.get("dropout", {})
        if "noise" in constant:
            noise = functional.read_at(constant["noise"], index, 1, 1)
            drops = {**drops, "noise": noise}
        projected = project_inputs(self.cell, inputs)
        hidden, context, weights, recurrent = self._step(
            (inputs, projected), recurrent, constant["memory"], drops, training
        )
        weights = ops.cast(weights, self.compute_dtype)
        if self.input_feeding:
            return recurrent.output[0], weights, recurrent
        outputs = self._read_out(context, hidden, inputs)
        return ops.cast(outputs, self.compute_dtype), weights, recurrent

    def _read_each(self, inputs, recurrent, constant, index, training):
        """The same of several positions, `(rows, length, dim)`."""

        def advance(inputs, states):
            count, *tensors = states
            outputs, weights, new = self._read_one(
                inputs, pack(recurrent, tensors), constant, index + count, training
            )
            return ops.concatenate([outputs, weights], -1), [count + 1, *new.flat()]

        first = ops.convert_to_tensor(0, "int32")
        joined, (_, *tensors) = functional.run_recurrence(
            advance, inputs, [first, *recurrent.flat()]
        )
        outputs, weights = joined[..., : self._units], joined[..., self._units :]
        return outputs, weights, pack(recurrent, tensors)

    def _draw_dropout_masks(self, memory):
        """What one sequence of training drops, the same at each of its steps."""
        batch, source = ops.shape(memory)[:2]
        between, recurrent, of_memory = (
            factors(batch, rate, self._seeds, self.compute_dtype)
            for rate in (self.dropout, self.recurrent_dropout, self.attention.dropout)
        )
        return {
            "cell": draw_dropout_masks(self.cell, recurrent, between),
            "memory": of_memory(source),
        }

    def _run(self, inputs, state, projected, drops, training):
        """Cell and attention, step by step, with the readout if it is fed back."""

        def step(inputs, tensors):
            inputs, *noise = inputs
            now = {**drops, "noise": ops.expand_dims(noise[0], 1)} if noise else drops
            hidden, context, weights, new = self._step(
                inputs, pack(state, tensors), projected, now, training
            )
            found = new.output if self.input_feeding else [hidden, context]
            # PyTorch's loop stacks one tensor a step.
            return ops.concatenate([*found, weights], axis=-1), new.flat()

        steps = [(inputs, project_inputs(self.cell, inputs))]
        noise = None
        if training:
            shape = *ops.shape(inputs)[:2], ops.shape(projected["value"])[1]
            noise = self.attention.draw_noise(*shape)
        if noise is not None:
            steps.append(noise)
        mask = functional.position_mask(inputs)
        joined, tensors = functional.run_recurrence(step, steps, state.flat(), mask)
        state = pack(state, tensors)
        if self.input_feeding:
            return joined[..., : self._units], joined[..., self._units :], state
        start = self.cell.output_size
        end = start + projected["value"].shape[-1]
        hidden, context = joined[..., :start], joined[..., start:end]
        outputs = self._read_out(context, hidden, inputs)
        return functional.zero_padding(outputs, mask), joined[..., end:], state

    def _run_apart(self, inputs, state, projected, drops, training):
        """The cell step by step, then attention and readout of all steps."""
        mask = functional.position_mask(inputs)
        hidden, cell = run_cell(self.cell, inputs, state.cell, mask, drops.get("cell"))
        context, weights, _ = self._attend(hidden, projected, [], drops, training)
        outputs = self._read_out(context, hidden, inputs)
        outputs, weights = (
            functional.zero_padding(part, mask) for part in (outputs, weights)
        )
        return outputs, weights, state._replace(cell=cell)

    def _step(self, inputs, state, projected, drops, training):
        """Hidden vector, context, weights and state of one step."""
        inputs, projected_inputs = inputs
        parts, alignment, output = list(state.output), state.alignment, state.output
        if self._attends_first:
            query = state.cell[self._query_index()]
            context, weights, alignment = self._attend_once(
                query, projected, alignment, drops, training
            )
            parts.append(context)
        hidden, cell = advance(
            self.cell, projected_inputs, parts, state.cell, drops.get("cell")
        )
        if not self._attends_first:
            context, weights, alignment = self._attend_once(
                hidden, projected, alignment, drops, training
            )
        if output:
            read = self._read_out(context, hidden, inputs)
            output = [ops.cast(read, output[0].dtype)]
        return hidden, context, weights, AttentionState(cell, output, alignment)

    def _attend_once(self, query, *rest):
        context, weights, alignment = self._attend(ops.expand_dims(query, 1), *rest)
        return context[:, 0], weights[:, 0], alignment

    def _attend(self, query, projected, alignment, drops, training):
        weights, alignment = self.attention.compute_weights(
            ops.cast(query, self.attention.compute_dtype),
            projected["key"],
            projected["mask"],
            alignment,
            training=training,
            noise=drops.get("noise"),
        )
        kept = weights
        if drops.get("memory") is not None:
            kept = ops.cast(weights, self.compute_dtype)
            kept = kept * ops.expand_dims(drops["memory"], 1)
        context = functional.attend(kept, projected["value"])
        return ops.cast(context, self.compute_dtype), weights, alignment

    def _read_out(self, context, hidden, inputs):
        return self._readout.read(
            context, hidden, *([inputs] if self._attends_first else [])
        )

    def _query_index(self):
        cells = getattr(self.cell, "cells", [self.cell])
        below = cells[: self.query_level % len(cells)]
        return sum(len(state_sizes(cell)) for cell in below)

    def _complete(self, given, batch_size, source):
        """A whole state of the tensors that are given: all, the cell's, or none."""
        output = []
        if self.input_feeding:
            output = [ops.zeros((batch_size, self._units), self.compute_dtype)]
        state = AttentionState(
            initial_states(self.cell, batch_size),
            output,
            self.attention.initial_state(batch_size, source),
        )
        given, initial = keras.tree.flatten(given or []), state.flat()
        if len(given) not in (0, len(state.cell), len(initial)):
            raise ValueError(
                f"`initial_state` must hold the {len(state.cell)} states of the cell, "
                f"alone or among all {len(initial)}. Received: {len(given)} tensors"
            )
        sizes = [zeros.shape[-1] for zeros in initial[: len(given)]]
        check_states(given, batch_size, sizes)
        given = [
            ops.cast(part, zeros.dtype)
            for part, zeros in zip(given, initial, strict=False)
        ]
        return pack(state, given + initial[len(given) :])
