"""The output of a decoder's step."""

from typing import Any

import keras
from keras import ops

from keras_attention.argument_checks import check_choice
from keras_attention.tensor import Tensor

READOUTS = ("tanh", "maxout", "hidden")


class Readout(keras.layers.Layer):
    """The part of `AttentionRNN` that makes the output of a step.

    Args:
        kind: `"tanh"` of a projection (Luong et al. 2015), the larger of each two of a
            projection twice as wide, `"maxout"` (Goodfellow et al. 2013; Bahdanau et
            al. 2015), or `"hidden"`, the hidden vector alone.
        units: width of the output.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, kind: str, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.units = units
        self._dense = None
        if kind != "hidden":
            self._dense = keras.layers.Dense(
                units * (2 if kind == "maxout" else 1),
                activation="tanh" if kind == "tanh" else None,
                use_bias=False,
                dtype=self.dtype_policy,
                name="dense",
            )

    def build(self, width):
        if self._dense is not None:
            self._dense.build((None, width))

    def read(self, context: Tensor, hidden: Tensor, *others: Tensor) -> Tensor:
        """From context, hidden vector and others, `(..., width)`, to the output."""
        if self._dense is None:
            return hidden
        parts = [ops.cast(p, self.compute_dtype) for p in (context, hidden, *others)]
        outputs = self._dense(ops.concatenate(parts, axis=-1))
        if self.kind == "maxout":
            outputs = ops.maximum(*ops.split(outputs, 2, axis=-1))
        return outputs


def check_readout(readout: str, order: str, units: int | None) -> None:
    """Raise for a readout that does not go with the order of steps or the width."""
    check_choice(READOUTS, readout=readout)
    if readout == "hidden" and order == "luong":
        raise ValueError(
            '`readout="hidden"` needs order="bahdanau", or nothing would use the '
            f"context. Received: readout='hidden', order={order!r}"
        )
    if readout == "hidden" and units is not None:
        raise ValueError(
            '`attention_units` does not belong to readout="hidden", as wide as the '
            f"cell. Received: attention_units={units}"
        )
