"""What the biases by distance have in common."""

from typing import Any

from keras import ops

from keras_attention.argument_checks import check_axes
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.tensor import Tensor

AXES = "batch, heads, target, source"


class DistanceBias(BaseLayer):
    """A bias on attention scores that depends on head and distance alone.

    Those derived from it say by `bias` what it is. The number of heads is that of the
    scores it is built for.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.num_heads: Any = None

    def build(self, attention_scores_shape):
        check_axes(AXES, attention_scores=attention_scores_shape)
        self.num_heads = attention_scores_shape[1]

    def call(self, attention_scores):
        check_axes(AXES, attention_scores=attention_scores.shape)
        target, source = ops.shape(attention_scores)[2:]
        rows = ops.expand_dims(ops.arange(target, dtype="int32"), 1)
        distances = ops.arange(source, dtype="int32") - rows  # (T, S)
        bias = ops.cast(self.bias(distances), attention_scores.dtype)
        return attention_scores + bias

    def compute_output_shape(self, attention_scores_shape):
        check_axes(AXES, attention_scores=attention_scores_shape)
        return tuple(attention_scores_shape)

    def bias(self, distances: Tensor) -> Tensor:
        """Bias `(heads, ...)` of distances, the key's position less the query's."""
        raise NotImplementedError
