"""How well each query fits each key: `(B, T, D)` and `(B, S, D)` to `(B, T, S)`."""

from collections.abc import Callable

from keras import ops

from keras_attention.functional.heads import group_queries, ungroup_queries
from keras_attention.precision import precise
from keras_attention.tensor import Tensor


def dot_scores(query: Tensor, key: Tensor) -> Tensor:
    """Dot product (Luong et al. 2015): query and key of one width."""
    return ops.matmul(query, ops.swapaxes(key, -1, -2))


def scaled_dot_scores(query: Tensor, key: Tensor) -> Tensor:
    """Dot product over the root of the width (Vaswani et al. 2017)."""
    # The query is scaled, not the product: float16 would overflow in between.
    return dot_scores(query * query.shape[-1] ** -0.5, key)


def cosine_scores(query: Tensor, key: Tensor) -> Tensor:
    """Cosine of the angle between query and key (Graves et al. 2014).

    A vector of zeros has a cosine of zero with everything.
    """
    return dot_scores(_unit_length(query), _unit_length(key))


def additive_scores(
    query: Tensor, key: Tensor, energy: Callable[[Tensor], Tensor]
) -> Tensor:
    """A perceptron of one hidden layer over each pair (Bahdanau et al. 2015).

    Args:
        query: `(batch, target, units)`, already projected.
        key: `(batch, source, units)`, already projected.
        energy: maps the last axis of `(batch, target, source, units)` to size 1.

    Returns:
        Scores `(batch, target, source)`.
    """
    hidden = ops.tanh(ops.expand_dims(query, 2) + ops.expand_dims(key, 1))
    return ops.squeeze(energy(hidden), -1)


def grouped_scores(query: Tensor, key: Tensor) -> Tensor:
    """Scaled dot product by heads, a key head for each group of query heads.

    Args:
        query: `(batch, heads, target, dim)`.
        key: `(batch, key_value_heads, source, dim)`; `key_value_heads` divides
            `heads` (Ainslie et al. 2023).

    Returns:
        Scores `(batch, heads, target, source)`.
    """
    heads, key_value_heads = query.shape[1], key.shape[1]
    if heads == key_value_heads:
        return scaled_dot_scores(query, key)
    grouped = scaled_dot_scores(group_queries(query, key_value_heads), key)
    return ungroup_queries(grouped, heads)


def _unit_length(vectors: Tensor) -> Tensor:
    vectors = ops.convert_to_tensor(vectors)
    exact = ops.cast(vectors, precise(vectors.dtype))
    squares = ops.sum(ops.square(exact), -1, keepdims=True)
    is_zero = ops.equal(squares, 0.0)
    # The root's gradient is infinite at zero, so zero never reaches it.
    scale = ops.where(is_zero, 0.0, ops.rsqrt(ops.where(is_zero, 1.0, squares)))
    # float16 could not hold the scale of a short vector
    return ops.cast(exact * scale, vectors.dtype)
