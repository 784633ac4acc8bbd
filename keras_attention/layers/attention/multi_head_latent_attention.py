"""Attention to keys and values that are made from one short vector."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import check_count, check_positive, takes_numpy
from keras_attention.layers.attention.multi_head_attention import MultiHeadAttention
from keras_attention.layers.attention.multi_head_checks import check_layer_options
from keras_attention.layers.positions.rotary_embedding import RotaryEmbedding
from keras_attention.layers.projection import matrix_of, serialize_options
from keras_attention.layers.sublayers import quantized_dtype
from keras_attention.tensor import Tensor


@keras.saving.register_keras_serializable(
    "keras_attention", name="MultiHeadLatentAttention"
)
class MultiHeadLatentAttention(MultiHeadAttention):
    """Keys and values of all heads from one latent vector (DeepSeek-AI 2024).

    Of each position `h` of the memory, a decoder keeps a latent vector `c` and a key
    `k^R` that is turned by its position, which all heads share:

        c = RMSNorm(W_DKV h)          k^R = RoPE(W_KR h)
        k_i = [W_UK,i c; k^R]         v_i = W_UV,i c
        q_i = [W_UQ,i h; RoPE(W_QR,i h)]
        weights_i = softmax(q_i k_iᵀ / √(key_dim + rotary_dim))

    With a `query_latent_dim`, `RMSNorm(W_DQ h)` stands in place of `h` in the queries.
    As `(W_UQ h) · (W_UK c) = (W_UKᵀ W_UQ h) · c`, steps compare queries with the latent
    vectors themselves and sum these up: keys and values by heads are never made. No
    projection has a bias.

    Args:
        num_heads: number of heads.
        key_dim: width of one head of queries and keys, without the rotary part.
        latent_dim: width of the latent vectors.
        rotary_dim: width of the rotary part of queries and keys, even; 0 for none, as
            in attention to another sequence, whose positions are not to be compared.
        value_dim: width of one head of values; `key_dim` when left out.
        query_latent_dim: width of the latent vectors of queries, which save memory in
            training; none when left out.
        dropout: rate at which weights are dropped in training.
        kernel_initializer: of the projections.
        seed: integer seed of the dropout.
        chunk_size: as of `MultiHeadAttention`.
        **kwargs: of `keras.layers.Layer`.

    Call arguments, masks and steps are those of `MultiHeadAttention`, but for `key`,
    since keys and values are made from the same. A cache is `{"key": (batch, 1, length,
    latent_dim + rotary_dim)}`, the latent vectors and then the rotary keys.

    Raises:
        ValueError: as `MultiHeadAttention`; for an odd `rotary_dim`, or a `key`.

    Example:
    >>> layer = MultiHeadLatentAttention(4, key_dim=8, latent_dim=12, rotary_dim=4)
    >>> tuple(layer(keras.ops.ones((2, 5, 32)), keras.ops.ones((2, 7, 32))).shape)
    (2, 5, 32)
    >>> tuple(layer.start(keras.ops.ones((2, 7, 32)))["memory"]["key"].shape)
    (2, 1, 7, 16)
    """

    @takes_numpy
    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        latent_dim: int,
        rotary_dim: int,
        value_dim: int | None = None,
        query_latent_dim: int | None = None,
        dropout: float = 0.0,
        kernel_initializer: Any = "glorot_uniform",
        seed: int | None = None,
        *,
        chunk_size: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_layer_options(type(self), kwargs)
        super().__init__(
            num_heads,
            key_dim,
            value_dim,
            dropout,
            use_bias=False,
            kernel_initializer=kernel_initializer,
            seed=seed,
            chunk_size=chunk_size,
            **kwargs,
        )
        check_positive(latent_dim=latent_dim)
        check_count(rotary_dim=rotary_dim)
        if rotary_dim % 2:
            raise ValueError(
                "`rotary_dim` must be even, as features turn in pairs. "
                f"Received: rotary_dim={rotary_dim}"
            )
        if query_latent_dim is not None:
            check_positive(query_latent_dim=query_latent_dim)
        self.latent_dim = latent_dim
        self.rotary_dim = rotary_dim
        self.query_latent_dim = query_latent_dim
        self.position = RotaryEmbedding() if rotary_dim else None

    def get_config(self):
        return {
            # None of the arguments that a `MultiHeadAttention` has besides.
            **super(MultiHeadAttention, self).get_config(),
            **quantized_dtype(self),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "latent_dim": self.latent_dim,
            "rotary_dim": self.rotary_dim,
            "value_dim": self.value_dim,
            "query_latent_dim": self.query_latent_dim,
            "dropout": self.dropout,
            "kernel_initializer": serialize_options(self)["kernel_initializer"],
            "seed": self.seed,
            "chunk_size": self.chunk_size,
        }

    def init_cache(
        self, batch_size: int | Tensor, max_length: int
    ) -> dict[str, Tensor]:
        """An empty cache of `max_length` positions, to pass with a `cache_index`."""
        shape = batch_size, 1, max_length, self.latent_dim + self.rotary_dim
        return {"key": ops.zeros(shape, self.compute_dtype)}

    def project_memory(
        self,
        value: Tensor,
        key: Tensor | None = None,
        start: int | Tensor = 0,
        positions: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """The latent vectors and rotary keys, once for all steps that attend to them.

        Args:
            value: `(batch, source, value_dim)`.
            key: none.
            start: position of the first.
            positions: of all, in place of those counted from `start`.

        Returns:
            `{"key": (batch, 1, source, latent_dim + rotary_dim)}`.
        """
        _check_no_key(None if key is None else key.shape)
        joint = ops.expand_dims(self._latent_dense(value), 1)
        latent, rotary = ops.split(joint, [self.latent_dim], axis=-1)
        rotary = self._rotate(rotary, start, positions)
        return {"key": ops.concatenate([self._latent_norm(latent), rotary], axis=-1)}

    def _build_projections(self, query_shape, value_shape, key_shape):
        heads, joint = self.num_heads, self.key_dim + self.rotary_dim
        value_dim = self.value_dim or self.key_dim
        if self.query_latent_dim is not None:
            self._query_latent_dense = self._projection(
                "query_latent", self.query_latent_dim, query_shape
            )
            self._query_norm = self._rms_norm("query_norm", self.query_latent_dim)
        self._query_dense = self._projection(
            "query", heads * joint, (None, self.query_latent_dim or query_shape[-1])
        )
        self._latent_dense = self._projection(
            "latent", self.latent_dim + self.rotary_dim, value_shape
        )
        self._latent_norm = self._rms_norm("latent_norm", self.latent_dim)
        if self.position is not None:
            self.position.build((None, heads, None, self.rotary_dim))
        latent = None, self.latent_dim
        self._key_dense = self._projection("key", heads * self.key_dim, latent)
        self._value_dense = self._projection("value", heads * value_dim, latent)
        self._output_dense = self._projection(
            "output", query_shape[-1], (None, heads * value_dim)
        )

    def _check_shapes(self, query_shape, value_shape, key_shape):
        _check_no_key(key_shape)
        super()._check_shapes(query_shape, value_shape, key_shape)

    def _project_query(self, query, start, positions):
        if self.query_latent_dim is not None:
            query = self._query_norm(self._query_latent_dense(query))
        heads = functional.split_heads(self._query_dense(query), self.num_heads)
        content, rotary = ops.split(heads, [self.key_dim], axis=-1)
        rotary = self._rotate(rotary, start, positions)
        return ops.concatenate([content, rotary], axis=-1)

    def _attend_to(self, memory, query, is_cached, **options):
        memory = memory["key"]  # (B, 1, S, latent_dim + rotary_dim)
        if is_cached:
            kernels = map(self._kernel_by_heads, (self._key_dense, self._value_dense))
            return functional.latent_attention(query, memory, *kernels, **options)
        latent, rotary = ops.split(memory, [self.latent_dim], axis=-1)
        key, value = (
            functional.split_heads(dense(ops.squeeze(latent, 1)), self.num_heads)
            for dense in (self._key_dense, self._value_dense)
        )
        rotary = ops.broadcast_to(rotary, (*ops.shape(key)[:3], self.rotary_dim))
        key = ops.concatenate([key, rotary], axis=-1)
        return functional.dot_product_attention(query, key, value, **options)

    def _kernel_by_heads(self, dense):
        """The matrix of a projection of latent vectors, `(heads, latent_dim, dim)`."""
        kernel = ops.cast(matrix_of(dense, self.latent_dim), self.compute_dtype)
        by_heads = ops.reshape(kernel, (self.latent_dim, self.num_heads, -1))
        return ops.swapaxes(by_heads, 0, 1)


def _check_no_key(key_shape):
    if key_shape is not None:
        raise ValueError(
            "`key` must be left out, since keys and values are made from the same "
            f"latent vectors. Received: key.shape={tuple(key_shape)}"
        )
