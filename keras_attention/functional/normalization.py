"""Normalization of features, with a gradient in few passes."""

from keras import ops

from keras_attention.precision import precise
from keras_attention.tensor import Tensor


def standardize(inputs: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> Tensor:
    """Layer normalization (Ba et al. 2016) of the last axis, in few operations.

    Args:
        inputs: `(..., D)`; all is computed in float32 at least.
        gamma: scales `(D,)`.
        beta: offsets `(D,)`.
        epsilon: added to the variance.

    Returns:
        Shaped as `inputs`, in its dtype.
    """
    dtype = precise(inputs.dtype)
    outputs, gamma, beta = (ops.cast(v, dtype) for v in (inputs, gamma, beta))
    outputs = outputs - ops.mean(outputs, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(outputs), axis=-1, keepdims=True)
    outputs = outputs * ops.rsqrt(variance + epsilon) * gamma + beta
    return ops.cast(outputs, inputs.dtype)


def normalize_layer(
    inputs: Tensor, gamma: Tensor, beta: Tensor, epsilon: float
) -> Tensor:
    """Layer normalization (Ba et al. 2016) of the last axis, with its own gradient.

    With `y = gamma * z + beta` and `z = (x - mean) / deviation`, the gradient of `x` is
    `(g - mean(g) - z * mean(g * z)) / deviation` for `g = gamma * dy`. What TensorFlow
    derives by itself takes twice as long on a CPU.

    Args:
        inputs: `(..., D)`; all is computed in float32 at least.
        gamma: scales `(D,)`.
        beta: offsets `(D,)`.
        epsilon: added to the variance.

    Returns:
        Shaped as `inputs`, in its dtype.
    """
    dim = inputs.shape[-1]
    dtype = precise(inputs.dtype)
    # TensorFlow takes no variables here, only what is read from them.
    gamma, beta = (ops.cast(ops.reshape(v, (dim,)), dtype) for v in (gamma, beta))

    @ops.custom_gradient
    def compute(inputs, gamma, beta):
        rows = ops.cast(ops.reshape(inputs, (-1, dim)), dtype)
        centered = rows - ops.mean(rows, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centered), axis=-1, keepdims=True)
        scale = ops.rsqrt(variance + epsilon)  # (rows, 1)
        normalized = centered * scale

        def gradient(*args, upstream=None):
            slopes = args[0] if upstream is None else upstream
            slopes = ops.cast(ops.reshape(slopes, (-1, dim)), dtype)
            products = slopes * normalized
            # Sums as products with a vector: no other way reads its input so fast.
            ones = ops.ones((1, ops.shape(rows)[0]), dtype)
            weights = ops.reshape(gamma, (dim, 1)) / dim
            inner = slopes * gamma - ops.matmul(slopes, weights)
            inner = (inner - normalized * ops.matmul(products, weights)) * scale
            return (
                ops.reshape(ops.cast(inner, inputs.dtype), ops.shape(inputs)),
                ops.reshape(ops.matmul(ones, products), (dim,)),
                ops.reshape(ops.matmul(ones, slopes), (dim,)),
            )

        outputs = ops.cast(normalized * gamma + beta, inputs.dtype)
        return ops.reshape(outputs, ops.shape(inputs)), gradient

    return compute(inputs, gamma, beta)
