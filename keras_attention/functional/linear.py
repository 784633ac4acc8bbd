"""Attention at a cost linear in the length, by features (Katharopoulos et al. 2020).

The weight of a key is the product of its features with those of the query, over the sum
of all such products. So what queries need of keys and values is a sum of fixed size,
here called the state: of products of features and values, and of features alone.

Further axes: `P` chunks, `C` positions of a chunk.
"""

from keras import ops

from keras_attention.functional.masks import causal_mask
from keras_attention.functional.sequences import at_least_one
from keras_attention.tensor import Tensor


def positive_features(inputs: Tensor) -> Tensor:
    """`elu(x) + 1`, exact where it is small.

    Example:
    >>> ops.convert_to_numpy(positive_features([-1.0, 0.0, 2.0])).round(3)
    array([0.368, 1.   , 3.   ], dtype=float32)
    """
    inputs = ops.convert_to_tensor(inputs)
    # Not by adding 1 to an elu near -1: all below -17 would round to zero.
    return ops.where(inputs > 0, inputs + 1, ops.exp(ops.minimum(inputs, 0)))


def linear_attention(query: Tensor, state: Tensor) -> Tensor:
    """What queries read of a state.

    Args:
        query: features `(batch, heads, target, dim)`.
        state: `(batch, heads, dim, value_dim + 1)`.

    Returns:
        Context `(batch, heads, target, value_dim)`, zeros where features of queries or
        the state are zero.
    """
    return _normalize(ops.matmul(query, state))


def linear_state(key: Tensor, value: Tensor) -> Tensor:
    """What queries need of keys and values.

    Args:
        key: features `(batch, heads, source, dim)`, zero for what is masked.
        value: `(batch, heads, source, value_dim)`.

    Returns:
        `(batch, heads, dim, value_dim + 1)`, the sums of features last.
    """
    return ops.matmul(ops.swapaxes(key, -1, -2), _with_ones(value))


def causal_linear_attention(
    query: Tensor, key: Tensor, value: Tensor, state: Tensor, chunk_size: int
) -> tuple[Tensor, Tensor]:
    """Each query reads the keys up to its own position, and what was before them.

    Within chunks queries and keys are compared pair by pair; from one chunk to the next
    goes a state. Nothing is as large as a state for each position.

    Args:
        query: features `(batch, heads, length, dim)`.
        key: features `(batch, heads, source, dim)`, zero for what is masked; those
            after the last query are left out.
        value: `(batch, heads, source, value_dim)`.
        state: of what comes before.
        chunk_size: number of positions of a chunk.

    Returns:
        Context `(batch, heads, length, value_dim)` and the state after all.
    """
    length = ops.shape(query)[2]
    lower = ops.minimum if ops.is_tensor(length) else min
    chunk_size = lower(chunk_size, at_least_one(length))
    query, key, value = (
        _split_chunks(part, length, chunk_size)
        for part in (query, key, _with_ones(value))
    )  # (B, N, P, C, ...)
    is_past = causal_mask(chunk_size, chunk_size)
    products = ops.matmul(query, ops.swapaxes(key, -1, -2))
    within = ops.matmul(ops.where(is_past, products, 0), value)
    added = ops.matmul(ops.swapaxes(key, -1, -2), value)  # (B, N, P, H, V)
    states = [ops.expand_dims(state, 2), added]
    states = ops.cumsum(ops.concatenate(states, axis=2), axis=2)
    sums = within + ops.matmul(query, states[:, :, :-1])
    batch, heads, count, _, width = ops.shape(sums)
    sums = ops.reshape(sums, (batch, heads, count * chunk_size, width))
    return _normalize(sums[:, :, :length]), states[:, :, -1]


def linear_weights(query: Tensor, key: Tensor, causal: bool = False) -> Tensor:
    """The weights of all pairs, which nothing else needs.

    Args:
        query: features `(batch, heads, target, dim)`.
        key: features `(batch, heads, source, dim)`, zero for what is masked.
        causal: whether a query sees only keys up to its own position.

    Returns:
        `(batch, heads, target, source)`, of a query summing to 1, or to 0 where it may
        attend to nothing.
    """
    products = ops.matmul(query, ops.swapaxes(key, -1, -2))
    if causal:
        lengths = ops.shape(query)[2], ops.shape(key)[2]
        products = ops.where(causal_mask(*lengths), products, 0)
    return _divide(products, ops.sum(products, axis=-1, keepdims=True))


def _with_ones(value: Tensor) -> Tensor:
    """Values with one more feature, by which weights sum up beside them."""
    return ops.concatenate([value, ops.ones_like(value[..., :1])], axis=-1)


def _normalize(sums: Tensor) -> Tensor:
    return _divide(sums[..., :-1], sums[..., -1:])


def _divide(sums: Tensor, total: Tensor) -> Tensor:
    """Means, and zeros where there is nothing to divide by."""
    is_nothing = ops.equal(total, 0)
    return ops.where(is_nothing, 0, sums / ops.where(is_nothing, 1, total))


def _split_chunks(tensor: Tensor, length: int | Tensor, size: int) -> Tensor:
    """`(B, N, any, H)`, cut to a length and filled with zeros, to `(B, N, P, C, H)`."""
    tensor = tensor[:, :, :length]
    batch, heads, known, width = ops.shape(tensor)
    count = (length + size - 1) // size
    missing = ops.zeros((batch, heads, count * size - known, width), tensor.dtype)
    filled = ops.concatenate([tensor, missing], axis=2)
    return ops.reshape(filled, (batch, heads, count, size, width))
