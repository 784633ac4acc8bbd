"""One loop over time for every recurrent layer."""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops
from keras.src import backend

Tensor = Any
Step = Callable[[Tensor, list[Tensor]], tuple[Tensor, list[Tensor]]]


def run_recurrence(
    step: Step,
    inputs: Tensor,
    initial_states: Sequence[Tensor],
    mask: Tensor | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """Apply `step` to each position in turn, carrying states along.

    Args:
        step: `(inputs (batch, dim), states) -> (outputs (batch, units), states)`.
        inputs: `(batch, time, dim)`.
        initial_states: tensors `(batch, ...)`.
        mask: boolean `(batch, time)`; at a masked position states stay as they
            are and outputs are zeros.

    Returns:
        Outputs `(batch, time, units)` and the last states.
    """

    def plain(inputs, states):
        return step(inputs, list(states))

    # Keras's own masking takes the first state for the last output, on JAX.
    def masked(inputs_and_mask, states):
        inputs, is_real = inputs_and_mask[..., :-1], inputs_and_mask[..., -1:] > 0
        outputs, new_states = step(inputs, list(states))
        kept = [
            ops.where(is_real, new, old)
            for new, old in zip(new_states, states, strict=True)
        ]
        return ops.where(is_real, outputs, ops.zeros_like(outputs)), kept

    if mask is None:
        _, outputs, states = backend.rnn(plain, inputs, list(initial_states))
    else:
        flags = ops.cast(ops.expand_dims(mask, -1), inputs.dtype)
        steps = ops.concatenate([inputs, flags], axis=-1)
        _, outputs, states = backend.rnn(masked, steps, list(initial_states))
    return outputs, list(states)
