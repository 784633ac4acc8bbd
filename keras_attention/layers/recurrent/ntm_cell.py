"""The Neural Turing Machine."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import check_choice, check_positive, takes_numpy
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.recurrent.cells import input_parts, part_shapes
from keras_attention.layers.recurrent.recurrent_cell import RecurrentCell
from keras_attention.layers.sublayers import build_once, quantized_dtype
from keras_attention.precision import precise
from keras_attention.tensor import Tensor

CONTROLLERS = ("lstm", "feed_forward")


@keras.saving.register_keras_serializable("keras_attention", name="NTMCell")
class NTMCell(BaseLayer):
    """A controller with a memory beside it (Graves et al. 2014), as a recurrent cell.

    At each step heads look for slots of the memory by content and by location, read
    from them, then erase in them and add to them. What was read joins the controller's
    next input. The memory begins constant, and weights and readings begin with learned
    ones, which trains most reliably (Collier and Beel 2018).

    Args:
        units: width of the controller.
        memory_slots: number of slots.
        memory_dim: width of a slot.
        read_heads: number of heads that read.
        write_heads: number of heads that write.
        shift_range: how many slots a head may move from one step to the next, either
            way.
        controller: `"lstm"`, or `"feed_forward"`, which has no memory of its own.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, dim)`.
        states: list of tensors, of `get_initial_state` or of the last step: the
            controller's, what was read `(batch, read_heads * memory_dim)`, the weights
            `(batch, heads * memory_slots)`, readers first, and the memory
            `(batch, memory_slots * memory_dim)`.

    Returns:
        Output and what was read, side by side,
        `(batch, units + read_heads * memory_dim)`, and the list of new states.

    Raises:
        ValueError: for sizes that are not positive, an unknown controller, or more
            shifts than slots.

    Example:
    >>> cell = NTMCell(units=8, memory_slots=5, memory_dim=3)
    >>> layer = keras.layers.RNN(cell, return_sequences=True)
    >>> inputs = keras.ops.ones((2, 7, 4))
    >>> tuple(layer(inputs).shape)
    (2, 7, 11)
    >>> {
    ...     name: tuple(weights.shape)
    ...     for name, weights in cell.weightings(inputs).items()
    ... }
    {'read': (2, 7, 1, 5), 'write': (2, 7, 1, 5)}
    """

    @takes_numpy
    def __init__(
        self,
        units: int,
        memory_slots: int,
        memory_dim: int,
        read_heads: int = 1,
        write_heads: int = 1,
        shift_range: int = 1,
        controller: str = "lstm",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(
            units=units,
            memory_slots=memory_slots,
            memory_dim=memory_dim,
            read_heads=read_heads,
            write_heads=write_heads,
            shift_range=shift_range,
        )
        check_choice(CONTROLLERS, controller=controller)
        if 2 * shift_range + 1 > memory_slots:
            raise ValueError(
                "`shift_range` must not reach around the memory. Received: "
                f"shift_range={shift_range}, memory_slots={memory_slots}"
            )
        self.units = units
        self.memory_slots = memory_slots
        self.memory_dim = memory_dim
        self.read_heads = read_heads
        self.write_heads = write_heads
        self.shift_range = shift_range
        self.controller = controller
        self._lstm = None
        if controller == "lstm":
            self._lstm = RecurrentCell(
                units, "lstm", dtype=self.dtype_policy, name="lstm"
            )

    def build(self, inputs_shape):
        ((batch, dim),) = part_shapes(inputs_shape)
        parts = [(batch, dim), (batch, self.read_heads * self.memory_dim)]
        if self._lstm is not None:
            self._lstm.build(parts)
        else:
            self._input_dense, self._read_dense = (
                self._dense(name, self.units, shape[-1])
                for name, shape in zip(("input", "read"), parts, strict=True)
            )
        self._head_dense = self._dense("heads", self._heads * self._head_size, None)
        self._write_dense = self._dense(
            "write", self.write_heads * 2 * self.memory_dim, None
        )
        self._first_read = self.add_weight(
            name="first_read", shape=(parts[1][-1],), initializer="zeros"
        )
        # Before the softmax.
        self._first_weights = self.add_weight(
            name="first_weights",
            shape=(self._heads * self.memory_slots,),
            initializer=keras.initializers.RandomUniform(-0.3, 0.3),
        )

    def call(self, inputs, states, training=None):
        (inputs,) = input_parts(inputs, states)
        *own, read, weights, memory = keras.tree.flatten(states)
        hidden, own = self._control(inputs, read, own)
        weights = self._address(hidden, self._by_head(weights), self._by_slot(memory))
        readers, writers = self._split(weights)
        memory = ops.cast(self._by_slot(memory), precise(self.compute_dtype))
        read = self._flat(functional.read_memory(memory, readers))
        memory = functional.write_memory(memory, writers, *self._changes(hidden))
        output = ops.concatenate([hidden, read], axis=-1)
        return output, [*own, read, self._flat(weights), self._flat(memory)]

    def compute_output_spec(self, inputs, states, training=None):
        (inputs,) = input_parts(inputs, states)

        def spec(size):
            return keras.KerasTensor((inputs.shape[0], size), self.compute_dtype)

        return spec(self.output_size), [spec(size) for size in self.state_size]

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "units": self.units,
            "memory_slots": self.memory_slots,
            "memory_dim": self.memory_dim,
            "read_heads": self.read_heads,
            "write_heads": self.write_heads,
            "shift_range": self.shift_range,
            "controller": self.controller,
        }

    @property
    def state_size(self) -> list[int]:
        return [
            *([] if self._lstm is None else self._lstm.state_size),
            self.read_heads * self.memory_dim,
            self._heads * self.memory_slots,
            self.memory_slots * self.memory_dim,
        ]

    @property
    def output_size(self) -> int:
        return self.units + self.read_heads * self.memory_dim

    def get_initial_state(self, batch_size: int | Tensor | None = None) -> list[Tensor]:
        """Zeros of the controller, learned readings and weights, a constant memory."""

        def repeat(row):
            row = ops.reshape(ops.cast(row, self.compute_dtype), (1, -1))
            return ops.repeat(row, batch_size, axis=0)

        own = [] if self._lstm is None else self._lstm.get_initial_state(batch_size)
        first = ops.cast(self._first_weights, precise(self.compute_dtype))
        first = ops.softmax(ops.reshape(first, (self._heads, -1)), axis=-1)
        slots = ops.full((1, self.memory_slots * self.memory_dim), 1e-6)
        return [*own, repeat(ops.tanh(self._first_read)), repeat(first), repeat(slots)]

    def weightings(self, inputs: Tensor) -> dict[str, Tensor]:
        """Where the heads were at each step of a sequence.

        Args:
            inputs: `(batch, length, dim)`.

        Returns:
            `"read"` and `"write"`: `(batch, length, heads, memory_slots)` each.
        """

        def step(inputs, states):
            _, states = self(inputs, states)
            return states[-2], states

        inputs = ops.convert_to_tensor(inputs)
        build_once(self, (None, inputs.shape[-1]))
        states = self.get_initial_state(ops.shape(inputs)[0])
        weights, _ = functional.run_recurrence(step, inputs, states)
        length = ops.shape(weights)[1]
        weights = ops.reshape(weights, (-1, length, self._heads, self.memory_slots))
        return {
            "read": weights[:, :, : self.read_heads],
            "write": weights[:, :, self.read_heads :],
        }

    @property
    def _heads(self):
        return self.read_heads + self.write_heads

    @property
    def _head_size(self):
        """Key, strength, gate, shifts and sharpness."""
        return self.memory_dim + 1 + 1 + (2 * self.shift_range + 1) + 1

    def _control(self, inputs, read, states):
        if self._lstm is not None:
            return self._lstm.advance(self._lstm.project(inputs), [read], states)
        return ops.tanh(self._input_dense(inputs) + self._read_dense(read)), []

    def _address(self, hidden, previous, memory):
        wanted = ops.cast(self._head_dense(hidden), precise(self.compute_dtype))
        wanted = ops.reshape(wanted, (-1, self._heads, self._head_size))
        dim, size = self.memory_dim, self._head_size
        key, strength, gate, shift, sharpness = ops.split(
            wanted, [dim, dim + 1, dim + 2, size - 1], axis=-1
        )
        return functional.address(
            memory,
            previous,
            ops.tanh(key),
            ops.softplus(strength),
            ops.sigmoid(gate),
            ops.softmax(shift, axis=-1),
            1 + ops.softplus(sharpness),
        )

    def _changes(self, hidden):
        """What the writers erase and add, `(batch, heads, memory_dim)` each."""
        wanted = ops.cast(self._write_dense(hidden), precise(self.compute_dtype))
        wanted = ops.reshape(wanted, (-1, self.write_heads, 2 * self.memory_dim))
        erase, add = ops.split(wanted, 2, axis=-1)
        return ops.sigmoid(erase), ops.tanh(add)

    def _split(self, weights):
        return weights[:, : self.read_heads], weights[:, self.read_heads :]

    def _by_head(self, weights):
        return ops.reshape(weights, (-1, self._heads, self.memory_slots))

    def _by_slot(self, memory):
        return ops.reshape(memory, (-1, self.memory_slots, self.memory_dim))

    def _flat(self, tensor):
        width = tensor.shape[1] * tensor.shape[2]
        return ops.reshape(ops.cast(tensor, self.compute_dtype), (-1, width))

    def _dense(self, name, units, width):
        dense = keras.layers.Dense(units, dtype=self.dtype_policy, name=name)
        dense.build((None, self.units if width is None else width))
        return dense
