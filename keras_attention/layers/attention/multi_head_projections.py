"""From queries, keys and values to heads, and from contexts to outputs."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_attention import functional
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.positions.rotary_embedding import RotaryEmbedding
from keras_attention.layers.projection import apply_dense, build_dense
from keras_attention.layers.sublayers import build_once
from keras_attention.tensor import Tensor

Cache = dict[str, Tensor]


class HeadProjections(BaseLayer):
    """The dense layers of `MultiHeadAttention`, which has the constructor.

    What it calls `positions` are integers `(length,)` or `(batch, length)`.
    """

    # How many queries and keys a head has; all first ones come before all second ones.
    _maps = 1

    @property
    def query_dense(self) -> keras.layers.Dense:
        """The projection of the queries."""
        return self._query_dense

    @property
    def key_dense(self) -> keras.layers.Dense:
        """The projection of the keys."""
        return self._key_dense

    @property
    def value_dense(self) -> keras.layers.Dense:
        """The projection of the values."""
        return self._value_dense

    @property
    def output_dense(self) -> keras.layers.Dense:
        """The projection of the contexts."""
        return self._output_dense

    def set_weights(self, weights: Any) -> None:
        """Set all weights, also as `keras.layers.MultiHeadAttention` returns them.

        It keeps heads as an axis of their own, in the same order.
        """
        shaped = [np.asarray(weight) for weight in weights]
        own = [weight.shape for weight in self.weights]
        if [weight.size for weight in shaped] == [math.prod(shape) for shape in own]:
            shaped = [
                weight.reshape(shape) for weight, shape in zip(shaped, own, strict=True)
            ]
        super().set_weights(shaped)

    def project_memory(
        self,
        value: Tensor,
        key: Tensor | None = None,
        start: int | Tensor = 0,
        positions: Tensor | None = None,
    ) -> Cache:
        """Project keys and values by heads, once for all steps that attend to them.

        Args:
            value: `(batch, source, value_dim)`.
            key: `(batch, source, key_dim)`; `value` when left out.
            start: position of the first key.
            positions: of the keys, in place of those counted from `start`.
        """
        heads = self._key_value_heads
        keys = functional.split_heads(
            apply_dense(self._key_dense, value if key is None else key),
            self._maps * heads,
        )
        if self.query_key_norm:
            keys = self._key_norm(keys)
        return {
            "key": self._rotate(keys, start, positions),
            "value": functional.split_heads(
                apply_dense(self._value_dense, value), heads
            ),
        }

    def _build_projections(self, query_shape, value_shape, key_shape):
        width = self._maps * self.key_dim
        value_dim = self.value_dim or self.key_dim
        self._query_dense = self._projection(
            "query", self.num_heads * width, query_shape
        )
        self._key_dense = self._projection(
            "key", self._key_value_heads * width, key_shape
        )
        merged = (*query_shape[:-1], self.num_heads * value_dim)
        if self.use_gate:
            self._gate_dense = self._projection(
                "gate", merged[-1], query_shape, activation="sigmoid"
            )
        self._value_dense = self._projection(
            "value", self._key_value_heads * value_dim, value_shape
        )
        output_axes = self._output_axes or (query_shape[-1],)
        self._output_dense = self._projection("output", math.prod(output_axes), merged)
        if self.query_key_norm:
            self._query_norm, self._key_norm = (
                self._rms_norm(name, self.key_dim)
                for name in ("query_norm", "key_norm")
            )
        if self.position is not None:
            heads = self._maps * self.num_heads
            build_once(self.position, (None, heads, None, self.key_dim))
            self._check_position(heads)

    def _check_position(self, heads):
        built = getattr(self.position, "num_heads", heads)
        if built != heads:
            raise ValueError(
                "A `position` shared by several layers needs one number of heads. "
                f"Received: num_heads={heads}, position built for {built}"
            )

    def _projection(self, name, units, input_shape, **options):
        return build_dense(
            self, name, units, input_shape, use_bias=self.use_bias, **options
        )

    def _rms_norm(self, name, width):
        norm = keras.layers.RMSNormalization(dtype=self.dtype_policy, name=name)
        norm.build((None, width))
        norm.supports_masking = True
        return norm

    def _project_query(self, query, start, positions):
        heads = functional.split_heads(
            apply_dense(self._query_dense, query), self._maps * self.num_heads
        )
        if self.query_key_norm:
            heads = self._query_norm(heads)
        return self._rotate(heads, start, positions)

    def _rotate(self, heads, start, positions):
        if not isinstance(self.position, RotaryEmbedding):
            return heads
        if positions is None:
            positions = start + ops.arange(functional.size(heads, 2), dtype="int32")
        elif len(positions.shape) == 2:
            positions = ops.expand_dims(positions, 1)  # the same for all heads
        return self.position.rotate(heads, positions)

    def _project_context(self, context, query):
        merged = functional.merge_heads(context)
        if self.use_gate:
            merged = merged * apply_dense(self._gate_dense, query)
        output = apply_dense(self._output_dense, merged)
        if self._output_axes is None or len(self._output_axes) == 1:
            return output
        return ops.reshape(output, (*ops.shape(output)[:-1], *self._output_axes))
