"""Attention by the difference of two softmax maps."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import check_positive, takes_numpy
from keras_attention.layers.attention.multi_head_attention import MultiHeadAttention
from keras_attention.layers.attention.multi_head_checks import check_layer_options
from keras_attention.layers.projection import serialize_options
from keras_attention.layers.sublayers import quantized_dtype, serialize_shared
from keras_attention.tensor import Tensor

VECTORS = ("first_query", "first_key", "second_query", "second_key")


@keras.saving.register_keras_serializable(
    "keras_attention", name="DifferentialAttention"
)
class DifferentialAttention(MultiHeadAttention):
    """Two softmax maps of which one cancels the noise of the other (Ye et al. 2024).

    Each head has two queries and two keys for one value. With `d` for `key_dim`:

        weights = softmax(Q1 K1ᵀ / √d) - λ softmax(Q2 K2ᵀ / √d)
        λ = exp(λ_q1 · λ_k1) - exp(λ_q2 · λ_k2) + λ_init
        head = (1 - λ_init) RMSNorm(weights V)

    The vectors λ_q1 to λ_k2 are learned, and all heads share them and the scale of the
    normalization. Half as many heads as of a `MultiHeadAttention`, or as many of half
    the `key_dim`, make a layer of the same size.

    Args:
        num_heads: number of heads, each of two maps.
        key_dim: width of each query and key.
        value_dim: width of one head of values; `2 * key_dim` when left out.
        dropout: rate at which weights are dropped in training.
        use_bias: whether the projections have biases.
        depth: of the block that the layer is in, counted from 1, which says where λ
            begins: `λ_init = 0.8 - 0.6 exp(-0.3 (depth - 1))`. When left out it begins
            at 0.8, which the authors found to do about as well.
        sliding_window: as of `MultiHeadAttention`.
        kernel_initializer: of the projections.
        seed: integer seed of the dropout.
        num_key_value_heads: number of heads of keys and values, each shared by
            `num_heads / num_key_value_heads` heads of queries; `num_heads` when left
            out.
        position: as of `MultiHeadAttention`; the maps are `2 * num_heads` heads to it.
        **kwargs: of `keras.layers.Layer`.

    Call arguments, masks and steps are those of `MultiHeadAttention`. Weights `(batch,
    heads, target, source)` may be negative; those of a query sum to `1 - λ`, or to zero
    where it has nothing to attend to.

    Raises:
        ValueError: as `MultiHeadAttention`; for a `depth` that is not positive.

    Example:
    >>> layer = DifferentialAttention(num_heads=2, key_dim=4, depth=1)
    >>> query, value = keras.ops.ones((2, 3, 8)), keras.ops.ones((2, 5, 8))
    >>> output, weights = layer(query, value, return_attention_scores=True)
    >>> tuple(output.shape), tuple(weights.shape)
    ((2, 3, 8), (2, 2, 3, 5))
    """

    _maps = 2

    @takes_numpy
    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        depth: int | None = None,
        sliding_window: int | None = None,
        kernel_initializer: Any = "glorot_uniform",
        seed: int | None = None,
        *,
        num_key_value_heads: int | None = None,
        position: Any = None,
        **kwargs: Any,
    ) -> None:
        check_layer_options(type(self), kwargs)
        check_positive(key_dim=key_dim)
        super().__init__(
            num_heads,
            key_dim,
            2 * key_dim if value_dim is None else value_dim,
            dropout,
            use_bias,
            sliding_window=sliding_window,
            kernel_initializer=kernel_initializer,
            seed=seed,
            num_key_value_heads=num_key_value_heads,
            position=position,
            **kwargs,
        )
        if depth is not None:
            check_positive(depth=depth)
        self.depth = depth
        self.lambda_init = 0.8 if depth is None else functional.initial_lambda(depth)

    def compute_attention_weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        """From the scores of both maps to the weights, their difference.

        Args:
            scores: `(batch, 2 * heads, target, source)`.
            mask: boolean, broadcasting to `(batch, heads, target, source)`, or `None`.

        Returns:
            Weights `(batch, heads, target, source)`.
        """
        vectors = [ops.cast(vector, scores.dtype) for vector in self._lambda_vectors]
        factor = functional.differential_lambda(vectors, self.lambda_init)
        return functional.differential_weights(scores, factor, mask)

    def get_config(self):
        return {
            # None of the arguments that a `MultiHeadAttention` has besides.
            **super(MultiHeadAttention, self).get_config(),
            **quantized_dtype(self),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "depth": self.depth,
            "sliding_window": self.sliding_window,
            "kernel_initializer": serialize_options(self)["kernel_initializer"],
            "seed": self.seed,
            "num_key_value_heads": self.num_key_value_heads,
            "position": serialize_shared(self.position),
        }

    def _build_projections(self, query_shape, value_shape, key_shape):
        super()._build_projections(query_shape, value_shape, key_shape)
        self._lambda_vectors = [
            self.add_weight(
                name=f"lambda_{name}",
                shape=(self.key_dim,),
                initializer=keras.initializers.RandomNormal(stddev=0.1),
                autocast=False,
            )
            for name in VECTORS
        ]
        self._context_norm = self._rms_norm("context_norm", self.value_dim)

    def _project_context(self, context, query):
        normalized = self._context_norm(context) * (1 - self.lambda_init)
        return super()._project_context(normalized, query)
