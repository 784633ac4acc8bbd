"""The protocol of a decoder's blocks."""

from typing import Any, Protocol

from keras_attention.tensor import Tensor


class DecoderBlock(Protocol):
    """A Keras layer that can be one of the blocks of a `DecoderStack`.

    `TransformerDecoder` is one. Called on whole sequences it trains; by `start` and
    `step` it decodes, and then gives what the call gives for the same positions. It may
    also have the `expand` and the `reorder` of a `TransformerDecoder`, where it knows a
    faster way than to gather every tensor of its state.
    """

    def __call__(
        self,
        decoder_sequence: Tensor,
        encoder_sequence: Tensor | None = None,
        *,
        encoder_padding_mask: Tensor | None = None,
    ) -> Tensor:
        """From `(batch, target, dim)` to the same, each position by those up to it.

        With a memory, `encoder_sequence` is `(batch, source, dim)`, and its mask is
        boolean `(batch, source)`.
        """

    def start(self, memory: Any, max_length: int) -> Any:
        """The state before the first step: any nested structure of tensors by rows.

        Args:
            memory: `{"sequence": (rows, source, dim), "mask": (rows, source)}`; of a
                language model, anything with as many rows.
            max_length: the most positions that steps read.
        """

    def step(
        self, inputs: Tensor, state: Any, index: int | Tensor
    ) -> tuple[Tensor, Any, Tensor | None]:
        """Read the next positions, one or several, `(rows, length, dim)`.

        Returns:
            Outputs, the new state, and how much the memory was attended to, `(rows,
            length, source)` or by heads `(rows, heads, length, source)`; or `None`.
        """
