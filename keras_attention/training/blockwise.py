"""Cross-entropy and its gradient in one go through bfloat16 logits, in blocks of rows.

TensorFlow on a CPU runs one operation after the other, and each reads and writes all
logits of a batch, in float32 hundreds of megabytes. A block of rows stays in the
processor's cache until its gradient is there, in bfloat16.

Glossary of shapes: K blocks, R rows of each, V vocabulary.
"""

import os

import keras

from keras_attention.tensor import Tensor
from keras_attention.training import tokens

_ELEMENTS = 2**19  # logits of a block: 2 MiB of float32
_AT_ONCE = min(16, os.cpu_count() or 1)  # blocks


def logits_for_blocks(logits: Tensor) -> Tensor:
    """Return the bfloat16 tensor that float32 logits were cast from, or `None`.

    `None` also where blocks would not be faster: but in TensorFlow's graphs, on a GPU,
    where many small operations take longer than a large one, and under XLA, which has
    a way of its own to put operations together. For float32 a second array of all
    logits would cost more memory than the blocks save; for float16 their gradient would
    lose small numbers, since loss scaling comes after it.
    """
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf  # only where it is the backend

    if (
        tf.executing_eagerly()
        or tf.__internal__.get_enclosing_xla_context()
        or tf.config.list_logical_devices("GPU")
    ):
        return None
    cast = getattr(logits, "op", None)  # an eager tensor has none
    if cast is None or cast.type != "Cast" or cast.inputs[0].dtype != "bfloat16":
        return None
    return cast.inputs[0]


def mean_cross_entropy(
    labels: Tensor, logits: Tensor, weights: Tensor, label_smoothing: float
) -> Tensor:
    """Return the weighted mean of the tokens' cross-entropies, a float32 scalar.

    Args:
        labels: int32 ids `(batch, length)` of the vocabulary.
        logits: bfloat16 `(batch, length, vocabulary)`.
        weights: float32 `(batch, length)`; the mean is zero if they sum to it.
        label_smoothing: from 0 up to, but not including, 1.
    """
    import tensorflow as tf

    weights = tf.math.divide_no_nan(weights, tf.reduce_sum(weights))

    @tf.custom_gradient
    def compute(logits):
        ids, scales, parts = _split(labels, weights, logits)
        losses, slopes = _compute(ids, parts, scales, label_smoothing)
        # padding may have a loss that is infinite
        mean = tf.reduce_sum(tf.math.multiply_no_nan(losses, scales))
        slopes = tf.reshape(slopes, tf.shape(logits))

        def gradient(upstream):
            return tf.cond(  # nearly always it is 1, and a pass over all can be saved
                tf.equal(upstream, 1.0),
                lambda: slopes,
                lambda: slopes * tf.cast(upstream, slopes.dtype),
            )

        return mean, gradient

    return compute(logits)


def token_cross_entropy(labels: Tensor, logits: Tensor) -> Tensor:
    """Return the cross-entropy of each token, float32 `(batch, length)`.

    Args:
        labels: int32 ids `(batch, length)` of the vocabulary.
        logits: bfloat16 `(batch, length, vocabulary)`.
    """
    import tensorflow as tf

    losses = tf.map_fn(
        lambda block: _losses(*block)[0],
        _split(labels, logits),
        fn_output_signature=tf.TensorSpec((None, 1), "float32"),
        parallel_iterations=_AT_ONCE,
    )
    return tf.reshape(losses, tf.shape(labels))


def _split(labels, *tensors):
    """Labels, weights and logits in blocks: `(K, R, 1)`, logits `(K, R, V)`."""
    import tensorflow as tf

    tokens_of_all, vocabulary = tf.size(labels), tensors[-1].shape[-1]
    blocks = _blocks(tokens_of_all, max(1, _ELEMENTS // vocabulary))
    return tuple(
        tf.reshape(
            tensor,
            (blocks, tokens_of_all // blocks, *(tensor.shape.as_list()[2:] or [1])),
        )
        for tensor in (labels, *tensors)
    )


def _blocks(count, most):
    """The smallest number of blocks of equal size, of at most `most` rows each."""
    import tensorflow as tf

    sizes = tf.range(1, most + 1)
    rows = tf.reduce_max(tf.where(count % sizes == 0, sizes, 1))
    return tf.maximum(1, count // rows)


def _losses(ids, logits):
    """Losses `(R, 1)` of a block, then what they are made of."""
    import tensorflow as tf

    logits = tf.cast(logits, "float32")  # (R, V)
    probabilities = tf.nn.softmax(logits)
    label_logit, label_probability = (
        tf.gather(values, ids, batch_dims=1)  # (R, 1)
        for values in (logits, probabilities)
    )
    losses = tokens.negative_log(label_probability, label_logit, logits, probabilities)
    return losses, label_logit, logits, probabilities


def _compute(ids, logits, scales, label_smoothing):
    """Losses `(K, R, 1)`, and the gradient of the logits."""
    import tensorflow as tf

    blocks, vocabulary = tf.shape(ids)[0], logits.shape[-1]
    rest, share = 1.0 - label_smoothing, label_smoothing / vocabulary

    def step(block, losses, slopes):
        own = ids[block]
        loss, label_logit, part, probabilities = _losses(own, logits[block])
        if label_smoothing:
            mean = tf.reduce_mean(part, axis=-1, keepdims=True)
            loss += label_smoothing * (label_logit - mean)
        truth = tf.one_hot(own[:, 0], vocabulary, rest + share, share)
        slope = tf.cast((probabilities - truth) * scales[block], logits.dtype)
        return block + 1, losses.write(block, loss), slopes.write(block, slope)

    found = (
        tf.TensorArray("float32", blocks, element_shape=(None, 1)),
        tf.TensorArray(logits.dtype, blocks, element_shape=(None, vocabulary)),
    )
    _, losses, slopes = tf.while_loop(
        lambda block, *_: block < blocks,
        step,
        (tf.constant(0), *found),
        parallel_iterations=_AT_ONCE,
    )
    return losses.stack(), slopes.stack()
