"""Where the recurrent layers were before they moved to `keras_attention.layers`."""

import warnings

from keras_attention.layers.recurrent import (
    AttentionRNN,
    CellRNN,
    NTMCell,
    RecurrentCell,
    RecurrentEncoder,
    StackedCells,
)

__all__ = [
    "AttentionRNN",
    "CellRNN",
    "NTMCell",
    "RecurrentCell",
    "RecurrentEncoder",
    "StackedCells",
]

warnings.warn(
    "`keras_attention.recurrent` has moved and will be removed in the next version: "
    "import its layers from `keras_attention.layers`.",
    DeprecationWarning,
    stacklevel=2,
)
