"""Greedy search."""

from typing import Any

import keras
from keras import ops

from keras_attention.decoding.hypotheses import Decoder, Hypotheses
from keras_attention.decoding.stepwise import StepwiseSearch
from keras_attention.decoding.top_k import top_k
from keras_attention.tensor import Tensor


@keras.saving.register_keras_serializable("keras_attention", name="Greedy")
class Greedy(StepwiseSearch):
    """Choose the most probable id at each step, until every row has ended.

    Args:
        max_length: the most ids of an output, its end id included.
        **options: of `Search`.

    Call arguments:
        model: a `Seq2Seq`, or anything with its `encode`, `start` and `step`.
        source: int ids `(batch, source)`, padded with 0.
        prefix: int ids `(batch, prefix)`, padded with 0, with which each output begins.

    Returns:
        `Hypotheses` of NumPy arrays, one a row; the score is the log-probability.

    Raises:
        ValueError: for an option or ids that are out of range.

    Example:
    >>> import numpy as np
    >>> from keras_attention.models import transformer
    >>> model = transformer(11, 13, num_layers=1, num_heads=2, embedding_dim=8)
    >>> hypotheses = Greedy(max_length=5)(model, np.array([[4, 5, 3]]))
    >>> hypotheses.ids.shape, hypotheses.attention.shape
    ((1, 1, 5), (1, 1, 5, 3))
    """

    def search(
        self,
        model: Decoder,
        source: Any,
        prefix: Tensor | None = None,
        given: int | None = None,
    ) -> Hypotheses:
        """The search itself, on tensors; as in `Search`."""
        return self.write(model, *self.begin(model, source, prefix, given))[0]

    def search_in_room(
        self, model: Decoder, source: Any, room: int, departures: int = 0
    ) -> tuple[Hypotheses, Tensor]:
        """The search with less room; as in `Search`."""
        beginning = self.begin_in_room(model, source, room)
        return self.write(model, *beginning, departures=departures)

    def choose(self, log_probs, chance, index):
        return self.choose_scored(log_probs, chance, index)[0]

    def choose_scored(self, log_probs, chance, index):
        scores, ids = top_k(log_probs, 1)
        return ops.cast(ids[:, 0], "int32"), scores[:, 0]
