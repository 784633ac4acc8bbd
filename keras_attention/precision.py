"""The dtype of what half precision is not enough for."""

from typing import Any

import keras


def precise(dtype: Any = None) -> str:
    """What softmax, position tables, losses and scores are computed in.

    Args:
        dtype: of the tensors, or of a dtype policy's computations; that of the global
            policy when left out.

    Returns:
        `"float64"` for float64, or else `"float32"`.

    Example:
    >>> precise("bfloat16"), precise("float64")
    ('float32', 'float64')
    """
    if dtype is None:
        dtype = keras.config.dtype_policy().compute_dtype
    is_double = keras.backend.standardize_dtype(dtype) == "float64"
    return "float64" if is_double else "float32"
