"""Where `Translator` was before it moved to `keras_attention.translation`."""

import warnings

from keras_attention.translation import Hypothesis, Score, Translator

__all__ = ["Hypothesis", "Score", "Translator"]

warnings.warn(
    "`keras_attention.translator` has moved and will be removed in the next version: "
    "import from `keras_attention` or `keras_attention.translation`.",
    DeprecationWarning,
    stacklevel=2,
)
