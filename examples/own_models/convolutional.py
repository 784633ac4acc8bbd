"""A model without recurrence: convolutions on both sides (Gehring et al. 2017).

    python examples/own_models/convolutional.py

A decoder's convolution sees its own position and the `width - 1` before it. So its
state is as many vectors a layer, and to read several ids in one pass takes the same
lines as to read one: the whole target, in training, is one step from the start.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops
from letters import parse, run_dates

from keras_attention.layers import Attention, PositionalEmbedding

HALF = 0.5**0.5  # keeps the variance of a sum of two


class GatedConvolution(keras.layers.Layer):
    """A convolution of which one half of the features gates the other."""

    def __init__(self, dim: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim, self.width = dim, width
        self.convolution = keras.layers.Conv1D(2 * dim, width)

    def call(self, inputs):
        """From `(rows, length + width - 1, dim)` to `(rows, length, dim)`."""
        return ops.glu(self.convolution(inputs), axis=-1)


class DecoderLayer(keras.layers.Layer):
    """A causal gated convolution, then an attention to the source."""

    def __init__(self, dim: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.convolution = GatedConvolution(dim, width)
        self.query_dense = keras.layers.Dense(dim)
        self.attention = Attention("dot")
        self.context_dense = keras.layers.Dense(dim)

    def call(self, inputs, past, embedded, memory):
        """Read the next positions.

        Args:
            inputs: `(rows, length, dim)`.
            past: `(rows, width - 1, dim)`, the inputs before these.
            embedded: the target's embeddings, shaped as `inputs`.
            memory: of the encoder.

        Returns:
            Outputs shaped as `inputs`, the next `past`, and the weights of the
            attention `(rows, length, source)`.
        """
        seen = ops.concatenate([past, inputs], axis=1)
        hidden = self.convolution(seen)
        context, weights = self.attention(
            (self.query_dense(hidden) + embedded) * HALF,
            memory["values"],
            key=memory["keys"],
            value_mask=memory["mask"],
            return_attention_scores=True,
        )
        hidden = (hidden + self.context_dense(context)) * HALF
        return (hidden + inputs) * HALF, seen[:, ops.shape(inputs)[1] :], weights


@keras.saving.register_keras_serializable("own_models")
class ConvolutionalModel(keras.Model):
    """From source ids and target ids to logits, and the steps of a search.

    Args:
        source_size: number of source ids.
        target_size: number of target ids.
        dim: width of all vectors.
        width: positions that a convolution sees, an odd number.
        num_layers: of the encoder, and of the decoder.
        max_length: the longest sequence on either side.
        **kwargs: of `keras.Model`.
    """

    start_id, end_id = 2, 3

    def __init__(
        self,
        source_size: int,
        target_size: int,
        dim: int = 64,
        width: int = 3,
        num_layers: int = 3,
        max_length: int = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_size, self.target_size = source_size, target_size
        self.dim, self.width, self.num_layers = dim, width, num_layers
        self.max_length = max_length
        self.source_embedding, self.target_embedding = (
            PositionalEmbedding(size, dim, max_length, "learned", mask_zero=False)
            for size in (source_size, target_size)
        )
        layers = range(num_layers)
        self.encoder_layers = [GatedConvolution(dim, width) for _ in layers]
        self.decoder_layers = [DecoderLayer(dim, width) for _ in layers]
        self.output_dense = keras.layers.Dense(target_size, dtype="float32")

    def call(self, inputs):
        state = self.start(self.encode(inputs["source"]), self.max_length)
        logits, _, _ = self.step(inputs["target"], state, 0)
        return logits

    def encode(self, source):
        """Keys and values `(batch, source, dim)`, and which of them are real."""
        mask = ops.not_equal(source, 0)
        is_real = ops.expand_dims(mask, -1)
        embedded = self.source_embedding(source)
        hidden, side = embedded, self.width // 2
        for layer in self.encoder_layers:
            # What pads a source must look like what pads the convolution.
            hidden = ops.where(is_real, hidden, 0.0)
            around = ops.pad(hidden, ((0, 0), (side, side), (0, 0)))
            hidden = (layer(around) + hidden) * HALF
        values = (hidden + embedded) * HALF
        return {"keys": hidden, "values": values, "mask": mask}

    def start(self, memory, max_length):
        """Zeros before the first position of each layer."""
        if max_length > self.max_length:
            raise ValueError(
                f"`max_length` must be at most {self.max_length}, the positions of the "
                f"model. Received: max_length={max_length}"
            )
        shape = (ops.shape(memory["mask"])[0], self.width - 1, self.dim)
        past = [ops.zeros(shape, self.compute_dtype) for _ in self.decoder_layers]
        return {"memory": memory, "past": past}

    def step(self, ids, state, index):
        """Logits after ids `(rows,)` or `(rows, length)`, of which `index` came before.

        The attention is the mean of all layers.
        """
        if len(ids.shape) == 1:
            logits, state, weights = self.step(ids[:, None], state, index)
            return logits[:, 0], state, weights[:, 0]
        embedded = self.target_embedding(ids, start_index=index)
        hidden, pasts, attended = embedded, [], []
        for layer, past in zip(self.decoder_layers, state["past"], strict=True):
            hidden, past, weights = layer(hidden, past, embedded, state["memory"])
            pasts.append(past)
            attended.append(weights)
        weights = sum(attended) / len(attended)
        return self.output_dense(hidden), {**state, "past": pasts}, weights

    def reorder(self, state, parents):
        """The state of rows that continue others: all of a source share its memory.

        Without this method every tensor would be gathered, with the same result.
        """
        past = [ops.take(part, parents, axis=0) for part in state["past"]]
        return {**state, "past": past}

    def get_config(self):
        return {
            **super().get_config(),
            "source_size": self.source_size,
            "target_size": self.target_size,
            "dim": self.dim,
            "width": self.width,
            "num_layers": self.num_layers,
            "max_length": self.max_length,
        }


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Train on dates; return the share that each search gets right."""
    options = parse(arguments, __doc__)
    return run_dates(lambda size: ConvolutionalModel(size, size, options.dim), options)


if __name__ == "__main__":
    main()
