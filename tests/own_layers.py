"""Attentions and blocks of one's own, as users would write them, for the tests."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_attention import functional

Tensor = Any


@keras.saving.register_keras_serializable("keras_attention_tests")
class OwnAttention(keras.layers.Layer):
    """One head that compares by distance, with no steps of its own."""

    def __init__(self, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width
        self.query_dense = keras.layers.Dense(width)
        self.key_dense = keras.layers.Dense(width)

    def call(
        self,
        query,
        value,
        query_mask=None,
        value_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        use_causal_mask=False,
    ):
        queries = ops.expand_dims(self.query_dense(query), 2)
        keys = ops.expand_dims(self.key_dense(value), 1)
        scores = -ops.sum(ops.square(queries - keys), axis=-1)
        mask = functional.pairwise_mask(
            query_mask, value_mask, attention_mask=attention_mask
        )
        if use_causal_mask:
            lengths = ops.shape(query)[1], ops.shape(value)[1]
            mask = functional.combine_masks(mask, functional.causal_mask(*lengths))
        weights = functional.masked_softmax(scores, mask)
        output = ops.matmul(weights, value)
        return (output, weights) if return_attention_scores else output

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable("keras_attention_tests")
class Retention(keras.layers.Layer):
    """A block with a recurrent state in place of a past (Sun et al. 2023).

    `o_t = q_t (sum over s of decay^(t - s) k_s v_s^T)`, all at once or step by step.
    """

    def __init__(self, width: int, decay: float = 0.8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.width, self.decay = width, decay
        self.denses = [keras.layers.Dense(width) for _ in range(3)]
        self.from_memory = keras.layers.Dense(width)
        self.output_dense = keras.layers.Dense(width)
        self.normalization = keras.layers.LayerNormalization()

    def call(self, decoder_sequence, encoder_sequence=None, encoder_padding_mask=None):
        query, key, value = (dense(decoder_sequence) for dense in self.denses)
        length = ops.shape(decoder_sequence)[1]
        steps = ops.arange(length, dtype="int32")
        distance = ops.expand_dims(steps, 1) - steps
        powers = self.decay ** ops.cast(ops.maximum(distance, 0), query.dtype)
        powers = ops.where(distance >= 0, powers, 0.0)
        scores = ops.matmul(query, ops.swapaxes(key, 1, 2)) * powers
        output = ops.matmul(scores, value)
        if encoder_sequence is not None:
            output += ops.expand_dims(
                self._summary(encoder_sequence, encoder_padding_mask), 1
            )
        return decoder_sequence + self.output_dense(self.normalization(output))

    def start(self, memory, max_length):
        """Nothing retained yet, and what there is of a memory."""
        rows = functional.count_rows(memory)
        state = {"kept": ops.zeros((rows, self.width, self.width))}
        if "sequence" in memory:
            state["summary"] = self._summary(memory["sequence"], memory["mask"])
        return state

    def step(self, inputs, state, index):
        """One position after the other."""
        query, key, value = (dense(inputs) for dense in self.denses)

        def advance(parts, states):
            query, key, value = parts
            kept = self.decay * states[0] + key[:, :, None] * value[:, None]
            return ops.einsum("bi,bij->bj", query, kept), [kept]

        output, (kept,) = functional.run_recurrence(
            advance, (query, key, value), [state["kept"]]
        )
        if "summary" in state:
            output += ops.expand_dims(state["summary"], 1)
        output = self.output_dense(self.normalization(output))
        return inputs + output, {**state, "kept": kept}, None

    def _summary(self, sequence, mask):
        vectors = self.from_memory(sequence)
        real = ops.cast(ops.expand_dims(mask, -1), vectors.dtype)
        return ops.sum(vectors * real, axis=1) / ops.maximum(ops.sum(real, axis=1), 1)

    def get_config(self):
        return {**super().get_config(), "width": self.width, "decay": self.decay}


def best_by_enumeration(
    model: Any,
    source: np.ndarray,
    max_length: int,
    count: int,
    end: int = 3,
    vocabulary: int | None = None,
) -> list[list[tuple[list[int], float]]]:
    """For each row the most probable outputs, of all that there are.

    Probabilities are those of the whole model, called on every output at once.
    `vocabulary` is that of the model's output, or given where that has no shape.
    """
    start = getattr(model, "start_id", 2)
    vocabulary = vocabulary or model.output_shape[-1]
    allowed = [number for number in range(1, vocabulary) if number != start]
    outputs, begun = [], [[]]
    while begun:
        ids = begun.pop()
        for last in allowed:
            longer = [*ids, last]
            is_complete = last == end or len(longer) == max_length
            (outputs if is_complete else begun).append(longer)
    padded = np.zeros((len(outputs), max_length), "int32")
    for row, ids in enumerate(outputs):
        padded[row, : len(ids)] = ids
    target = np.concatenate([np.full((len(outputs), 1), start), padded[:, :-1]], axis=1)
    found = []
    for row in source:
        repeated = np.repeat(row[None], len(outputs), axis=0)
        inputs = np.where(target == end, 0, target)
        if not hasattr(model, "prompt"):  # as a language model has
            inputs = {"source": repeated, "target": inputs}
        logits = ops.convert_to_numpy(model.predict(inputs, batch_size=512, verbose=0))
        log_probs = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
        chosen = np.take_along_axis(log_probs, padded[..., None], axis=2)[..., 0]
        scores = (chosen * (padded != 0)).sum(axis=1)
        best = np.argsort(-scores)[:count]
        found.append([(outputs[index], float(scores[index])) for index in best])
    return found
