"""Logits of some ids of the target vocabulary, chosen for each source."""

from typing import Any, NamedTuple

import keras
from keras import ops

from keras_attention import functional
from keras_attention.layers import PositionalEmbedding
from keras_attention.layers.projection import float_kernel
from keras_attention.special_ids import PAD
from keras_attention.tensor import Tensor

_NEVER = -1e9  # finite, since logits of several models are averaged


class OutputRows(NamedTuple):
    """What gives the logits of a few ids of each source.

    Attributes:
        kernel: `(sources, count, width)`.
        bias: `(sources, count)`, so low where an id is padding that it has no
            probability.
    """

    kernel: Tensor
    bias: Tensor

    def logits(self, hidden: Tensor) -> Tensor:
        """Of hidden vectors `(rows, length, width)`, `(rows, length, count)`.

        There are as many rows for each source, next to each other.
        """
        rows, length = functional.size(hidden, 0), functional.size(hidden, 1)
        sources, count = functional.size(self.bias, 0), functional.size(self.bias, 1)
        together = rows * length // functional.at_least_one(sources)
        by_source = ops.reshape(hidden, (sources, together, hidden.shape[-1]))
        logits = ops.matmul(by_source, ops.swapaxes(self.kernel, 1, 2))
        logits = logits + ops.expand_dims(self.bias, 1)
        return ops.reshape(logits, (rows, length, count))


def can_choose_rows(embedding: Any, output: Any) -> bool:
    """Whether the ends of a model are such as `choose_rows` takes."""
    layer = embedding if output is None else output
    return isinstance(layer, PositionalEmbedding | keras.layers.Dense)


def choose_rows(embedding: Any, output: Any, ids: Tensor) -> OutputRows:
    """What gives the logits of some ids of a model with these ends.

    Args:
        embedding: of the target, whose table gives the logits where there is no
            `output`.
        output: a `keras.layers.Dense` to logits, or `None`.
        ids: `(sources, count)`, different ones, padded with 0.
    """
    if output is None:
        kernel, bias = embedding.token_vectors(ids), embedding.logit_biases()
    else:
        columns = ops.take(_kernel(output), ids, axis=1)  # (width, sources, count)
        kernel, bias = ops.transpose(columns, (1, 2, 0)), output.bias
        kernel = ops.cast(kernel, output.compute_dtype)
    chosen = 0.0 if bias is None else ops.take(bias, ids, axis=0)
    is_padding = ops.equal(ids, PAD)
    return OutputRows(
        kernel, ops.cast(ops.where(is_padding, _NEVER, chosen), kernel.dtype)
    )


def _kernel(dense):
    return dense.kernel if dense.quantization_mode is None else float_kernel(dense)
