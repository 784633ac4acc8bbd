"""The weights of `Attention`, query by query, and its steps."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.functional import StepState
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.projection import apply_dense
from keras_attention.precision import precise
from keras_attention.tensor import Tensor


class AttentionSteps(BaseLayer):
    """The weights of `Attention`, which has the constructor and the call."""

    def start(
        self,
        memory: Tensor,
        max_length: int | None = None,
        memory_mask: Tensor | None = None,
    ) -> StepState:
        """The state before the first step.

        Args:
            memory: `(rows, source, dim)`, what all steps attend to; or, with a
                `max_length`, anything with as many rows.
            max_length: the most positions that steps read, each of which attends to
                those up to itself.
            memory_mask: boolean `(rows, source)`.
        """
        rows = ops.shape(memory)[0]
        if max_length is None:
            state = self.initial_state(rows, ops.shape(memory)[1])
            return StepState(self.project_memory(memory, memory_mask), state)
        nothing = ops.zeros((rows, max_length, self._key_dim), self.compute_dtype)
        past = {"value": nothing, "key": self.project_key(nothing)}
        state = self.initial_state(rows, max_length)
        return StepState({}, {"past": past, "alignment": state})

    def step(
        self, query: Tensor, state: StepState, index: int | Tensor
    ) -> tuple[Tensor, StepState, Tensor]:
        """Attend from the next positions.

        Args:
            query: `(rows, length, dim)`, one position or several.
            state: of `start`, or of the last step.
            index: number of positions read before, an integer or a scalar.

        Returns:
            Context `(rows, length, value_dim)`, the new state, and the weights
            `(rows, length, source)`.
        """
        query = ops.cast(query, self.compute_dtype)
        memory, alignment = state
        if memory:
            context, weights, alignment = self._attend(query, memory, alignment)
            return context, StepState(memory, alignment), weights
        past, alignment = state.recurrent["past"], state.recurrent["alignment"]
        read = {"value": query, "key": self.project_key(query)}
        past = keras.tree.map_structure(
            lambda part, new: functional.write_at(part, new, index, 1), past, read
        )
        lengths = ops.shape(query)[1], ops.shape(past["value"])[1]
        mask = functional.causal_mask(*lengths, index)
        context, weights, alignment = self._attend(
            query, {**past, "mask": mask}, alignment
        )
        return context, StepState({}, {"past": past, "alignment": alignment}), weights

    def _attend(self, query, memory, alignment):
        weights, alignment = self.compute_weights(
            query, memory["key"], memory["mask"], alignment
        )
        context = functional.attend(weights, memory["value"])
        return ops.cast(context, self.compute_dtype), weights, alignment

    def project_memory(
        self, memory: Tensor, memory_mask: Tensor | None = None
    ) -> dict[str, Any]:
        """What all queries need of a memory, computed once: values, keys and mask."""
        memory_mask = functional.position_mask(memory, memory_mask=memory_mask)
        if memory_mask is not None:
            memory_mask = ops.expand_dims(memory_mask, 1)
        key = self.project_key(ops.cast(memory, self.compute_dtype))
        return {"value": memory, "key": key, "mask": memory_mask}

    def project_key(self, key: Tensor) -> dict[str, Tensor]:
        """The parts of the scores that depend on the keys alone.

        A decoder that attends to one memory at many steps computes them once.
        """
        parts = {"key": key if self._key_dense is None else self._key_dense(key)}
        if self._coverage is not None and self.coverage == "fertility":
            parts["fertility"] = self._coverage.fertility(key)
        return parts

    def state_sizes(self, source: int | Tensor) -> list[Any]:
        """Widths of what a query leaves to the next one, for `source` keys."""
        covered = [] if self._coverage is None else [source]
        return self._alignment.state_sizes(source) + covered

    def initial_state(
        self, batch_size: int | Tensor, source: int | Tensor
    ) -> list[Tensor]:
        """What the first query finds: tensors `(batch, width)`."""
        state = self._alignment.initial_state(batch_size, source)
        if self._coverage is not None:
            state.append(ops.zeros((batch_size, source), precise(self.compute_dtype)))
        return state

    def draw_noise(
        self, batch_size: int | Tensor, target: int | Tensor, source: int | Tensor
    ) -> Tensor | None:
        """What training adds to scores `(batch, target, source)`, if anything."""
        return self._alignment.draw_noise(batch_size, target, source)

    def compute_weights(
        self,
        query: Tensor,
        projected_key: dict[str, Tensor],
        mask: Tensor | None = None,
        state: Sequence[Tensor] = (),
        *,
        training: bool | None = False,
        noise: Tensor | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Weights of keys, and what they leave to the next query.

        Args:
            query: `(batch, target, query_dim)`.
            projected_key: of `project_key`.
            mask: boolean, broadcasting to `(batch, target, source)`.
            state: of `initial_state`, or of the last query.
            training: whether weights are those of training.
            noise: of `draw_noise`, for these queries.

        Returns:
            Weights `(batch, target, source)` and the new state.
        """
        if self._coverage is None:
            compute_weights = self._compute_weights
        else:
            compute_weights = (
                self._compute_next_weights
                if query.shape[1] == 1
                else self._compute_weights_in_turn
            )
        weights, state = compute_weights(
            query, projected_key, mask, state, training, noise
        )
        return ops.cast(weights, self.compute_dtype), list(state)

    def _compute_weights(self, query, projected_key, mask, state, training, noise):
        scores = self._scores(query, projected_key["key"])
        scores = ops.cast(scores, precise(scores.dtype))
        return self._alignment.compute_weights(
            query, scores, mask, state, training=training, noise=noise
        )

    def _compute_next_weights(self, query, projected_key, mask, state, training, noise):
        """Weights of one query, by keys that know what is covered."""
        *state, covered = state
        key, fertility = projected_key["key"], projected_key.get("fertility")
        key = self._coverage.add_coverage(key, covered, fertility)
        weights, state = self._compute_weights(
            query, {"key": key}, mask, state, training, noise
        )
        return weights, [*state, covered + weights[:, 0]]

    def _compute_weights_in_turn(
        self, query, projected_key, mask, state, training, noise
    ):
        """Weights of one query after another."""
        batch, target, _ = ops.shape(query)
        inputs = {"query": query}
        if mask is not None:
            shape = (batch, target, ops.shape(projected_key["key"])[1])
            inputs["mask"] = ops.broadcast_to(mask, shape)
        if noise is not None:
            inputs["noise"] = noise

        def step(inputs, state):
            inputs = {name: ops.expand_dims(part, 1) for name, part in inputs.items()}
            weights, state = self._compute_next_weights(
                inputs["query"],
                projected_key,
                inputs.get("mask"),
                state,
                training,
                inputs.get("noise"),
            )
            return weights[:, 0], state

        return functional.run_recurrence(step, inputs, state)

    def _scores(self, query, projected_key):
        if self.score == "scaled_dot":
            return functional.scaled_dot_scores(query, projected_key)
        if self.score == "cosine":
            return functional.cosine_scores(query, projected_key)
        if self.score == "additive":
            return functional.additive_scores(
                apply_dense(self._query_dense, query), projected_key, self._energy
            )
        if callable(self.score):
            return self.score(query, projected_key)
        return functional.dot_scores(query, projected_key)

    def _energy(self, hidden):
        energy = apply_dense(self._energy_dense, hidden)
        if not self.normalize:
            return energy
        # The vector, also where quantization or an adapter is a part of it.
        vector = self._energy_dense(ops.eye(self.units, dtype=hidden.dtype))
        dtype = precise(self.compute_dtype)
        square = ops.sum(ops.square(ops.cast(vector, dtype)))
        scale = ops.cast(self._energy_scale, dtype) * ops.rsqrt(square)
        return energy * ops.cast(scale, energy.dtype)
