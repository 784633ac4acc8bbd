"""What a model attends to while it writes given outputs."""

from typing import Any

from keras import ops

from keras_attention import functional
from keras_attention.decoding.beginning import in_precision
from keras_attention.decoding.hypotheses import Decoder
from keras_attention.special_ids import PAD, SpecialIds
from keras_attention.tensor import Tensor


def attend_to_outputs(model: Decoder, source: Any, ids: Tensor) -> Tensor | None:
    """What each id of given outputs attended to, in one pass over all of them.

    As a search writes it down step by step, at a fraction of the cost.

    Args:
        model: with attention.
        source: what it encodes.
        ids: `(batch, hypotheses, length)`, without the start id, padded with 0; of a
            number of hypotheses and a length that a graph knows.

    Returns:
        `(batch, hypotheses, length, source)`, float32 or float64, 0 after an end; or
        `None` of a model without attention.
    """
    _, count, length = ids.shape
    memory = model.encode(source)
    if count != 1:
        memory = functional.repeat_rows(memory, count)
    state = model.start(memory, length)
    written = ops.reshape(ids, (-1, length))
    start = ops.full_like(written[:, :1], SpecialIds.of(model).start)
    read = ops.concatenate([start, written[:, :-1]], axis=1)
    _, _, attention = model.step(read, state, 0)
    if attention is None:
        return None
    is_written = ops.expand_dims(ops.not_equal(written, PAD), -1)
    attention = ops.where(is_written, in_precision(attention), 0.0)
    return ops.reshape(attention, (-1, count, length, ops.shape(attention)[-1]))
