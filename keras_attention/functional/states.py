"""Rows of the states of decoders: repeated, reordered, and several of one source."""

from typing import Any, NamedTuple

import keras
from keras import ops

from keras_attention.tensor import Tensor


class StepState(NamedTuple):
    """A state of a decoder whose hypotheses have a part in common.

    Attributes:
        constant: what is the same at all steps and for all hypotheses of a source, such
            as a projected memory; a nested structure of tensors by rows.
        recurrent: what each step replaces; likewise.
    """

    constant: Any
    recurrent: Any


def count_rows(structure: Any) -> Any:
    """The first size of the first tensor of a nested structure."""
    return ops.shape(keras.tree.flatten(structure)[0])[0]


def repeat_rows(structure: Any, count: int) -> Any:
    """Repeat each row of every tensor, copies next to each other; `None` stays."""
    return keras.tree.map_structure(
        lambda part: None if part is None else ops.repeat(part, count, axis=0),
        structure,
    )


def take_rows(structure: Any, rows: Tensor) -> Any:
    """The rows of every tensor by their indices; `None` stays."""
    return keras.tree.map_structure(
        lambda part: None if part is None else ops.take(part, rows, axis=0),
        structure,
    )


def take_sources(structure: Any, sources: Tensor, batch: int | Tensor) -> Any:
    """The rows of some sources, of tensors with one row or several for each.

    Args:
        structure: a nested structure of tensors whose first axis counts sources, or
            hypotheses, as many for each source, next to each other; `None` stays.
        sources: `(count,)`, their indices.
        batch: how many sources there are.

    Example:
    >>> rows = ops.convert_to_tensor([[0], [1], [2], [3], [4], [5]])
    >>> ops.convert_to_numpy(take_sources(rows, [0, 2], batch=3))[:, 0].tolist()
    [0, 1, 4, 5]
    """
    return keras.tree.map_structure(
        lambda part: (
            None
            if part is None
            else ops.take(part, _rows_of(part, sources, batch), axis=0)
        ),
        structure,
    )


def put_sources(structure: Any, sources: Tensor, batch: int | Tensor, own: Any) -> Any:
    """The structure with the rows of some sources replaced by their `own`.

    What `take_sources` gives, changed or not, goes back to where it came from.
    """
    return keras.tree.map_structure(
        lambda part, rows: (
            None
            if part is None
            else ops.scatter_update(
                part, ops.expand_dims(_rows_of(part, sources, batch), 1), rows
            )
        ),
        structure,
        own,
    )


def has_sources(structure: Any, batch: int | Tensor) -> bool:
    """Whether `take_sources` can take them, as far as is known of the sizes."""
    parts = [part for part in keras.tree.flatten(structure) if part is not None]
    shapes = [tuple(getattr(part, "shape", ())) for part in parts]
    known = [shape[0] for shape in shapes if shape and shape[0] is not None]
    if not all(shapes) or not isinstance(batch, int):
        return all(shapes) and not known
    return batch > 0 and all(size % batch == 0 for size in known)


def expand_state(owner: Any, state: Any, count: int) -> Any:
    """The state of a decoder with `count` hypotheses for each row, side by side.

    Args:
        owner: a model, a layer or a part of one whose `start` gives such states; asked
            by its `expand` if it has one. Its `reorder` would not do: that may leave
            alone what all rows of a source have in common.
        state: any nested structure of tensors; without an `expand`, each row of every
            tensor is repeated.
        count: how many.
    """
    if hasattr(owner, "expand"):
        return owner.expand(state, count)
    return repeat_rows(state, count)


def reorder_state(owner: Any, state: Any, parents: Tensor) -> Any:
    """The state of a decoder with rows that continue others.

    Args:
        owner: as in `expand_state`, asked by its `reorder` if it has one.
        state: likewise; without it, every tensor is gathered.
        parents: `(rows,)`, the row that each continues, of the same source.
    """
    if hasattr(owner, "reorder"):
        return owner.reorder(state, parents)
    if isinstance(state, StepState):
        return state._replace(recurrent=take_rows(state.recurrent, parents))
    return take_rows(state, parents)


def join_hypotheses(tensor: Tensor, batch: Any) -> Tensor:
    """Put the hypotheses of a source next to each other, as one sequence.

    Args:
        tensor: `(batch * hypotheses, length, ...)`.
        batch: number of sources.

    Returns:
        `(batch, length * hypotheses, ...)`, position by position.

    Example:
    >>> rows = ops.reshape(ops.arange(8), (4, 2, 1))
    >>> ops.convert_to_numpy(join_hypotheses(rows, 2))[0, :, 0].tolist()
    [0, 2, 1, 3]
    """
    rows, length, *sizes = ops.shape(tensor)
    # JAX infers no axis beside one of nothing.
    count = rows // batch
    if tensor.shape[1] != 1:
        by_source = ops.reshape(tensor, (batch, count, length, *sizes))
        tensor = ops.swapaxes(by_source, 1, 2)
    return ops.reshape(tensor, (batch, length * count, *sizes))


def split_hypotheses(tensor: Tensor, length: int | Tensor) -> Tensor:
    """Undo `join_hypotheses` of sequences of a length."""
    batch, joined, *sizes = ops.shape(tensor)
    count = joined // length
    if not (isinstance(length, int) and length == 1):
        by_position = ops.reshape(tensor, (batch, length, count, *sizes))
        tensor = ops.swapaxes(by_position, 1, 2)
    return ops.reshape(tensor, (batch * count, length, *sizes))


def _rows_of(part, sources, batch):
    """The indices of their rows in a tensor."""
    count = ops.shape(part)[0] // batch
    sources = ops.expand_dims(ops.cast(sources, "int32"), 1)
    own = sources * count + ops.arange(count, dtype="int32")
    return ops.reshape(own, (-1,))
