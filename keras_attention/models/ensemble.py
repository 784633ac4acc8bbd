"""Several models that decode as one."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_attention.layers.sublayers import (
    restore,
    serialize_shared,
)
from keras_attention.models.cloning import clones_as_itself
from keras_attention.models.embeddings import source_inputs
from keras_attention.models.output_rows import OutputRows
from keras_attention.models.seq2seq import Seq2Seq, score_in_one_pass
from keras_attention.special_ids import SpecialIds
from keras_attention.tensor import Tensor

State = list[Any]


@keras.saving.register_keras_serializable("keras_attention", name="Ensemble")
class Ensemble(keras.Model):
    """The mean of the probabilities of several models with one vocabulary.

    It has the calls of a `Seq2Seq`, so every search and `Translator` take it. Its
    logits are the logarithms of mean probabilities, and its attention is the mean of
    those models that have one. The models are trained before they are joined, each by
    itself.

    Args:
        models: `Seq2Seq` models with the same vocabularies.
        **kwargs: of `keras.Model`.

    Raises:
        ValueError: for no model, for something else, or for vocabularies that differ.

    Example:
    >>> from keras_attention.models import rnn_seq2seq, transformer
    >>> one = transformer(11, 13, num_layers=1, num_heads=2, embedding_dim=8)
    >>> other = rnn_seq2seq(11, 13, embedding_dim=8, units=8)
    >>> tuple(Ensemble([one, other]).output_shape)
    (None, None, 13)
    """

    @clones_as_itself
    def __init__(self, models: Sequence[Any], **kwargs: Any) -> None:
        models = [restore(model) for model in models]
        if not models or not all(isinstance(model, Seq2Seq) for model in models):
            raise ValueError(
                f"`models` must hold `Seq2Seq` models. Received: models={models!r}"
            )
        ends = [(model.source_embedding, model.target_embedding) for model in models]
        sizes = [
            (model.source_dim or source.vocabulary_size, target.vocabulary_size)
            for model, (source, target) in zip(models, ends, strict=True)
        ]
        if len(set(sizes)) > 1:
            raise ValueError(
                "`models` must have the same vocabularies. Received: sizes of source "
                f"and target {sizes}"
            )
        special = [SpecialIds.of(model) for model in models]
        if len(set(special)) > 1:
            raise ValueError(
                f"`models` must begin and end with the same ids. Received: {special}"
            )
        inputs = source_inputs(models[0].source_dim)
        inputs["target"] = keras.Input((None,), dtype="int32", name="target")
        super().__init__(inputs, _Mean(models, name="mean")(inputs), **kwargs)
        self.models = models
        self.source_dim = models[0].source_dim
        self.start_id, self.end_id = special[0]
        # By these names a `Translator` asks for the limits of a model.
        self.source_embedding, self.target_embedding = (
            min(side, key=lambda end: getattr(end, "max_length", None) or math.inf)
            for side in zip(*ends, strict=True)
        )

    def encode(self, source: Any) -> list[Any]:
        """What each model makes of the source."""
        return [model.encode(source) for model in self.models]

    def start(self, memory: list[Any], max_length: int) -> State:
        """The states of all decoders; as in `Seq2Seq`."""
        pairs = zip(self.models, memory, strict=True)
        return [model.start(own, max_length) for model, own in pairs]

    def step(
        self,
        ids: Tensor,
        state: State,
        index: int | Tensor,
        rows: list[OutputRows] | None = None,
    ) -> tuple[Tensor, State, Tensor | None]:
        """Read the next ids; as in `Seq2Seq`."""
        logits, states, attentions = [], [], []
        rows_of = [None] * len(self.models) if rows is None else rows
        for model, own, chosen in zip(self.models, state, rows_of, strict=True):
            found, own, attention = model.step(ids, own, index, chosen)
            logits.append(found)
            states.append(own)
            attentions += [] if attention is None else [attention]
        attention = sum(attentions) / len(attentions) if attentions else None
        return _mean(logits), states, attention

    def output_rows(self, ids: Tensor) -> list[OutputRows]:
        """What gives the logits of a few ids of each source; as in `Seq2Seq`."""
        return [model.output_rows(ids) for model in self.models]

    @property
    def has_output_rows(self) -> bool:
        """Whether `output_rows` can be asked for."""
        return all(model.has_output_rows for model in self.models)

    def expand(self, state: State, count: int) -> State:
        """The state of several hypotheses for each row; as in `Seq2Seq`."""
        pairs = zip(self.models, state, strict=True)
        return [model.expand(own, count) for model, own in pairs]

    def reorder(self, state: State, parents: Tensor) -> State:
        """The state of rows that continue others; as in `Seq2Seq`."""
        pairs = zip(self.models, state, strict=True)
        return [model.reorder(own, parents) for model, own in pairs]

    def log_probabilities(self, source: Any, labels: Tensor) -> Tensor:
        """Score given outputs, in one pass; as in `Seq2Seq`."""
        return score_in_one_pass(self, source, labels)

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "models": [serialize_shared(model) for model in self.models],
        }

    def parts_of_copy(self, copy_of: Any) -> dict[str, Any]:
        """The constructor's arguments for a copy, from the copies of layers."""
        return {"models": copy_of(self.layers[-1]).models}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        with keras.saving.custom_object_scope(custom_objects or {}):
            return cls(**config)


class _Mean(keras.layers.Layer):
    """The models as one layer, since two of them may have one name."""

    def __init__(self, models, **kwargs):
        super().__init__(**kwargs)
        self.models = [restore(model) for model in models]
        self.built = True

    @property
    def metrics(self):
        """None: those of the models in it are of their own trainings."""
        return []

    def call(self, inputs):
        return _mean([model(inputs) for model in self.models])

    def compute_output_spec(self, inputs):
        shape = *inputs["target"].shape, self.models[0].output_shape[-1]
        return keras.KerasTensor(shape, self.models[0].output.dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "models": [serialize_shared(model) for model in self.models],
        }


def _mean(logits):
    """Logarithms of the mean probabilities of several models."""
    log_probs = ops.stack([ops.log_softmax(part) for part in logits])
    return ops.logsumexp(log_probs, axis=0) - math.log(len(logits))
