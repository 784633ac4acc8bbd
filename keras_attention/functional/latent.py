"""Attention to latent vectors, from which keys and values are not made."""

from typing import Any

from keras import ops

from keras_attention.functional.dot_product import dot_product_attention
from keras_attention.tensor import Tensor


def latent_attention(
    query: Tensor,
    memory: Tensor,
    key_kernel: Tensor,
    value_kernel: Tensor,
    **options: Any,
) -> tuple[Tensor, Tensor | None]:
    """`dot_product_attention` to keys and values that latent vectors stand for.

    With `c` for a latent vector and `r` for a rotary key, the key of a head is `[K c;
    r]` and its value `V c`. A query `[q; p]` gets the same score from `[Kᵀ q; p]` and
    `[c; r]`, and the same context from `V` times the sum of latent vectors (DeepSeek-AI
    2024, section 2.1.2).

    Args:
        query: `(batch, heads, target, key_dim + rotary_dim)`.
        memory: `(batch, 1, source, latent_dim + rotary_dim)`.
        key_kernel: `(heads, latent_dim, key_dim)`.
        value_kernel: `(heads, latent_dim, value_dim)`.
        **options: of `dot_product_attention`.

    Returns:
        Context `(batch, heads, target, value_dim)`, and weights as of
        `dot_product_attention`.
    """
    _, latent_dim, key_dim = key_kernel.shape
    # Scores are divided by the root of a width, which is another now.
    scale = (memory.shape[-1] / query.shape[-1]) ** 0.5
    absorbed = ops.matmul(query[..., :key_dim], ops.swapaxes(key_kernel, 1, 2))
    query = ops.concatenate([absorbed, query[..., key_dim:]], axis=-1) * scale
    context, weights = dot_product_attention(
        query, memory, memory[..., :latent_dim], **options
    )
    return ops.matmul(context, value_kernel), weights
