"""Recurrent layers over a whole sequence."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.checks import check_choice, check_positive, check_rate
from keras_attention.recurrent.cells import CELLS

Tensor = Any


@keras.saving.register_keras_serializable("keras_attention", name="RecurrentEncoder")
class RecurrentEncoder(keras.layers.Layer):
    """A stack of LSTM or GRU layers: every step's hidden state, and the final states.

    Sutskever et al. (2014) decode from the final states; Bahdanau et al. (2015) attend
    to every step of a bidirectional encoder.

    Args:
        units: width of one direction of each layer.
        cell: `"lstm"`, `"gru"` or `"simple"`.
        num_layers: number of layers.
        bidirectional: whether each layer reads in both directions (Schuster and Paliwal
            1997); outputs and states are then `2 * units` wide, forward first.
        residual: whether a layer's input is added to its output from the second layer
            on (Wu et al. 2016).
        dropout: rate at which the inputs of each layer are dropped in training.
        seed: integer seed of the dropout.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, length, dim)`.
        mask: boolean `(batch, length)`, `True` for real positions; combined with the
            mask on `inputs`. Padding leaves the states as they are.
        training: whether to drop.

    Returns:
        The last layer's outputs `(batch, length, width)`, and a list with a list of the
        final states `(batch, width)` for each layer: `[hidden, carry]` of an LSTM,
        `[hidden]` of the others.

    Example:
    >>> encoder = RecurrentEncoder(4, cell="lstm", num_layers=2, bidirectional=True)
    >>> outputs, states = encoder(keras.ops.ones((2, 5, 3)))
    >>> tuple(outputs.shape), [[tuple(s.shape) for s in layer] for layer in states]
    ((2, 5, 8), [[(2, 8), (2, 8)], [(2, 8), (2, 8)]])
    """

    def __init__(
        self,
        units: int,
        cell: str = "lstm",
        num_layers: int = 1,
        bidirectional: bool = False,
        residual: bool = False,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(units=units, num_layers=num_layers)
        check_choice(CELLS, cell=cell)
        check_rate(dropout=dropout)
        self.supports_masking = True
        self.units = units
        self.cell = cell
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.residual = residual
        self.dropout = dropout
        self.seed = seed
        self._input_dropout = keras.layers.Dropout(
            dropout, seed=seed, dtype=self.dtype_policy
        )
        self._layers_by_level = [
            self._make_layer(f"layer_{level}") for level in range(num_layers)
        ]

    def build(self, inputs_shape):
        for layer in self._layers_by_level:
            layer.build(inputs_shape)
            inputs_shape = (*inputs_shape[:-1], self.output_width)

    def call(self, inputs, mask=None, training=None):
        mask = functional.combine_masks(mask, functional.implicit_mask(inputs))
        final_states = []
        for level, layer in enumerate(self._layers_by_level):
            dropped = self._input_dropout(inputs, training=training)
            outputs, *states = layer(dropped, mask=mask, training=training)
            final_states.append(self._join_directions(states))
            inputs = inputs + outputs if self.residual and level else outputs
        return inputs, final_states

    def compute_output_spec(self, inputs, *args, **kwargs):
        batch, length, _ = inputs.shape
        per_layer = self.num_states // self.num_layers
        states = [
            [
                keras.KerasTensor((batch, self.output_width), self.compute_dtype)
                for _ in range(per_layer)
            ]
            for _ in range(self.num_layers)
        ]
        shape = (batch, length, self.output_width)
        return keras.KerasTensor(shape, self.compute_dtype), states

    def compute_mask(self, inputs, previous_mask=None):
        # Keras hands over the mask given to the call in place of the implicit one.
        return functional.combine_masks(previous_mask, functional.implicit_mask(inputs))

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "cell": self.cell,
            "num_layers": self.num_layers,
            "bidirectional": self.bidirectional,
            "residual": self.residual,
            "dropout": self.dropout,
            "seed": self.seed,
        }

    @property
    def output_width(self) -> int:
        """Width of the outputs and of each state."""
        return 2 * self.units if self.bidirectional else self.units

    @property
    def num_states(self) -> int:
        """Number of final states of all layers."""
        return self.num_layers * (2 if self.cell == "lstm" else 1)

    def _make_layer(self, name):
        make = {
            "lstm": keras.layers.LSTM,
            "gru": keras.layers.GRU,
            "simple": keras.layers.SimpleRNN,
        }[self.cell]
        layer = make(
            self.units,
            return_sequences=True,
            return_state=True,
            dtype=self.dtype_policy,
            name=name,
        )
        if not self.bidirectional:
            return layer
        return keras.layers.Bidirectional(layer, dtype=self.dtype_policy, name=name)

    def _join_directions(self, states):
        if not self.bidirectional:
            return list(states)
        half = len(states) // 2
        return [
            ops.concatenate(pair, axis=-1)
            for pair in zip(states[:half], states[half:], strict=True)
        ]
