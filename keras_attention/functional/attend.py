"""From scores to weights, and from weights to a context."""

import numpy as np
from keras import backend, ops

from keras_attention.functional.heads import group_queries, ungroup_queries
from keras_attention.functional.masks import as_boolean
from keras_attention.precision import precise
from keras_attention.tensor import Tensor

_LOWEST = float(np.finfo("float32").min)


def masked_softmax(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Softmax over the allowed positions of the last axis, in float32 or float64.

    A row that allows nothing gets weights of zero: never uniform ones, never NaN.

    Args:
        scores: `(..., source)`.
        mask: boolean, broadcasts against `scores`; `True` may be attended to.

    Returns:
        Weights shaped as `scores`, in the dtype of `scores`.

    Example:
    >>> scores, mask = [[0.0, 0.0], [1.0, 2.0]], [[True, False], [False, False]]
    >>> ops.convert_to_numpy(masked_softmax(scores, mask)).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    scores = ops.convert_to_tensor(scores)
    dtype = backend.standardize_dtype(scores.dtype)
    scores = ops.cast(scores, precise(dtype))
    if dtype == "float16":  # whose products overflow
        scores = ops.clip(scores, -65504.0, 65504.0)
    if mask is None:
        return ops.cast(_softmax(scores), dtype)
    mask = as_boolean(mask)
    # Selecting, not adding: a masked score may be infinite.
    weights = _softmax(ops.where(mask, scores, _LOWEST))
    # Not zero yet where nothing is allowed, or all that is scores minus infinity.
    return ops.cast(ops.where(mask, weights, 0.0), dtype)


def attend(weights: Tensor, value: Tensor) -> Tensor:
    """Sum the values by their weights.

    Args:
        weights: `(batch, target, source)` or `(batch, heads, target, source)`.
        value: `(batch, source, dim)` or `(batch, key_value_heads, source, dim)`,
            where `key_value_heads` divides `heads` and each value head serves
            `heads / key_value_heads` neighbouring query heads.

    Returns:
        Context `(batch, target, dim)` or `(batch, heads, target, dim)`.
    """
    if len(weights.shape) < 4 or weights.shape[1] == value.shape[1]:
        return ops.matmul(weights, value)
    heads = weights.shape[1]
    context = ops.matmul(group_queries(weights, value.shape[1]), value)
    return ungroup_queries(context, heads)


def _softmax(scores: Tensor) -> Tensor:
    # Keras warns of an axis of one entry, but a memory may well have one position.
    if scores.shape[-1] == 1:
        return ops.exp(scores - scores)
    return ops.softmax(scores, axis=-1)
