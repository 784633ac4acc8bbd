"""Keras's own GRU and additive attention as a decoder.

    python examples/own_models/plain_gru.py

Nothing here is of this package but the search, the loss and the optimizer: what has an
`encode`, a `start` and a `step` can be searched.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops
from letters import parse, run_dates


@keras.saving.register_keras_serializable("own_models")
class GRUModel(keras.Model):
    """From source ids and target ids to logits, and the steps of a search.

    A GRU reads the target, and what it says at each position attends to the source, by
    the score of Bahdanau et al. (2015) in the order of Luong et al. (2015).

    Args:
        source_size: number of source ids.
        target_size: number of target ids.
        dim: width of all vectors.
        **kwargs: of `keras.Model`.
    """

    start_id, end_id = 2, 3

    def __init__(
        self, source_size: int, target_size: int, dim: int = 64, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.source_size, self.target_size, self.dim = source_size, target_size, dim
        self.source_embedding = layers.Embedding(source_size, dim)
        self.encoder = layers.Bidirectional(
            layers.GRU(dim, return_sequences=True, return_state=True)
        )
        self.bridge = layers.Dense(dim, activation="tanh")
        self.key_dense = layers.Dense(dim)
        self.target_embedding = layers.Embedding(target_size, dim)
        self.decoder = layers.GRU(dim, return_sequences=True, return_state=True)
        self.query_dense = layers.Dense(dim, use_bias=False)
        self.attention = layers.AdditiveAttention()
        self.readout = layers.Dense(dim, activation="tanh")
        self.output_dense = layers.Dense(target_size, dtype="float32")

    def call(self, inputs):
        target = inputs["target"]
        state = self.start(self.encode(inputs["source"]), ops.shape(target)[1])
        logits, _, _ = self.step(target, state, 0)
        return logits

    def encode(self, source):
        """Keys and values by source position, which are real, and the first state."""
        mask = ops.not_equal(source, 0)
        values, *ends = self.encoder(self.source_embedding(source), mask=mask)
        return {
            "keys": self.key_dense(values),
            "values": values,
            "mask": mask,
            "first": self.bridge(ops.concatenate(ends, axis=-1)),
        }

    def start(self, memory, max_length):
        """The memory, and the state of the GRU."""
        return {"memory": memory, "hidden": memory["first"]}

    def step(self, ids, state, index):
        """Logits after ids `(rows,)` or `(rows, length)`, and attention."""
        if len(ids.shape) == 1:
            logits, state, weights = self.step(ids[:, None], state, index)
            return logits[:, 0], state, weights[:, 0]
        memory = state["memory"]
        outputs, hidden = self.decoder(
            self.target_embedding(ids), initial_state=state["hidden"]
        )
        context, weights = self.attention(
            [self.query_dense(outputs), memory["values"], memory["keys"]],
            mask=[None, memory["mask"]],
            return_attention_scores=True,
        )
        read = self.readout(ops.concatenate([outputs, context], axis=-1))
        return self.output_dense(read), {"memory": memory, "hidden": hidden}, weights

    def get_config(self):
        return {
            **super().get_config(),
            "source_size": self.source_size,
            "target_size": self.target_size,
            "dim": self.dim,
        }


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Train on dates; return the share that each search gets right."""
    options = parse(arguments, __doc__)
    return run_dates(lambda size: GRUModel(size, size, options.dim), options)


if __name__ == "__main__":
    main()
