"""Positions as a penalty on distance."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    check_positive_number,
    takes_numpy,
)
from keras_attention.layers.positions.distance_bias import DistanceBias
from keras_attention.precision import precise
from keras_attention.tensor import Tensor


@keras.saving.register_keras_serializable("keras_attention", name="AlibiBias")
class AlibiBias(DistanceBias):
    """Lower the scores of keys in proportion to their distance (Press et al. 2022).

    Each head has a slope of its own, from steep to nearly flat, and nothing is learned.
    Give it to `MultiHeadAttention` or a Transformer block as `position=`, or call it on
    scores of your own.

    Args:
        alibi_bias_max: the slope of the flattest head is `2 ** -alibi_bias_max`.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        attention_scores: `(batch, heads, target, source)`; positions are counted from
            the first query and the first key.

    Returns:
        The scores less `slope * distance`.

    Raises:
        ValueError: if `alibi_bias_max` is not positive.

    Example:
    >>> biased = AlibiBias()(keras.ops.zeros((1, 1, 1, 3)))
    >>> keras.ops.convert_to_numpy(biased).tolist()
    [[[[0.0, -0.00390625, -0.0078125]]]]
    """

    @takes_numpy
    def __init__(self, alibi_bias_max: float = 8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_positive_number(alibi_bias_max=alibi_bias_max)
        self.alibi_bias_max = alibi_bias_max

    def get_config(self):
        return {**super().get_config(), "alibi_bias_max": self.alibi_bias_max}

    def bias(self, distances: Tensor) -> Tensor:
        """Bias `(heads, ...)` of distances, the key's position less the query's."""
        dtype = precise(self.compute_dtype)
        slopes = functional.alibi_slopes(self.num_heads, self.alibi_bias_max)
        slopes = ops.convert_to_tensor(slopes, dtype)
        slopes = ops.reshape(slopes, (-1, *[1] * len(distances.shape)))
        return -slopes * ops.cast(ops.abs(distances), dtype)
