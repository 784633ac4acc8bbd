"""What a search needs, and what it finds."""

from typing import Any, NamedTuple, Protocol

Tensor = Any


class Hypotheses(NamedTuple):
    """The outputs that a search found, best first.

    Attributes:
        ids: `(batch, hypotheses, length)`, without the start id, with the end id where
            one was written, 0 behind it.
        lengths: `(batch, hypotheses)`, in ids, the end id included.
        scores: `(batch, hypotheses)`, float32, by which they are ordered.
        attention: `(batch, hypotheses, length, source)`, float32, how much each id
            attended to each source position, zeros behind the end; or `None`.
    """

    ids: Tensor
    lengths: Tensor
    scores: Tensor
    attention: Tensor | None


class Steppable(Protocol):
    """A model that a search can drive; `keras_attention.models.Seq2Seq` is one.

    Where its memory is a dictionary with ids `"begin"`, `(batch, begin)`, padded with
    0, each output begins with them, with a probability of one, as those of a
    `LanguageModel` do.
    """

    def encode(self, source: Tensor) -> Any:
        """Source ids `(batch, source)` to a memory."""

    def start(self, memory: Any, max_length: int) -> dict[str, Any]:
        """A memory to a state `{"memory", "cache"}`, whose tensors count rows first."""

    def step(
        self, ids: Tensor, state: dict[str, Any], index: Any
    ) -> tuple[Tensor, dict[str, Any], Tensor | None]:
        """Ids `(rows,)` to logits, a new state and attention `(rows, source)`."""
