"""Steps of any attention: its own, or else calls that give the same.

An attention with `start` and `step` is asked by these. Of one without, the past is kept
and read again at each step.
"""

from typing import Any

from keras import ops

from keras_attention import functional
from keras_attention.tensor import Tensor

State = Any


def start_self_attention(
    attention: Any, rows: Any, max_length: int, width: int
) -> State:
    """The state of an attention to what steps read, of nothing so far.

    Args:
        attention: called in the calling form of `MultiHeadAttention`.
        rows: number of rows.
        max_length: the most positions that steps read.
        width: of what they read.
    """
    if _has_steps(attention):
        nothing = ops.zeros((rows, 0, width), attention.compute_dtype)
        return attention.start(nothing, max_length)
    return {"inputs": _room(attention, rows, max_length, width)}


def start_cross_attention(
    attention: Any,
    memory: Tensor,
    memory_mask: Tensor | None,
    max_length: int,
    width: int,
) -> State:
    """The state of an attention to a memory, before anything has queried it.

    Args:
        attention: as in `start_self_attention`, likewise the last two.
        memory: `(rows, source, dim)`.
        memory_mask: boolean `(rows, source)`, or `None`.
        max_length: the most positions that steps read.
        width: of the queries.
    """
    if _has_steps(attention):
        mask = {} if memory_mask is None else {"memory_mask": memory_mask}
        return attention.start(memory, **mask)
    inputs = _room(attention, ops.shape(memory)[0], max_length, width)
    mask = {} if memory_mask is None else {"mask": memory_mask}
    return {"inputs": inputs, "memory": memory, **mask}


def step_attention(
    attention: Any, query: Tensor, state: State, index: int | Tensor
) -> tuple[Tensor, State, Tensor | None]:
    """Attend from the next positions.

    Args:
        attention: as in `start_self_attention`.
        query: `(rows, length, width)`.
        state: of one of the starts, or of the last step.
        index: number of positions read before.

    Returns:
        Output `(rows, length, dim)`, the new state, and the weights of a memory, `None`
        where there are none.
    """
    if _has_steps(attention):
        return attention.step(query, state, index)
    length = ops.shape(query)[1]
    inputs = ops.cast(query, state["inputs"].dtype)
    inputs = functional.write_at(state["inputs"], inputs, index, 1)
    state = {**state, "inputs": inputs}
    if "memory" not in state:
        # Positions after these are nothing yet, and are not seen by them.
        output = attention(inputs, inputs, use_causal_mask=True)
        return functional.read_at(output, index, length, 1), state, None
    mask = {} if "mask" not in state else {"value_mask": state["mask"]}
    output, weights = attention(
        inputs, state["memory"], return_attention_scores=True, **mask
    )
    output = functional.read_at(output, index, length, 1)
    weights = functional.read_at(weights, index, length, len(weights.shape) - 2)
    return output, state, weights


def reorder_attention(attention: Any, state: State, parents: Tensor) -> State:
    """The state of rows that continue others.

    Args:
        attention: as in `start_self_attention`.
        state: of a step.
        parents: `(rows,)`, the row that each continues, of its own source.
    """
    if _has_steps(attention) or "memory" not in state:
        return functional.reorder_state(attention, state, parents)
    # All rows of a source have one memory.
    return {**state, "inputs": functional.take_rows(state["inputs"], parents)}


def _has_steps(attention):
    return hasattr(attention, "start") and hasattr(attention, "step")


def _room(attention, rows, max_length, width):
    return ops.zeros((rows, max_length, width), attention.compute_dtype)
