"""What a model predicts after the ids with which outputs begin."""

from typing import Any, NamedTuple, Self

from keras import ops

from keras_attention import functional
from keras_attention.decoding.row_limits import RowLimits
from keras_attention.precision import precise
from keras_attention.special_ids import PAD, SpecialIds
from keras_attention.tensor import Tensor


class Beginning(NamedTuple):
    """Where a search begins to choose.

    Attributes:
        state: of the model, which has read the start id and the given ids; or nothing,
            where there are no `log_probs`.
        count: how many ids were given; the same number in every row.
        ids: `(rows, length)`, these ids, then 0; no more than a row may have.
        lengths: `(rows,)`, how many they are.
        scores: `(rows,)`, their log-probabilities in sum.
        log_probs: `(rows, vocabulary)`, of the id after them, float32 or float64; or
            `None`.
        attention: `(rows, length, source)`, of all ids so far and of the next one, then
            0; or `None`.
    """

    state: Any
    given: int | Tensor
    ids: Tensor
    lengths: Tensor
    scores: Tensor
    log_probs: Tensor | None
    attention: Tensor | None

    def expand(self, model: Any, count: int) -> Self:
        """The beginning of `count` outputs for each row, next to each other."""
        tensors = functional.repeat_rows(tuple(self[2:]), count)
        state = functional.expand_state(model, self.state, count)
        return type(self)(state, self.given, *tensors)


def unread_beginning(model: Any, state: Any, rows: Any, length: int) -> Beginning:
    """A beginning of which the model has read nothing, not even the start id.

    Args:
        model: that is to read.
        state: of its `start`.
        rows: how many.
        length: the most ids of an output.
    """
    logits = getattr(model, "output", None)
    return Beginning(
        state,
        0,
        ops.full((rows, length), PAD, "int32"),
        ops.zeros((rows,), "int32"),
        ops.zeros((rows,), precise(getattr(logits, "dtype", None))),
        None,
        None,
    )


def read_beginning(
    model: Any, state: Any, limits: RowLimits, length: int, count: int | Tensor
) -> Beginning:
    """Read the start id, and what outputs are given to begin with, in one pass.

    Args:
        model: that reads.
        state: of its `start`.
        limits: of the outputs.
        length: the most ids of an output.
        count: how many ids are given in every row, an integer or a scalar tensor, less
            than `length`; `None` where none are.
    """
    max_length = limits.max_length
    rows = ops.shape(max_length)[0]
    start = ops.full((rows,), SpecialIds.of(model).start, "int32")
    given = limits.given(length)
    if count is None or given is None:
        logits, state, attention = model.step(start, state, 0)
        if attention is not None:
            attention = in_precision(ops.expand_dims(attention, 1))
            attention = functional.fit_length(attention, length)
        return unread_beginning(model, state, rows, length)._replace(
            scores=ops.zeros((rows,), in_precision(logits).dtype),
            log_probs=log_softmax(logits),
            attention=attention,
        )
    read = ops.concatenate([ops.expand_dims(start, 1), given[:, :count]], axis=1)
    logits, state, attention = model.step(read, state, 0)
    log_probs = log_softmax(logits)
    places = ops.arange(length, dtype="int32")
    lengths = ops.minimum(max_length, count)
    is_given = places < ops.expand_dims(lengths, 1)
    if attention is not None:
        attention = functional.fit_length(in_precision(attention), length)
        is_read = (places <= count) & (places < ops.expand_dims(max_length, 1))
        attention = ops.where(ops.expand_dims(is_read, -1), attention, 0.0)
    return Beginning(
        state,
        count,
        ops.where(is_given, given, PAD),
        lengths,
        _scores(log_probs[:, :-1], given[:, :count], is_given, limits.prompt, length),
        log_probs[:, -1],
        attention,
    )


def log_softmax(logits: Tensor) -> Tensor:
    """Log-probabilities in float32 or float64."""
    logits = in_precision(logits)
    logits = logits - ops.amax(logits, axis=-1, keepdims=True)
    return logits - ops.log(ops.sum(ops.exp(logits), axis=-1, keepdims=True))


def in_precision(tensor: Tensor) -> Tensor:
    """A tensor in float32 or float64."""
    return ops.cast(tensor, precise(tensor.dtype))


def _scores(log_probs, given, is_given, prompt, length):
    """The log-probabilities of given ids in sum; those of a prompt are certain."""
    chosen = ops.take_along_axis(log_probs, ops.expand_dims(given, -1), axis=-1)
    chosen = functional.fit_length(chosen[..., 0], length)
    if prompt is not None:
        is_certain = ops.not_equal(functional.fit_length(prompt, length), PAD)
        is_given = is_given & ops.logical_not(is_certain)
    return ops.sum(ops.where(is_given, chosen, 0.0), axis=1)
