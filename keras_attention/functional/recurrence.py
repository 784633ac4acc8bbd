"""One loop over time for every recurrent layer."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import keras
from keras import ops

from keras_attention.functional.masks import as_boolean
from keras_attention.functional.sequences import pad_to_one
from keras_attention.tensor import Tensor

Step = Callable[[Any, list[Tensor]], tuple[Tensor, list[Tensor]]]


def run_recurrence(
    step: Step,
    inputs: Any,
    initial_states: Sequence[Tensor],
    mask: Tensor | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """Apply `step` to each position in turn, carrying states along.

    Args:
        step: `(inputs (batch, dim), states) -> (outputs (batch, units), states)`.
        inputs: `(batch, time, dim)`, or a nested structure of such tensors.
        initial_states: tensors `(batch, ...)`.
        mask: boolean `(batch, time)`; at a masked position states stay as they
            are and outputs are zeros.

    Returns:
        Outputs `(batch, time, units)` and the last states.
    """
    parts = {"inputs": inputs}
    if mask is not None:
        parts["mask"] = ops.expand_dims(as_boolean(mask), -1)
    joined, split = _join(parts)

    def advance(joined, states):
        parts = split(joined)
        outputs, new_states = step(parts["inputs"], list(states))
        # On JAX Keras computes float64 in float32 here and there, and loops mind.
        new_states = [
            ops.cast(new, old.dtype)
            for new, old in zip(new_states, states, strict=True)
        ]
        if mask is None:
            return outputs, new_states
        # Keras's own masking takes the first state for the last output, on JAX.
        kept = [
            ops.where(parts["mask"], new, old)
            for new, old in zip(new_states, states, strict=True)
        ]
        return ops.where(parts["mask"], outputs, ops.zeros_like(outputs)), kept

    loop = keras.layers.RNN(_Cell(advance), return_sequences=True, name="recurrence")
    steps = pad_to_one(joined, 1)
    _, outputs, states = loop.inner_loop(steps, list(initial_states), mask=None)
    if joined.shape[1]:
        return outputs, list(states)
    # The loop had a first step for its shapes, and maybe that step alone.
    time = ops.shape(joined)[1]
    kept = [
        ops.where(ops.equal(time, 0), old, new)
        for old, new in zip(initial_states, states, strict=True)
    ]
    return outputs[:, :time], kept


class _Cell:
    """A step, in the form in which Keras's loop takes one."""

    state_size = 0  # asked for by the constructor; the loop takes what it is given

    def __init__(self, step: Step) -> None:
        self.call = step

    def __call__(self, inputs, states):
        return self.call(inputs, states)


def _join(parts: Any) -> tuple[Tensor, Callable[[Tensor], Any]]:
    """One tensor of a structure of them, `(B, T, D)` each, and the way back.

    Keras's loop takes structures too, but not, on TensorFlow, of an unknown length.
    """
    tensors = keras.tree.flatten(parts)
    if len(tensors) == 1:
        return tensors[0], lambda joined: keras.tree.pack_sequence_as(parts, [joined])
    dtypes = [keras.backend.standardize_dtype(tensor.dtype) for tensor in tensors]
    common = keras.backend.result_type(*dtypes)
    ends = [0, *accumulate(ops.shape(tensor)[-1] for tensor in tensors)]

    def split(joined):
        found = [
            ops.cast(joined[..., start:end], dtype)
            for start, end, dtype in zip(ends[:-1], ends[1:], dtypes, strict=True)
        ]
        return keras.tree.pack_sequence_as(parts, found)

    cast = [ops.cast(tensor, common) for tensor in tensors]
    return ops.concatenate(cast, axis=-1), split
