"""String tensors from what a caller has.

Glossary: B = batch.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_attention.text.arguments import check_lines, encode_strings


def to_strings(strings: Any) -> tf.Tensor:
    """Returns a batch of strings as a string tensor.

    Args:
        strings: A list or array of `str` or `bytes`, or a string tensor
            `(batch,)`.

    Returns:
        A string tensor `(batch,)`; `str` is encoded as UTF-8.

    Raises:
        ValueError: If `strings` is one string, not of rank 1, or holds anything
            but strings.

    Example:
    >>> to_strings(["a", "b"]).shape
    TensorShape([2])
    """
    if not tf.is_tensor(strings):
        return string_constant(encode_strings(strings))
    rank = strings.shape.rank
    if strings.dtype != tf.string or rank not in (1, None):
        raise ValueError(
            "`strings` must be a string tensor of shape (batch,). "
            f"Received: dtype={strings.dtype.name}, shape={strings.shape}"
        )
    return tf.ensure_shape(strings, [None])


def string_constant(strings: Sequence[bytes]) -> tf.Tensor:
    """Returns a string tensor `(batch,)`, trailing NULs and all.

    Args:
        strings: The strings' bytes.

    Example:
    >>> string_constant([b"a", b"b"]).shape
    TensorShape([2])
    """
    # an object array, because NumPy's own bytes lose trailing NULs
    return tf.constant(np.array(strings, dtype=object), tf.string)


def check_corpus(lines: Any) -> list[str]:
    """Returns the lines of a training corpus, which must hold some text.

    Args:
        lines: An iterable of `str`.

    Raises:
        ValueError: If `lines` is no iterable of `str`, or has no character that
            is not white space.

    Example:
    >>> check_corpus(iter(["a", ""]))
    ['a', '']
    """
    listed = check_lines("lines", lines)
    if not any(line.strip() for line in listed):
        raise ValueError(
            "`lines` must hold some text to train on. "
            f"Received: {len(listed)} lines, none with text"
        )
    return listed
