"""The steps of a decoder block."""

from typing import Any

from keras_attention import functional
from keras_attention.layers import steps
from keras_attention.layers.transformer.block import TransformerBlock
from keras_attention.tensor import Tensor

State = dict[str, Any]
Cache = dict[str, dict[str, Tensor]]


class DecoderSteps(TransformerBlock):
    """The steps of `TransformerDecoder`, which has the constructor and the call."""

    def init_cache(
        self,
        batch_size: int | Tensor,
        max_length: int,
        encoder_sequence: Tensor | None = None,
    ) -> Cache:
        """An empty past of `max_length` positions, and the projected memory."""
        cache = {
            "self_attention": self._self_attention.init_cache(batch_size, max_length)
        }
        if self._has_memory:
            cache["cross_attention"] = self._cross_attention.project_memory(
                encoder_sequence
            )
        return cache

    def start(self, memory: dict[str, Any], max_length: int) -> State:
        """The state before the first step.

        Args:
            memory: `{"sequence": (rows, source, dim), "mask": (rows, source)}`, the
                mask boolean; of a block without attention to a memory, any nested
                structure with as many rows.
            max_length: the most positions that steps read.
        """
        rows = functional.count_rows(memory)
        state = {
            "self_attention": steps.start_self_attention(
                self._self_attention, rows, max_length, self._width
            )
        }
        if self._has_memory:
            state["cross_attention"] = steps.start_cross_attention(
                self._cross_attention,
                memory["sequence"],
                memory["mask"],
                max_length,
                self._width,
            )
        return state

    def step(
        self, inputs: Tensor, state: State, index: int | Tensor
    ) -> tuple[Tensor, State, Tensor | None]:
        """Read the next positions.

        Args:
            inputs: `(rows, length, dim)`, one position or several.
            state: of `start`, of the last step, or of `expand` or `reorder`.
            index: number of positions read before, an integer or a scalar.

        Returns:
            Outputs shaped as `inputs`, the new state, and the weights of the memory
            `(rows, heads, length, source)`, `None` without one.
        """
        state, weights = dict(state), None
        attended, state["self_attention"], _ = steps.step_attention(
            self._self_attention,
            self._self_residual.sublayer_input(inputs),
            state["self_attention"],
            index,
        )
        hidden = self._self_residual.add(inputs, attended, training=False)
        if self._has_memory:
            attended, state["cross_attention"], weights = steps.step_attention(
                self._cross_attention,
                self._cross_residual.sublayer_input(hidden),
                state["cross_attention"],
                index,
            )
            hidden = self._cross_residual.add(hidden, attended, training=False)
        update = self._feed_forward(self._feed_forward_residual.sublayer_input(hidden))
        outputs = self._feed_forward_residual.add(hidden, update, training=False)
        return outputs, state, weights

    def expand(self, state: State, count: int) -> State:
        """The state of `count` hypotheses for each row, next to each other."""
        return {
            name: functional.expand_state(self._attention_of(name), part, count)
            for name, part in state.items()
        }

    def reorder(self, state: State, parents: Tensor) -> State:
        """The state of rows that continue others, `parents (rows,)`."""
        return {
            name: steps.reorder_attention(self._attention_of(name), part, parents)
            for name, part in state.items()
        }

    def _attention_of(self, name):
        return getattr(self, f"_{name}")
