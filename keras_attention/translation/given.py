"""What outputs of a source have to hold and to begin with, as a program takes it."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import keras
import numpy as np

from keras_attention.decoding.phrases import Forms, Phrases, Words, make_phrases
from keras_attention.special_ids import PAD

_PHRASES = (8, 4, 2)  # steps of what phrases are made of
_PREFIX = 8  # and of the ids of a prefix, so that there are few shapes


class Given(NamedTuple):
    """What the outputs of a source have to be like.

    Attributes:
        phrases: that they hold.
        prefix: ids that they begin with.
    """

    phrases: Sequence[Forms] = ()
    prefix: Sequence[int] = ()

    def __bool__(self) -> bool:
        return bool(self.phrases) or bool(self.prefix)


class GivenArrays(NamedTuple):
    """The same of a batch.

    Attributes:
        phrases: if there is a phrase.
        prefix: `(rows, length)`, padded with 0; if there is an id.
    """

    phrases: Phrases | None
    prefix: np.ndarray | None

    @classmethod
    def of(cls, given: Sequence[Given], rows: int) -> Self:
        """What is given for some rows, and nothing for others up to a number."""
        phrases, prefix = None, None
        if any(one.phrases for one in given):
            wanted = [one.phrases for one in given]
            phrases = make_phrases(wanted, _PHRASES, rows)
        if longest := max((len(one.prefix) for one in given), default=0):
            prefix = np.full((rows, -(-longest // _PREFIX) * _PREFIX), PAD, "int32")
            for row, one in zip(prefix, given, strict=False):
                row[: len(one.prefix)] = one.prefix
        return cls(phrases, prefix)

    @property
    def arrays(self) -> list[np.ndarray]:
        """What a program is called with."""
        prefix = [] if self.prefix is None else [self.prefix]
        return [*(self.phrases or ()), *prefix]

    @property
    def sizes(self) -> tuple[tuple[int, ...], ...]:
        """What shape a program has to know of each, beside the number of rows."""
        return tuple(array.shape[1:] for array in self.arrays)

    def ask(self, search: Any, tensors: Sequence[Any], words: Words | None) -> Any:
        """A search for such outputs, by what a program was called with."""
        # A graph does not know how long they are.
        known = [
            keras.ops.reshape(tensor, (-1, *size))
            for tensor, size in zip(tensors, self.sizes, strict=True)
        ]
        if self.prefix is not None:
            search = search.with_prefix(known.pop())
        if self.phrases is not None:
            search = search.with_phrases(Phrases(*known), words)
        return search
