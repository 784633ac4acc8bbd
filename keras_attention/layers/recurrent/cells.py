"""One interface to all recurrent cells, ours and others."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import check_axes
from keras_attention.layers.sublayers import build_once
from keras_attention.tensor import Tensor


def check_cell(cell: Any) -> None:
    """Raise unless `cell` is a recurrent cell, and one without dropout.

    A cell keeps what it drops until `keras.layers.RNN` resets it, which looks neither
    into `StackedCells` nor into `AttentionRNN`.
    """
    if not hasattr(cell, "state_size") or not hasattr(cell, "output_size"):
        raise ValueError(f"`cell` must be a recurrent cell. Received: cell={cell!r}")
    for part in getattr(cell, "cells", [cell]):
        rates = getattr(part, "dropout", 0), getattr(part, "recurrent_dropout", 0)
        if any(rates):
            raise ValueError(
                "`cell` must have no dropout of its own; use the `dropout` of the "
                f"layer. Received: dropout={rates[0]}, recurrent_dropout={rates[1]}"
            )


def part_shapes(inputs_shape: Any) -> list[Any]:
    """The shapes of a cell's inputs, which may come in parts.

    Raises:
        ValueError: unless each is `(batch, dim)`.
    """
    is_one = not isinstance(inputs_shape[0], (list, tuple))
    shapes = [inputs_shape] if is_one else list(inputs_shape)
    for shape in shapes:
        check_axes("batch, dim", inputs=shape)
    return shapes


def input_parts(inputs: Any, states: Any) -> list[Tensor]:
    """The parts of a cell's inputs.

    Raises:
        ValueError: unless each is `(batch, dim)`, and each state `(batch, size)`.
    """
    parts = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    part_shapes([tuple(part.shape) for part in parts])
    for state in keras.tree.flatten(states):
        check_axes("batch, size", states=state.shape)
    return parts


def check_recurrent_dropout(cell: Any, rate: float) -> None:
    """Raise for dropout of the states of a cell that has none."""
    for part in getattr(cell, "cells", [cell]):
        if rate and not hasattr(part, "draw_dropout_masks"):
            raise ValueError(
                "`recurrent_dropout` needs a `RecurrentCell`, or a stack of such. "
                f"Received: recurrent_dropout={rate}, cell={part!r}"
            )


def state_sizes(cell: Any) -> list[int]:
    """The sizes of a cell's states, in one list."""
    return keras.tree.flatten(cell.state_size)


def state_dtypes(cell: Any) -> list[str]:
    """The dtypes of a cell's states, in one list."""
    if hasattr(cell, "cells"):
        return [dtype for part in cell.cells for dtype in state_dtypes(part)]
    dtype = getattr(cell, "compute_dtype", keras.config.floatx())
    return [dtype] * len(state_sizes(cell))


def cast_states(cell: Any, states: Sequence[Tensor]) -> list[Tensor]:
    """States in the dtypes of a cell, which may have a dtype policy of its own."""
    dtypes = state_dtypes(cell)
    return [ops.cast(*pair) for pair in zip(states, dtypes, strict=True)]


def check_states(
    states: Sequence[Tensor], batch_size: int | Tensor, sizes: list[Any]
) -> None:
    """Raise unless states, given by a caller, are of shape `(batch, size)` each.

    Args:
        states: tensors.
        batch_size: a number; what is none is not known yet.
        sizes: of the states, likewise.
    """
    for state, size in zip(states, sizes, strict=True):
        pairs = [*zip(state.shape, (batch_size, size), strict=False)]
        is_other = any(
            isinstance(own, int) and isinstance(wanted, int) and own != wanted
            for own, wanted in pairs
        )
        if is_other or len(state.shape) != 2:
            raise ValueError(
                f"`initial_state` must hold a tensor of shape ({batch_size}, {size}). "
                f"Received: shape={tuple(state.shape)}"
            )


def initial_states(cell: Any, batch_size: int | Tensor) -> list[Any]:
    """A built cell's states before the first step, in one list: its own, or zeros."""
    if hasattr(cell, "get_initial_state"):
        states = keras.tree.flatten(cell.get_initial_state(batch_size=batch_size))
        return cast_states(cell, states)
    return [
        ops.zeros((batch_size, size), dtype)
        for size, dtype in zip(state_sizes(cell), state_dtypes(cell), strict=True)
    ]


def build_cell(cell: Any, shapes: list[Any]) -> None:
    """Build a cell for inputs in parts."""
    if hasattr(cell, "advance"):
        build_once(cell, shapes)
    else:
        build_once(cell, (shapes[0][0], sum(shape[-1] for shape in shapes)))


def factors(batch_size: int | Tensor, rate: float, seeds: Any, dtype: str) -> Any:
    """A function from a width to factors `(batch, width)` that drop at a rate.

    They keep the mean of what they multiply; at a rate of 0, there are none.
    """

    def draw(width):
        if not rate:
            return None
        ones = ops.ones((batch_size, width), dtype)
        return keras.random.dropout(ones, rate, seed=seeds)

    return draw


def draw_dropout_masks(cell: Any, recurrent: Any, between: Any) -> Any:
    """What a cell drops at all steps of a sequence, if it can.

    Args:
        cell: any recurrent cell.
        recurrent: from a width to the factors `(batch, width)` on hidden states, or to
            `None`.
        between: likewise, on what goes from one cell of a stack to the next.
    """
    if not hasattr(cell, "draw_dropout_masks"):
        return None
    return cell.draw_dropout_masks(recurrent, between)


def project_inputs(cell: Any, inputs: Tensor) -> Tensor:
    """What `advance` needs of the inputs of all steps, or of one."""
    return cell.project(inputs) if hasattr(cell, "project") else inputs


def advance(
    cell: Any, projected: Tensor, parts: list[Tensor], states: list[Tensor], keep: Any
) -> tuple[Tensor, list[Tensor]]:
    """One step of any cell, whose inputs come in parts and the first one projected."""
    if hasattr(cell, "advance"):
        return cell.advance(projected, parts, states, keep)
    inputs = ops.concatenate([projected, *parts], axis=-1) if parts else projected
    if inputs.shape[0] != 0:
        return _call(cell, inputs, states)
    # Of no rows; on TensorFlow Keras adds such states as if they were biases.
    row, *one = (functional.pad_to_one(part, 0) for part in (inputs, *states))
    outputs, one = _call(cell, row, one)
    return outputs[:0], [state[:0] for state in one]


def _call(cell, inputs, states):
    outputs, states = cell(inputs, keras.tree.pack_sequence_as(cell.state_size, states))
    return outputs, cast_states(cell, keras.tree.flatten(states))


def run_cell(
    cell: Any,
    inputs: Tensor,
    states: list[Tensor],
    mask: Tensor | None = None,
    keep: Any = None,
) -> tuple[Tensor, list[Tensor]]:
    """Read a sequence.

    Args:
        cell: any recurrent cell.
        inputs: `(batch, length, dim)`.
        states: list of tensors `(batch, size)`.
        mask: boolean `(batch, length)`; at a masked position states stay as they are
            and outputs are zeros.
        keep: factors on the states, as `draw_dropout_masks` of the cell gives them.

    Returns:
        Outputs `(batch, length, units)` and the last states.
    """

    def step(projected, states):
        return advance(cell, projected, [], states, keep)

    return functional.run_recurrence(step, project_inputs(cell, inputs), states, mask)
