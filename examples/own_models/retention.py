"""Retention in place of a decoder's attention to itself (Sun et al. 2023).

    python examples/own_models/retention.py

`TransformerDecoder` takes any layer as its `self_attention`. This one keeps a sum of
what it has read, which fades, in place of all keys and values: its state does not grow
with the output. All positions at once in training, one after the other in a search, and
a block of several, after a prefix, are one formula.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops
from letters import parse, run_dates

from keras_attention import functional
from keras_attention.layers import (
    PositionalEmbedding,
    RotaryEmbedding,
    TransformerDecoder,
    TransformerEncoder,
)
from keras_attention.models import DecoderStack, EncoderStack, Seq2Seq


def retain(query, key, value, kept, log_decays):
    """What positions retain of each other and of what came before them.

    With a decay `d`, position `t` reads of all positions `s` up to it

        sum of d^(t - s) (q_t . k_s) v_s  =  q_t S_t,  S_t = d S_(t - 1) + k_t v_t.

    Args:
        query: of the next positions, `(rows, heads, length, dim)`.
        key: likewise.
        value: likewise.
        kept: `S` before them, `(rows, heads, dim, dim)`.
        log_decays: logarithm of each head's decay.

    Returns:
        What they read, shaped as `query`, and `S` after them.
    """
    length = ops.shape(query)[2]
    steps = ops.arange(length, dtype="int32")
    decays = ops.reshape(ops.convert_to_tensor(log_decays, query.dtype), (-1, 1, 1))

    def fade(positions):
        """What is left after so many positions, `(heads, ...)`."""
        return ops.exp(decays * ops.cast(positions, query.dtype))

    distance = ops.expand_dims(steps, 1) - steps
    near = ops.where(distance >= 0, fade(ops.maximum(distance, 0)), 0.0)
    scores = ops.matmul(query, ops.swapaxes(key, 2, 3)) * near
    before = ops.matmul(query, kept) * fade(ops.expand_dims(steps + 1, 1))
    key = key * fade(ops.expand_dims(length - 1 - steps, 1))
    kept = kept * fade(length) + ops.matmul(ops.swapaxes(key, 2, 3), value)
    return ops.matmul(scores, value) + before, kept


@keras.saving.register_keras_serializable("own_models")
class Retention(keras.layers.Layer):
    """Multi-scale retention, to be the self-attention of a decoder.

    Args:
        num_heads: number of heads, each of which forgets half as fast as the last.
        head_dim: width of one, an even number.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, num_heads: int, head_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_heads, self.head_dim = num_heads, head_dim
        width = num_heads * head_dim
        self.denses = [keras.layers.Dense(width, use_bias=False) for _ in range(3)]
        self.rotation = RotaryEmbedding(sequence_axis=2)
        self.normalization = keras.layers.LayerNormalization(center=False, scale=False)
        self.gate_dense = keras.layers.Dense(width, activation="silu")
        self.log_decays = [math.log1p(-(2.0 ** (-5 - n))) for n in range(num_heads)]

    def build(self, query_shape, value_shape):
        self.output_dense = keras.layers.Dense(query_shape[-1])

    def call(self, query, value, use_causal_mask, query_mask=None, value_mask=None):
        """A whole sequence over itself, each position by those up to it.

        Nothing real comes after padding, so it needs no masks.
        """
        return self.step(query, self.start(query), 0)[0]

    def start(self, memory, max_length=None):
        """Nothing kept yet, `(rows, heads, dim, dim)`."""
        shape = (ops.shape(memory)[0], self.num_heads, self.head_dim, self.head_dim)
        return ops.zeros(shape, self.compute_dtype)

    def step(self, inputs, kept, index):
        """Read the next positions `(rows, length, dim)`, `index` having been read."""
        query, key, value = (
            functional.split_heads(dense(inputs), self.num_heads)
            for dense in self.denses
        )
        query = self.rotation(query, start_index=index) * self.head_dim**-0.5
        key = self.rotation(key, start_index=index)
        output, kept = retain(query, key, value, kept, self.log_decays)
        output = functional.merge_heads(self.normalization(output))
        return self.output_dense(self.gate_dense(inputs) * output), kept, None

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "head_dim": self.head_dim,
        }


def build(size: int, dim: int, num_heads: int = 2, num_layers: int = 2) -> Seq2Seq:
    """A Transformer whose decoder retains, for ids below `size` on both sides."""
    options = {
        "intermediate_dim": 2 * dim,
        "num_heads": num_heads,
        "normalize_first": True,
    }
    blocks = range(num_layers)
    encoder = EncoderStack([TransformerEncoder(**options) for _ in blocks])
    decoder = DecoderStack(
        [
            TransformerDecoder(
                **options, self_attention=Retention(num_heads, dim // num_heads)
            )
            for _ in blocks
        ]
    )
    # The rotations inside say which position comes first.
    target_embedding = PositionalEmbedding(size, dim, positions=None)
    return Seq2Seq(PositionalEmbedding(size, dim), encoder, decoder, target_embedding)


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Train on dates; return the share that each search gets right."""
    options = parse(arguments, __doc__)
    return run_dates(lambda size: build(size, options.dim), options)


if __name__ == "__main__":
    main()
