"""Recurrent layers over a whole sequence."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    SEQUENCE,
    check_axes,
    check_choice,
    check_positive,
    check_rate,
    takes_numpy,
)
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.recurrent.cells import draw_dropout_masks, factors, run_cell
from keras_attention.layers.recurrent.recurrent_cell import CELLS, RecurrentCell
from keras_attention.layers.sublayers import quantized_dtype


@keras.saving.register_keras_serializable("keras_attention", name="RecurrentEncoder")
class RecurrentEncoder(BaseLayer):
    """A stack of LSTM or GRU layers: every step's hidden state, and the final states.

    Sutskever et al. (2014) decode from the final states; Bahdanau et al. (2015) attend
    to every step of a bidirectional encoder.

    Args:
        units: width of one direction of each layer.
        cell: `"lstm"`, `"gru"` or `"simple"`.
        num_layers: number of layers.
        bidirectional: whether each layer reads in both directions (Schuster and Paliwal
            1997); outputs and states are then `2 * units` wide, forward first.
            `"lowest"` for the first layer alone (Wu et al. 2016).
        residual: whether a layer's input is added to its output (Wu et al. 2016), from
            the layer `residual_from` on.
        dropout: rate at which the inputs of each layer are dropped in training.
        seed: integer seed of the dropout.
        residual_from: index of the first layer that is bridged.
        layer_normalization: whether the cells normalize (Ba et al. 2016).
        recurrent_dropout: rate at which hidden states are dropped in training on their
            way to the gates, the same units at each step (Gal and Ghahramani 2016).
        variational: whether `dropout` too drops the same units at each step.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, length, dim)`.
        mask: boolean `(batch, length)`, `True` for real positions; combined with the
            mask on `inputs`. Padding leaves the states as they are; outputs there are
            zeros, but for residual layers.
        training: whether to drop.

    Returns:
        The last layer's outputs `(batch, length, width)`, and a list with a list of the
        final states `(batch, width)` for each layer: `[hidden, carry]` of an LSTM,
        `[hidden]` of the others.

    Raises:
        ValueError: for sizes that are not positive, unknown names, rates out of range,
            layers of different widths that are to be bridged, inputs of another number
            of axes, or a mask that is not boolean or does not fit.

    Example:
    >>> encoder = RecurrentEncoder(4, cell="lstm", num_layers=2, bidirectional=True)
    >>> outputs, states = encoder(keras.ops.ones((2, 5, 3)))
    >>> tuple(outputs.shape), [[tuple(s.shape) for s in layer] for layer in states]
    ((2, 5, 8), [[(2, 8), (2, 8)], [(2, 8), (2, 8)]])
    """

    @takes_numpy
    def __init__(
        self,
        units: int,
        cell: str = "lstm",
        num_layers: int = 1,
        bidirectional: bool | str = False,
        residual: bool = False,
        dropout: float = 0.0,
        seed: int | None = None,
        *,
        residual_from: int = 1,
        layer_normalization: bool = False,
        recurrent_dropout: float = 0.0,
        variational: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(units=units, num_layers=num_layers)
        check_choice(CELLS, cell=cell)
        check_choice((False, True, "lowest"), bidirectional=bidirectional)
        check_rate(dropout=dropout, recurrent_dropout=recurrent_dropout)
        lowest = 2 if bidirectional == "lowest" else 1
        if residual and residual_from < lowest:
            raise ValueError(
                f"`residual_from` must be at least {lowest}, as the layers below may "
                f"have another width. Received: residual_from={residual_from}, "
                f"bidirectional={bidirectional!r}"
            )
        self.supports_masking = True
        self.units = units
        self.cell = cell
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.residual = residual
        self.dropout = dropout
        self.seed = seed
        self.residual_from = residual_from
        self.layer_normalization = layer_normalization
        self.recurrent_dropout = recurrent_dropout
        self.variational = variational
        make_dropout = (
            keras.layers.SpatialDropout1D if variational else keras.layers.Dropout
        )
        self._input_dropout = make_dropout(
            dropout, seed=seed, dtype=self.dtype_policy, name="input_dropout"
        )
        self._seeds = keras.random.SeedGenerator(seed) if recurrent_dropout else None
        self._cells_by_level = [
            [self._make_cell(f"{direction}_{level}") for direction in directions]
            for level, directions in enumerate(self._directions())
        ]

    def build(self, inputs_shape):
        check_axes(SEQUENCE, inputs=inputs_shape)
        batch, _, width = inputs_shape
        for cells, size in zip(self._cells_by_level, self._widths(), strict=True):
            for cell in cells:
                cell.build((batch, width))
            width = size

    def call(self, inputs, mask=None, training=None):
        check_axes(SEQUENCE, inputs=inputs.shape)
        mask = functional.position_mask(inputs, mask=mask)
        final_states = []
        for level, cells in enumerate(self._cells_by_level):
            dropped = self._input_dropout(inputs, training=training)
            outputs, states = self._read(cells, dropped, mask, training)
            final_states.append(states)
            is_bridged = self.residual and level >= self.residual_from
            inputs = inputs + outputs if is_bridged else outputs
        return inputs, final_states

    def compute_output_spec(self, inputs, *args, **kwargs):
        check_axes(SEQUENCE, inputs=inputs.shape)
        batch, length, _ = inputs.shape

        def spec(*shape):
            return keras.KerasTensor((batch, *shape), self.compute_dtype)

        per_layer = self.num_states // self.num_layers
        states = [[spec(width) for _ in range(per_layer)] for width in self._widths()]
        return spec(length, self.output_width), states

    def compute_mask(self, inputs, previous_mask=None):
        # Keras hands over the mask given to the call in place of the implicit one.
        return functional.position_mask(inputs, mask=previous_mask)

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "units": self.units,
            "cell": self.cell,
            "num_layers": self.num_layers,
            "bidirectional": self.bidirectional,
            "residual": self.residual,
            "dropout": self.dropout,
            "seed": self.seed,
            "residual_from": self.residual_from,
            "layer_normalization": self.layer_normalization,
            "recurrent_dropout": self.recurrent_dropout,
            "variational": self.variational,
        }

    @property
    def output_width(self) -> int:
        """Width of the outputs."""
        return self._widths()[-1]

    @property
    def state_sizes(self) -> list[int]:
        """Widths of the final states of all layers, the lowest first."""
        per_layer = self.num_states // self.num_layers
        return [width for width in self._widths() for _ in range(per_layer)]

    @property
    def num_states(self) -> int:
        """Number of final states of all layers."""
        return self.num_layers * (2 if self.cell == "lstm" else 1)

    def _directions(self):
        for level in range(self.num_layers):
            is_both = self.bidirectional is True or (self.bidirectional and not level)
            yield ("forward", "backward") if is_both else ("forward",)

    def _widths(self):
        return [self.units * len(directions) for directions in self._directions()]

    def _make_cell(self, name):
        return RecurrentCell(
            self.units,
            self.cell,
            self.layer_normalization,
            dtype=self.dtype_policy,
            name=name,
        )

    def _read(self, cells, inputs, mask, training):
        """Outputs and final states of a layer, its directions side by side."""
        outputs, states = [], []
        for direction, cell in enumerate(cells):
            read = functional.reverse_sequence(inputs, mask) if direction else inputs
            found, last = run_cell(
                cell,
                read,
                cell.get_initial_state(ops.shape(inputs)[0]),
                mask,
                self._draw_dropout_masks(cell, inputs, training),
            )
            if direction:
                found = functional.reverse_sequence(found, mask)
            outputs.append(found)
            states.append(last)
        if len(cells) == 1:
            return outputs[0], states[0]
        joined = [ops.concatenate(pair, axis=-1) for pair in zip(*states, strict=True)]
        return ops.concatenate(outputs, axis=-1), joined

    def _draw_dropout_masks(self, cell, inputs, training):
        if not training or not self.recurrent_dropout:
            return None
        draw = factors(
            ops.shape(inputs)[0], self.recurrent_dropout, self._seeds, inputs.dtype
        )
        return draw_dropout_masks(cell, draw, draw)
