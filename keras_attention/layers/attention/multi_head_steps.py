"""Attention of several heads to what grows step by step."""

from typing import Any

from keras import ops

from keras_attention import functional
from keras_attention.layers.attention.multi_head_core import HeadAttention
from keras_attention.layers.attention.multi_head_projections import Cache
from keras_attention.tensor import Tensor

State = dict[str, Any]


class HeadSteps(HeadAttention):
    """The steps of `MultiHeadAttention`, by caches that go in and come out.

    Hypotheses of one source share the projections of its memory, and one past: that
    has a slot for each hypothesis and step, and every hypothesis knows which of them it
    has written or inherited. So only these numbers move when it continues another.
    """

    def init_cache(self, batch_size: int | Tensor, max_length: int) -> Cache:
        """An empty cache of `max_length` positions, to pass with a `cache_index`."""
        heads, dtype = self._key_value_heads, self.compute_dtype
        keys = self._maps * heads, max_length, self.key_dim
        values = heads, max_length, self.value_dim or self.key_dim
        return {
            "key": ops.zeros((batch_size, *keys), dtype),
            "value": ops.zeros((batch_size, *values), dtype),
        }

    def start(
        self,
        memory: Tensor,
        max_length: int | None = None,
        memory_mask: Tensor | None = None,
    ) -> State:
        """The state before the first step.

        Args:
            memory: `(rows, source, dim)`, what all steps attend to; or, with a
                `max_length`, anything with as many rows.
            max_length: the most positions that steps read, each of which attends to
                those up to itself.
            memory_mask: boolean `(rows, source)`.

        Returns:
            A dictionary of tensors.
        """
        if max_length is not None:
            return {"past": self.init_cache(ops.shape(memory)[0], max_length)}
        mask = {} if memory_mask is None else {"mask": memory_mask}
        return {"memory": self.project_memory(memory), **mask}

    def step(
        self, query: Tensor, state: State, index: int | Tensor
    ) -> tuple[Tensor, State, Tensor | None]:
        """Attend from the next positions.

        Args:
            query: `(rows, length, dim)`, one position or several.
            state: of `start`, of the last step, or of `expand` or `reorder`.
            index: number of positions read before, an integer or a scalar.

        Returns:
            Output `(rows, length, output_dim)`, the new state, and weights `(rows,
            heads, length, positions)`, `None` with `flash_attention`.
        """
        if "memory" in state:
            positions = index + ops.arange(functional.size(query, 1), dtype="int32")
            output, weights = self._attend_with_weights(
                query, state, state["memory"], query_positions=positions
            )
            return output, state, weights
        if "shared_memory" in state:
            return self._step_over_shared_memory(query, state, index)
        if "slots" in state:
            return self._step_over_shared_past(query, state, index)
        output, weights, past = self._attend_with_weights(
            query, {}, state["past"], index
        )
        return output, {"past": past}, weights

    def expand(self, state: State, count: int) -> State:
        """The state of `count` hypotheses for each row, next to each other."""
        if "memory" in state:
            shared = {name: part for name, part in state.items() if name != "memory"}
            return {**shared, "shared_memory": state["memory"]}
        key = state["past"]["key"]
        rows, length = ops.shape(key)[0], key.shape[2]
        return {
            "past": {
                name: _make_room(part, count) for name, part in state["past"].items()
            },
            # What was read so far stands in the first slots.
            "slots": ops.zeros((rows * count, length), "int32"),
        }

    def reorder(self, state: State, parents: Tensor) -> State:
        """The state of rows that continue others, `parents (rows,)`.

        Hypotheses continue others of the same source.
        """
        if "shared_memory" in state:
            return state
        if "slots" in state:
            slots = functional.take_rows(state["slots"], parents)
            return {**state, "slots": slots}
        return functional.take_rows(state, parents)

    def _attend_with_weights(self, query, masks, cache, index=None, **options):
        """Output, weights and, with an index, the new cache."""
        value = None if index is None else query
        results = self(
            query,
            value,
            value_mask=masks.get("mask"),
            cache=cache,
            cache_index=index,
            return_attention_scores=not self.flash_attention,
            **options,
        )
        if not self.flash_attention:
            return results
        results = results if isinstance(results, tuple) else (results,)
        return results[0], None, *results[1:]

    def _step_over_shared_memory(self, query, state, index):
        cache, (rows, length, _) = state["shared_memory"], ops.shape(query)
        batch = ops.shape(cache["key"])[0]
        positions = index + ops.arange(length, dtype="int32")
        output, weights = self._attend_with_weights(
            functional.join_hypotheses(query, batch),
            state,
            cache,
            query_positions=ops.repeat(positions, rows // _at_least_one(batch)),
        )
        output = functional.split_hypotheses(output, length)
        return output, state, _split_weights(weights, length)

    def _step_over_shared_past(self, query, state, index):
        past, slots = state["past"], state["slots"]
        (rows, length, _), steps = ops.shape(query), slots.shape[1]
        count = past["key"].shape[2] // steps
        batch = ops.shape(past["key"])[0]
        places = ops.arange(count, dtype="int32")
        itself = ops.reshape(ops.tile(places, [batch]), (rows, 1))
        itself = ops.broadcast_to(itself, (rows, length))
        slots = functional.write_at(slots, itself, index, 1)
        is_own = ops.equal(ops.expand_dims(slots, -1), places)  # (rows, steps, count)
        is_own = ops.reshape(is_own, (rows, 1, steps * count))
        is_own = ops.broadcast_to(is_own, (rows, length, steps * count))
        query_positions = index + ops.arange(length, dtype="int32")
        output, weights, past = self._attend_with_weights(
            functional.join_hypotheses(query, batch),
            {},
            past,
            index * count,
            attention_mask=functional.join_hypotheses(is_own, batch),
            query_positions=ops.repeat(query_positions, count),
            key_positions=ops.repeat(ops.arange(steps, dtype="int32"), count),
        )
        output = functional.split_hypotheses(output, length)
        if weights is not None:
            weights = _split_weights(weights, length)
            by_step = ops.reshape(weights, (*ops.shape(weights)[:3], steps, count))
            weights = ops.sum(by_step, axis=-1)
        return output, {"past": past, "slots": slots}, weights


def _at_least_one(count: int | Tensor) -> Any:
    return max(count, 1) if isinstance(count, int) else ops.maximum(count, 1)


def _make_room(part: Tensor, count: int) -> Tensor:
    """Slots `(batch, heads, length * count, dim)`, the first of each step filled."""
    batch, heads, length, dim = ops.shape(part)
    padding = ((0, 0), (0, 0), (0, 0), (0, count - 1), (0, 0))
    slots = ops.pad(ops.expand_dims(part, 3), padding)
    return ops.reshape(slots, (batch, heads, length * count, dim))


def _split_weights(weights: Tensor | None, length: int | Tensor) -> Tensor | None:
    """`(batch, heads, length * hypotheses, source)` by rows, as queries are split."""
    if weights is None:
        return None
    by_query = ops.swapaxes(weights, 1, 2)
    return ops.swapaxes(functional.split_hypotheses(by_query, length), 1, 2)
