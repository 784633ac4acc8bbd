"""A model that writes only ids of a short list for each source."""

import math
from typing import Any, NamedTuple

from keras import ops

from keras_attention import functional
from keras_attention.tensor import Tensor


class _State(NamedTuple):
    """The state of a model, and what its sources may ask for."""

    own: Any
    listed: Tensor
    rows: Any


class ShortListed:
    """A model as searches drive it, with a vocabulary of its own for each source.

    What its steps read and score are places in the list of a source, where a few stand
    for the same in all lists; `to_ids` turns them into ids. Probabilities are over the
    list. The logits of a large vocabulary are most of a step of a small model, and
    which words a translation may need is known before it begins (L'Hostis et al. 2016).

    Args:
        model: a `Seq2Seq` or an `Ensemble`.
        listed: ids `(sources, count)`, all different: padding, the start and the end
            of the model, others, then padding again.
    """

    start_id, end_id = 1, 2

    def __init__(self, model: Any, listed: Tensor) -> None:
        self._model = model
        self._listed = listed
        self.output = model.output

    def encode(self, source: Any) -> Any:
        """Read the sources."""
        return self._model.encode(source)

    def start(self, memory: Any, max_length: int) -> _State:
        """The state before the first step."""
        own = self._model.start(memory, max_length)
        return _State(own, self._listed, self._model.output_rows(self._listed))

    def step(
        self, ids: Tensor, state: _State, index: int | Tensor
    ) -> tuple[Tensor, _State, Tensor | None]:
        """Read places, and score what may follow; as of a `Seq2Seq`."""
        read = _look_up(state.listed, ids)
        logits, own, attention = self._model.step(read, state.own, index, state.rows)
        return logits, state._replace(own=own), attention

    def expand(self, state: _State, count: int) -> _State:
        """The state of several hypotheses for each row, which share a list."""
        return state._replace(own=self._model.expand(state.own, count))

    def reorder(self, state: _State, parents: Tensor) -> _State:
        """The state of rows that continue others of their source."""
        return state._replace(own=self._model.reorder(state.own, parents))

    def to_ids(self, places: Tensor) -> Tensor:
        """The ids `(sources, ...)` at places that a search has found."""
        return _look_up(self._listed, places)


def _look_up(listed: Tensor, places: Tensor) -> Tensor:
    """The ids at places `(sources or rows, ...)` of the lists of their sources."""
    shape = [functional.size(places, axis) for axis in range(len(places.shape))]
    sources = functional.size(listed, 0)
    # Of no source, one: Keras takes nothing along an axis of nothing.
    count = functional.at_least_one(math.prod(shape))
    together = count // functional.at_least_one(sources)
    by_source = ops.reshape(places, (sources, together))
    return ops.reshape(ops.take_along_axis(listed, by_source, axis=1), shape)
