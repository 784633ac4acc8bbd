"""The sizes of tensors, as graphs know them."""

from typing import Any

from keras import ops

from keras_attention.tensor import Tensor


def size(tensor: Tensor, axis: int) -> Any:
    """A size of a tensor, which may be known to a graph only when it runs."""
    known = tensor.shape[axis]
    return ops.shape(tensor)[axis] if known is None else known


def sizes(tensor: Tensor) -> list[Any]:
    """The sizes of a tensor, to be reshaped by.

    The only one that a graph does not know is -1, which a reshape infers: so no
    operations are needed to find it out.
    """
    known = [*tensor.shape]
    if known.count(None) == 1 and 0 not in known:
        return [-1 if size is None else size for size in known]
    return [*ops.shape(tensor)]
