"""Graphs of TensorFlow as models of LiteRT."""

from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)


def to_litert(concrete: Any) -> bytes:
    """A concrete function as a model of LiteRT's own operations.

    Raises:
        ValueError: for operations that LiteRT does not have.
    """
    frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    try:
        content: bytes = converter.convert()
    except Exception as error:  # of the converter, which has kinds of its own
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"LiteRT cannot hold the model or its search: {reason}"
        ) from error
    return content
