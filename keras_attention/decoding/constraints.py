"""What an output may not contain, as changes of log-probabilities."""

from typing import NamedTuple

import numpy as np
from keras import ops

from keras_attention.argument_checks import check_count, check_positive_number
from keras_attention.special_ids import PAD, SpecialIds
from keras_attention.tensor import Tensor


class Constraints(NamedTuple):
    """Rules that every step of a search keeps to.

    Attributes:
        no_repeat_ngram_size: length of the runs of ids that no output holds twice; 0
            allows all.
        repetition_penalty: what the log-probability of an id is multiplied by that the
            output holds already (Keskar et al. 2019); 1 changes nothing.
        suppressed_ids: ids that are never written.
        renormalize: whether the probabilities of what is left sum to one.
    """

    no_repeat_ngram_size: int
    repetition_penalty: float
    suppressed_ids: tuple[int, ...]
    renormalize: bool = False

    def check(self) -> None:
        """Raise for a rule that no output can keep."""
        check_count(no_repeat_ngram_size=self.no_repeat_ngram_size)
        check_positive_number(repetition_penalty=self.repetition_penalty)
        for number in self.suppressed_ids:
            check_count(suppressed_ids=number)

    def check_end(self, end: int) -> None:
        """Raise where no output of a model could end, by its id `end`."""
        if end in self.suppressed_ids:
            raise ValueError(
                f"`suppressed_ids` must not hold {end}, the end of every output. "
                f"Received: suppressed_ids={self.suppressed_ids}"
            )

    def apply(
        self,
        log_probs: Tensor,
        ids: Tensor,
        index: int | Tensor,
        special: SpecialIds,
        min_length: Tensor | None = None,
        forced: Tensor | None = None,
    ) -> Tensor:
        """Make impossible what a rule forbids.

        Args:
            log_probs: `(rows, vocabulary)`, of what may follow.
            ids: `(rows, length)`, what was written, then anything.
            index: how many ids were written.
            special: the ids of the model.
            min_length: `(rows,)`, the fewest ids of an output, its end included.
            forced: `(rows,)`, the id that must follow whatever the rules, or 0.
        """
        given, size = log_probs, log_probs.shape[-1]
        vocabulary = ops.arange(ops.shape(log_probs)[-1], dtype="int32")
        if self.repetition_penalty != 1:
            log_probs = _penalize(log_probs, ids, index, self.repetition_penalty)
        if size is not None and max(self.suppressed_ids, default=0) >= size:
            raise ValueError(
                f"`suppressed_ids` must be below {size}, the number of the model's "
                f"ids. Received: suppressed_ids={self.suppressed_ids}"
            )
        never = [PAD, special.start, *self.suppressed_ids]
        forbidden = np.zeros((1, max(size or 0, max(never) + 2)), "bool")
        forbidden[0, never] = True
        if size is None:
            # The last entry is for all ids above these.
            places = ops.minimum(vocabulary, max(never) + 1)
            forbidden = ops.take(ops.convert_to_tensor(forbidden), places, axis=1)
        else:
            forbidden = ops.convert_to_tensor(forbidden[:, :size])
        if min_length is not None:
            is_early = ops.expand_dims(index + 1 < min_length, 1)
            forbidden = forbidden | (is_early & ops.equal(vocabulary, special.end))
        log_probs = ops.where(forbidden, -np.inf, log_probs)
        if self.no_repeat_ngram_size:
            log_probs = _forbid_ngrams(log_probs, ids, index, self.no_repeat_ngram_size)
        if self.renormalize:
            total = ops.logsumexp(log_probs, axis=-1, keepdims=True)
            # Where nothing is left, nothing sums to one.
            log_probs = log_probs - ops.where(ops.isinf(total), 0.0, total)
        if forced is not None:
            forced = ops.expand_dims(forced, 1)
            alone = ops.where(ops.equal(vocabulary, forced), given, -np.inf)
            log_probs = ops.where(ops.equal(forced, PAD), log_probs, alone)
        return log_probs


def _penalize(log_probs, ids, index, penalty):
    """Multiply the log-probabilities of the ids written before."""
    is_written = ops.arange(ids.shape[1], dtype="int32") < index
    ids = ops.where(is_written, ids, PAD)
    penalized = ops.take_along_axis(log_probs, ids, axis=1) * penalty
    return _put(log_probs, ids, penalized)


def _forbid_ngrams(log_probs, ids, index, size):
    """Forbid each id that would end a run of ids written before."""
    before, length = size - 1, ids.shape[1]
    starts = length - before
    if starts <= 0:
        return log_probs
    repeats = ops.arange(starts, dtype="int32") + before < index
    for offset in range(before):
        place = ops.maximum(index - before + offset, 0)
        last = ops.take(ids, ops.reshape(place, (1,)), axis=1)
        repeats = repeats & ops.equal(ids[:, offset : offset + starts], last)
    # Padding is impossible already.
    followers = ops.where(repeats, ids[:, before:], PAD)
    nothing = ops.full_like(ops.cast(followers, log_probs.dtype), -np.inf)
    return _put(log_probs, followers, nothing)


def _put(log_probs, ids, values):
    """Replace the entries of some ids in each row."""
    rows = ops.broadcast_to(
        ops.expand_dims(ops.arange(ops.shape(ids)[0], dtype="int32"), 1), ops.shape(ids)
    )
    places = ops.reshape(ops.stack([rows, ids], axis=-1), (-1, 2))
    return ops.scatter_update(log_probs, places, ops.reshape(values, (-1,)))
