"""One step of a recurrent cell, from the sums that reach its gates.

Letters: `B` batch, `U` units.
"""

from collections.abc import Callable

from keras import ops

from keras_attention.tensor import Tensor


def lstm_step(
    inputs: Tensor,
    recurrent: Tensor,
    states: list[Tensor],
    normalize: Callable[[Tensor], Tensor] | None = None,
) -> list[Tensor]:
    """Long short-term memory (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

    Args:
        inputs: what the inputs give to the gates, `(batch, 4 * units)`: input, forget,
            candidate and output gate, side by side.
        recurrent: what the hidden state gives to them, likewise.
        states: hidden and carry state, `(batch, units)` each.
        normalize: applied to the new carry on its way to the hidden state.

    Returns:
        The new hidden and carry state.
    """
    _, carry = states
    gates = ops.split(inputs + recurrent, 4, axis=-1)
    candidate = ops.tanh(gates[2])
    input_gate, forget_gate, output_gate = (ops.sigmoid(gates[i]) for i in (0, 1, 3))
    carry = forget_gate * carry + input_gate * candidate
    shown = carry if normalize is None else normalize(carry)
    return [output_gate * ops.tanh(shown), carry]  # (B, U) each


def gru_step(inputs: Tensor, recurrent: Tensor, states: list[Tensor]) -> list[Tensor]:
    """Gated recurrent unit, whose reset gate comes after the product (Cho et al. 2014).

    Args:
        inputs: what the inputs give to the gates, `(batch, 3 * units)`: update gate,
            reset gate and candidate, side by side.
        recurrent: what the hidden state gives to them, likewise.
        states: the hidden state `(batch, units)`.

    Returns:
        The new hidden state.
    """
    (hidden,) = states
    update, reset, candidate = ops.split(inputs, 3, axis=-1)
    from_update, from_reset, from_candidate = ops.split(recurrent, 3, axis=-1)
    update = ops.sigmoid(update + from_update)
    reset = ops.sigmoid(reset + from_reset)
    candidate = ops.tanh(candidate + reset * from_candidate)
    return [update * hidden + (1 - update) * candidate]  # (B, U)


def simple_step(
    inputs: Tensor, recurrent: Tensor, states: list[Tensor]
) -> list[Tensor]:
    """A hyperbolic tangent of inputs and hidden state (Elman 1990).

    Args:
        inputs: `(batch, units)`.
        recurrent: `(batch, units)`.
        states: the hidden state, which `recurrent` stands for.

    Returns:
        The new hidden state `(batch, units)`.
    """
    return [ops.tanh(inputs + recurrent)]
