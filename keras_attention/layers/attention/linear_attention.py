"""Attention of a cost that is linear in the length."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    SEQUENCE,
    check_attended,
    check_given,
    check_positive,
    takes_numpy,
)
from keras_attention.layers.base_layer import BaseLayer
from keras_attention.layers.projection import (
    build_dense,
    serialize_options,
    set_options,
)
from keras_attention.layers.sublayers import quantized_dtype
from keras_attention.precision import precise
from keras_attention.tensor import Tensor

State = dict[str, Tensor]


@keras.saving.register_keras_serializable("keras_attention", name="LinearAttention")
class LinearAttention(BaseLayer):
    """Heads that weigh by products of features, not by softmax (Katharopoulos 2020).

    With the features `φ(x) = elu(x) + 1`, the context of query `t` in a head is

        φ(q_t)ᵀ Σ_s φ(k_s) v_sᵀ / φ(q_t)ᵀ Σ_s φ(k_s)

    Both sums are the same for all queries, so time and memory grow linearly with the
    length. With a causal mask they run up to `t`: a decoder keeps the sums alone, of
    one size however much it has read.

    Args:
        num_heads: number of heads.
        key_dim: width of one head of queries and keys.
        value_dim: width of one head of values; `key_dim` when left out.
        use_bias: whether the projections have biases.
        kernel_initializer: of the projections.
        chunk_size: number of positions that a causal attention compares pair by pair;
            between chunks it passes on sums. It changes only time and memory.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        query: `(batch, target, query_dim)`.
        value: `(batch, source, value_dim)`.
        key: `(batch, source, key_dim)`; `value` when left out.
        query_mask: boolean `(batch, target)`; a masked query attends to nothing.
        value_mask: boolean `(batch, source)`; `False` is never attended to.
        key_mask: boolean `(batch, source)`, likewise.
        attention_mask: none, as it would have to be applied pair by pair.
        return_attention_scores: whether to compute and return the weights too, which
            takes time and memory for every pair.
        training: without effect.
        use_causal_mask: whether a query sees only keys up to its own position.

    Masks given here are combined with those that `mask_zero` or `Masking` left on the
    tensors. A query with nothing to attend to has a context of zero, before the output
    projection. Features and sums are computed in float32 at least.

    Returns:
        Output `(batch, target, query_dim)`, or the pair of it and the weights
        `(batch, heads, target, source)`.

    Raises:
        ValueError: for sizes that are not positive, tensors of another number of axes,
            key and value of different lengths, an `attention_mask`, or another mask
            that is not boolean or does not fit.

    Example:
    >>> layer = LinearAttention(num_heads=2, key_dim=4)
    >>> query, value = keras.ops.ones((2, 3, 8)), keras.ops.ones((2, 5, 8))
    >>> output, weights = layer(query, value, return_attention_scores=True)
    >>> tuple(output.shape), tuple(weights.shape)
    ((2, 3, 8), (2, 2, 3, 5))
    """

    @takes_numpy
    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        chunk_size: int = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(num_heads=num_heads, key_dim=key_dim, chunk_size=chunk_size)
        if value_dim is not None:
            check_positive(value_dim=value_dim)
        self.supports_masking = True
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.value_dim = value_dim
        self.use_bias = use_bias
        set_options(self, kernel_initializer=kernel_initializer)
        self.chunk_size = chunk_size

    def build(self, query_shape, value_shape=None, key_shape=None):
        check_given(value=value_shape)
        key_shape = value_shape if key_shape is None else key_shape
        check_attended(SEQUENCE, query_shape, value_shape, key_shape)
        keys = self.num_heads * self.key_dim
        values = self.num_heads * (self.value_dim or self.key_dim)
        self._query_dense, self._key_dense, self._value_dense, self._output_dense = (
            build_dense(self, name, width, shape, use_bias=self.use_bias)
            for name, width, shape in (
                ("query", keys, query_shape),
                ("key", keys, key_shape),
                ("value", values, value_shape),
                ("output", query_shape[-1], (None, values)),
            )
        )

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        self._check(query, value, key, attention_mask)
        key = value if key is None else key
        mask = functional.combine_masks(
            functional.position_mask(value, value_mask=value_mask),
            functional.position_mask(key, key_mask=key_mask),
        )
        queries = self._project_queries(
            query, functional.position_mask(query, query_mask=query_mask)
        )
        keys, values = self._project_memory(value, key, mask)
        if use_causal_mask:
            nothing = self._empty_state(ops.shape(query)[0])
            context, _ = functional.causal_linear_attention(
                queries, keys, values, nothing, self.chunk_size
            )
        else:
            state = functional.linear_state(keys, values)
            context = functional.linear_attention(queries, state)
        output = self._project_context(context)
        if not return_attention_scores:
            return output
        weights = functional.linear_weights(queries, keys, use_causal_mask)
        return output, ops.cast(weights, self.compute_dtype)

    def compute_output_spec(
        self, query, value, key=None, *args, return_attention_scores=False, **kwargs
    ):
        self._check(query, value, key, kwargs.get("attention_mask"))
        output = keras.KerasTensor(query.shape, self.compute_dtype)
        if not return_attention_scores:
            return output
        batch, target, _ = query.shape
        shape = batch, self.num_heads, target, value.shape[1]
        return output, keras.KerasTensor(shape, self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            **quantized_dtype(self),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "use_bias": self.use_bias,
            **serialize_options(self),
            "chunk_size": self.chunk_size,
        }

    def start(
        self,
        memory: Tensor,
        max_length: int | None = None,
        memory_mask: Tensor | None = None,
    ) -> State:
        """The state before the first step.

        Args:
            memory: `(rows, source, dim)`, what all steps attend to; or, with a
                `max_length`, anything with as many rows.
            max_length: given where each position that steps read attends to those up to
                itself, however many.
            memory_mask: boolean `(rows, source)`.

        Returns:
            Sums `(rows, heads, key_dim, value_dim + 1)`, as `"past"` or `"memory"`.
        """
        if max_length is not None:
            return {"past": self._empty_state(ops.shape(memory)[0])}
        keys, values = self._project_memory(memory, memory, memory_mask)
        return {"memory": functional.linear_state(keys, values)}

    def step(
        self, query: Tensor, state: State, index: int | Tensor
    ) -> tuple[Tensor, State, None]:
        """Attend from the next positions.

        Args:
            query: `(rows, length, dim)`, one position or several.
            state: of `start`, or of the last step.
            index: number of positions read before.

        Returns:
            Output `(rows, length, dim)`, the new state, and no weights.
        """
        queries = self._project_queries(query, None)
        if "memory" in state:
            context = functional.linear_attention(queries, state["memory"])
            return self._project_context(context), state, None
        keys, values = self._project_memory(query, query, None)
        context, past = functional.causal_linear_attention(
            queries, keys, values, state["past"], self.chunk_size
        )
        return self._project_context(context), {"past": past}, None

    def _check(self, query, value, key, attention_mask):
        check_attended(
            SEQUENCE, query.shape, value.shape, None if key is None else key.shape
        )
        if attention_mask is not None:
            raise ValueError(
                "`attention_mask` must be left out, as a LinearAttention compares no "
                "pairs; it takes `query_mask`, `value_mask`, `key_mask` and "
                f"`use_causal_mask`. Received: attention_mask={attention_mask}"
            )

    def _project_queries(self, query, mask):
        return self._by_heads(
            functional.positive_features(self._precise(self._query_dense(query))), mask
        )

    def _project_memory(self, value, key, mask):
        """Features of keys, and values, both zero for what is masked."""
        keys = functional.positive_features(self._precise(self._key_dense(key)))
        values = self._precise(self._value_dense(value))
        return self._by_heads(keys, mask), self._by_heads(values, mask)

    def _by_heads(self, projected, mask):
        real = functional.zero_padding(projected, mask)
        return functional.split_heads(real, self.num_heads)

    def _precise(self, tensor):
        return ops.cast(tensor, precise(self.compute_dtype))

    def _empty_state(self, rows):
        shape = rows, self.num_heads, self.key_dim, (self.value_dim or self.key_dim) + 1
        return ops.zeros(shape, precise(self.compute_dtype))

    def _project_context(self, context):
        merged = functional.merge_heads(context)
        return self._output_dense(ops.cast(merged, self.compute_dtype))
