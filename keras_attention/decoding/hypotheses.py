"""What a search needs, and what it finds."""

from typing import Any, NamedTuple, Protocol

from keras_attention.tensor import Tensor


class Hypotheses(NamedTuple):
    """The outputs that a search found, best first.

    Attributes:
        ids: `(batch, hypotheses, length)`, without the start id, with the end id where
            one was written, 0 after it.
        lengths: `(batch, hypotheses)`, in ids, the end id included.
        scores: `(batch, hypotheses)`, float32, by which they are ordered.
        attention: `(batch, hypotheses, length, source)`, float32, how much each id
            attended to each source position, zeros after the end; or `None`.
    """

    ids: Tensor
    lengths: Tensor
    scores: Tensor
    attention: Tensor | None


class Decoder(Protocol):
    """A model that a search can drive; `keras_attention.models.Seq2Seq` is one.

    A search looks at nothing in its memory and its state but the first axis, which
    counts sources, or rows, as many for each source. `start_id` and `end_id` are
    attributes of it; without them, they are 2 and 3. It may have more:

    - `reorder(state, parents)`, the state of rows that continue others, `parents
      (rows,)`, each from one of its own source; without it, every tensor is gathered.
    - `expand(state, count)`, the state of `count` hypotheses for each row, next to each
      other; without it, each row of every tensor is repeated.
    - `prompt(memory)`, ids `(rows, prompt)`, padded with 0, with which every output
      begins, with a probability of one.
    """

    def encode(self, source: Any) -> Any:
        """Read sources, such as ids `(batch, source)`, into a memory."""

    def start(self, memory: Any, max_length: int) -> Any:
        """The state before the first step, from which `max_length` ids are written."""

    def step(
        self, ids: Tensor, state: Any, index: int | Tensor
    ) -> tuple[Tensor, Any, Tensor | None]:
        """Read ids, of which `index` were read before, and score what may follow.

        Of ids `(rows,)`, logits `(rows, vocabulary)`, the new state, and attention
        `(rows, source)` or `None`; of ids `(rows, length)`, read in one pass, logits
        `(rows, length, vocabulary)` and attention `(rows, length, source)`. The
        vocabulary may be larger for one batch of sources than for another.
        """
