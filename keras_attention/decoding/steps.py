"""Steps of a search, until all that it writes has ended."""

from collections.abc import Callable
from typing import Any

from keras import ops

from keras_attention import functional
from keras_attention.tensor import Tensor

STAY = 4  # one source of so many is still open when the others leave
FEWEST = 64  # hypotheses from which on fewer of them take less time


def step_until_ended(
    step: Callable[..., tuple[Any, Any]],
    is_open: Callable[[Any], Tensor],
    state: Any,
    written: Any,
    given: Any,
    index: Tensor,
    room: int,
    departures: int = 0,
) -> Any:
    """What steps have written when all sources have ended, or there is no more room.

    A row that has ended costs as much as an open one while it stays in the batch. So
    the few sources that are still open may go on in a smaller batch; what they write is
    the same.

    Args:
        step: from a state, what was written, what was given and an index to a new state
            and what is written then. A source that has ended writes nothing more.
        is_open: from what was written to `(batch,)`, whether a source is still open.
        state: of the model; as of `functional.take_sources`, likewise the next two.
        written: before the first step.
        given: what steps read and do not change.
        index: number of ids before the first step.
        room: the most there may be.
        departures: how often those that have ended leave; not if the first axis of some
            tensor does not count sources or hypotheses.
    """
    batch = functional.size(is_open(written), 0)
    leaves = departures > 0 and functional.has_sources((state, written, given), batch)
    if isinstance(batch, int) and batch < STAY:  # of so few, none would go on
        leaves = False
    few = batch // STAY if leaves else 0

    def is_going_on(state, written, index):
        count = ops.sum(ops.cast(is_open(written), "int32"))
        return (count > few) & (index < room)

    def go_on(state, written, index):
        return *step(state, written, given, index), index + 1

    state, written, index = ops.while_loop(is_going_on, go_on, (state, written, index))
    if not leaves:
        return written
    has_ended = ops.cast(ops.logical_not(is_open(written)), "int32")
    staying = ops.argsort(has_ended, axis=0)[:few]
    state, own, given = (
        functional.take_sources(part, staying, batch)
        for part in (state, written, given)
    )
    own = step_until_ended(
        step, is_open, state, own, given, index, room, departures - 1
    )
    return functional.put_sources(written, staying, batch, own)


def count_departures(sources: int, width: int) -> int:
    """How often it pays that sources leave, of so many with hypotheses of each."""
    count = 0
    while sources * width >= FEWEST and sources >= STAY:
        sources //= STAY
        count += 1
    return count
