"""The model that every builder returns."""

from functools import partial
from typing import Any

import keras
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    SEQUENCE,
    check_axes,
    check_positive,
    takes_numpy,
)
from keras_attention.layers.sublayers import restore, serialize_shared
from keras_attention.models.cloning import clones_as_itself
from keras_attention.models.embeddings import SourceVectors, source_inputs
from keras_attention.models.output_rows import (
    OutputRows,
    can_choose_rows,
    choose_rows,
)
from keras_attention.models.scheduled_sampling import ScheduledSampling, check_decoder
from keras_attention.precision import precise
from keras_attention.special_ids import END, PAD, START, SpecialIds
from keras_attention.tensor import Tensor

Memory = Any
State = Any


@keras.saving.register_keras_serializable("keras_attention", name="Seq2Seq")
class Seq2Seq(keras.Model):
    """A sequence in, a sequence out: embeddings, an encoder, a decoder, logits.

    A functional `keras.Model` with the inputs `{"source", "target"}`, int32 ids
    `(batch, length)` that 0 pads, where each target begins with the start id; and the
    output float32 logits `(batch, target, vocabulary)`, row `t` for the id that follows
    `target[:, t]`. It trains by `fit`, and decodes by `encode`, `start` and `step`,
    which are all that a search needs to know of it. A copy with weights of its own
    comes of `keras.models.clone_model(model)`.

    Args:
        source_embedding: `PositionalEmbedding` of the source; with a `source_dim`, any
            layer from vectors to as many vectors.
        encoder: layer called with vectors `(batch, source, dim)` and `padding_mask`,
            returning the memory, a nested structure of tensors.
        decoder: layer called with vectors `(batch, target, dim)` and the memory,
            returning hidden vectors `(batch, target, width)`. Its `start(memory,
            max_length)` returns a state, any nested structure of tensors, and its
            `step(vectors, state, index)`, for vectors `(rows, length, dim)`, hidden
            vectors `(rows, length, width)`, a state, and attention `(rows, length,
            source)` or `None`. `expand` and `reorder` as of a `DecoderStack`, where it
            has them, are used.
        target_embedding: of the target; that of the source when left out.
        output: layer from hidden vectors to logits; the transposed table of the target
            embedding when left out.
        scheduled_sampling: probability that the decoder is trained on the true last id,
            and not on one that it drew itself (Bengio et al. 2015): a number, or a
            schedule over the steps of training, such as
            `training.InverseSigmoidDecay` or one of `keras.optimizers.schedules`.
            Always the true one when left out, which trains much faster. Only an
            `RNNDecoder` can be trained so.
        start_id: the id with which each target begins.
        end_id: the id with which it ends.
        source_dim: width of the vectors of a source that is not made of ids, such as
            the patches of an image or the frames of a spectrogram. The model then has
            the inputs `{"source", "source_mask", "target"}`: vectors `(batch, source,
            source_dim)`, and boolean `(batch, source)`, `False` for padding.
        **kwargs: of `keras.Model`.

    Raises:
        ValueError: for ids that are not two of the target vocabulary, vectors without a
            target embedding, or scheduled sampling of a decoder that it cannot train.

    Example:
    >>> import numpy as np
    >>> from keras_attention.models import transformer
    >>> model = transformer(11, 13, num_layers=1, num_heads=2, embedding_dim=8)
    >>> source, target = np.array([[4, 5, 3]]), np.array([[2, 6]])
    >>> tuple(model({"source": source, "target": target}).shape)
    (1, 2, 13)
    >>> state = model.start(model.encode(source), max_length=5)
    >>> logits, state, attention = model.step(np.array([2]), state, 0)
    >>> tuple(logits.shape), tuple(attention.shape)
    ((1, 13), (1, 3))
    """

    @clones_as_itself
    @takes_numpy
    def __init__(
        self,
        source_embedding: keras.layers.Layer,
        encoder: keras.layers.Layer,
        decoder: keras.layers.Layer,
        target_embedding: keras.layers.Layer | None = None,
        output: keras.layers.Layer | None = None,
        scheduled_sampling: Any = None,
        start_id: int = START,
        end_id: int = END,
        source_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        source_embedding, encoder = restore(source_embedding), restore(encoder)
        target_embedding = restore(target_embedding)
        decoder, output = restore(decoder), restore(output)
        if source_dim is not None:
            check_positive(source_dim=source_dim)
            if target_embedding is None:
                raise ValueError(
                    "`target_embedding` is needed for a source of vectors, which have "
                    "no table to share. Received: target_embedding=None, "
                    f"source_dim={source_dim}"
                )
        target_embedding = target_embedding or source_embedding
        inputs, vectors = source_inputs(source_dim), None
        source, mask = inputs["source"], inputs.get("source_mask")
        if source_dim is not None:
            is_masked = all(
                layer.supports_masking for layer in source_embedding._flatten_layers()
            )
            vectors = SourceVectors(is_masked, name="source_vectors")
            source = vectors(source, mask)
        target = keras.Input((None,), dtype="int32", name="target")
        memory = _encode(source_embedding, encoder, source, mask)
        hidden = decoder(target_embedding(target), memory)
        logits = to_float32(compute_logits(target_embedding, output, hidden))
        super().__init__({**inputs, "target": target}, logits, **kwargs)
        self.source_dim = source_dim
        self._source_vectors: Any = vectors
        self.source_embedding = source_embedding
        self.encoder = encoder
        self.decoder = decoder
        self.target_embedding = target_embedding
        self.output_projection = output
        self.start_id, self.end_id = start_id, end_id
        SpecialIds.of(self).check(logits.shape[-1])
        self.scheduled_sampling = restore(scheduled_sampling)
        if self.scheduled_sampling is not None:
            check_decoder(decoder)
            self._sampling = ScheduledSampling(self.scheduled_sampling)

    def call(self, inputs, training=None, mask=None):
        if not training or self.scheduled_sampling is None:
            return super().call(inputs, training=training, mask=mask)
        if not isinstance(inputs, dict):
            inputs = dict(zip(self.input, inputs, strict=True))
        source, target = {**inputs}, inputs["target"]
        del source["target"]
        memory, length = self.encode(source), ops.shape(target)[1]
        state = self.decoder.start(memory, length, training=True)
        logits = self._sampling.read(partial(self._step, training=True), state, target)
        return functional.with_mask(logits, self.target_embedding.compute_mask(target))

    def encode(self, source: Any) -> Memory:
        """Read a source into a memory.

        Args:
            source: ids `(batch, source)`; or, with a `source_dim`, a dictionary of
                vectors `source (batch, source, source_dim)` and boolean `source_mask
                (batch, source)`. Without a mask, or as a tensor by itself, all of it
                counts.
        """
        parts = source if isinstance(source, dict) else {"source": source}
        source = ops.convert_to_tensor(parts["source"])
        if self.source_dim is None:
            check_axes("batch, source", source=source.shape)
            return _encode(self.source_embedding, self.encoder, source)
        check_axes(SEQUENCE, source=source.shape)
        if source.shape[-1] != self.source_dim:
            raise ValueError(
                f"`source` must hold vectors {self.source_dim} wide. "
                f"Received: source.shape={tuple(source.shape)}"
            )
        mask = functional.position_mask(source, source_mask=parts.get("source_mask"))
        if mask is None:
            mask = ops.ones_like(source[..., 0], dtype="bool")
        vectors = self._source_vectors(source, mask)
        return _encode(self.source_embedding, self.encoder, vectors, mask)

    def start(self, memory: Memory, max_length: int) -> State:
        """The state of a decoder that has written nothing yet.

        Args:
            memory: of `encode`.
            max_length: the most ids that will be written.

        Returns:
            The decoder's state.

        Raises:
            ValueError: when the target embedding has fewer positions.
        """
        check_max_length(self.target_embedding, max_length)
        return self.decoder.start(memory, max_length)

    def step(
        self,
        ids: Tensor,
        state: State,
        index: int | Tensor,
        rows: OutputRows | None = None,
    ) -> tuple[Tensor, State, Tensor | None]:
        """Read the next ids and score what may follow.

        Args:
            ids: `(rows,)`, the start id first, then the id chosen last; or `(rows,
                length)`, several in one pass.
            state: of `start`, of the last step, or of `expand` or `reorder`.
            index: number of ids read before, an integer or a scalar tensor.
            rows: of `output_rows`, for logits of these ids alone.

        Returns:
            float32 logits `(rows, vocabulary)`, the new state, and how much each source
            position was attended to, `(rows, source)`, or `None` without attention; for
            several ids, logits `(rows, length, vocabulary)` and attention `(rows,
            length, source)`.
        """
        return self._step(ids, state, index, rows)

    def output_rows(self, ids: Tensor) -> OutputRows:
        """What gives the logits of a few ids of each source, for `step`.

        Args:
            ids: `(sources, count)`, different ones, padded with 0.
        """
        return choose_rows(self.target_embedding, self.output_projection, ids)

    @property
    def has_output_rows(self) -> bool:
        """Whether `output_rows` can be asked for: not of an output of one's own."""
        return can_choose_rows(self.target_embedding, self.output_projection)

    def expand(self, state: State, count: int) -> State:
        """The state of `count` hypotheses for each row, next to each other."""
        return functional.expand_state(self.decoder, state, count)

    def reorder(self, state: State, parents: Tensor) -> State:
        """The state of rows that continue others.

        Args:
            state: of a step.
            parents: `(rows,)`, the row that each continues, of its own source.
        """
        return functional.reorder_state(self.decoder, state, parents)

    def log_probabilities(self, source: Any, labels: Tensor) -> Tensor:
        """Score given outputs, in one pass.

        Args:
            source: as in `encode`.
            labels: ids `(batch, target)`, with their end ids, padded with 0.

        Returns:
            The log-probability of each id, float32 `(batch, target)`; 0 for padding.
        """
        return score_in_one_pass(self, source, labels)

    def _step(self, ids, state, index, rows=None, **options):
        ids, is_one = as_columns(ids)
        vectors = self.target_embedding(ids, start_index=index)
        hidden, state, attention = self.decoder.step(vectors, state, index, **options)
        ends = self.target_embedding, self.output_projection
        logits = compute_logits(*ends, hidden) if rows is None else rows.logits(hidden)
        logits = ops.cast(logits, precise(logits.dtype))
        if attention is not None:
            attention = ops.cast(attention, precise(attention.dtype))
        if not is_one:
            return logits, state, attention
        return logits[:, 0], state, None if attention is None else attention[:, 0]

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "start_id": self.start_id,
            "end_id": self.end_id,
            "source_dim": self.source_dim,
            "scheduled_sampling": keras.saving.serialize_keras_object(
                self.scheduled_sampling
            ),
            **{name: serialize_shared(part) for name, part in self._parts().items()},
        }

    def parts_of_copy(self, copy_of: Any) -> dict[str, Any]:
        """The constructor's arguments for a copy, from the copies of layers."""
        parts = {
            name: None if part is None else copy_of(part)
            for name, part in self._parts().items()
        }
        return {
            **parts,
            "scheduled_sampling": self.scheduled_sampling,
            "start_id": self.start_id,
            "end_id": self.end_id,
            "source_dim": self.source_dim,
        }

    def _parts(self):
        shared = self.target_embedding is self.source_embedding
        return {
            "source_embedding": self.source_embedding,
            "encoder": self.encoder,
            "decoder": self.decoder,
            "target_embedding": None if shared else self.target_embedding,
            "output": self.output_projection,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        with keras.saving.custom_object_scope(custom_objects or {}):
            return cls(**config)


def as_columns(ids: Tensor) -> tuple[Tensor, bool]:
    """Ids `(rows,)` as those of one position, `(rows, 1)`, and whether they are such.

    Raises:
        ValueError: for ids that are neither `(rows,)` nor `(rows, length)`.
    """
    ids = ops.convert_to_tensor(ids)
    if len(ids.shape) == 1:
        return ops.expand_dims(ids, 1), True
    check_axes("rows, length", ids=ids.shape)
    return ids, False


def check_max_length(embedding: Any, max_length: int) -> None:
    """Raise for more ids than an embedding has positions, if that has a limit."""
    limit = getattr(embedding, "max_length", None)
    if limit is not None and max_length > limit:
        raise ValueError(
            "`max_length` must not exceed the positions of the model. "
            f"Received: max_length={max_length}, model with max_length={limit}"
        )


def _encode(embedding, encoder, source, mask=None):
    if mask is None:
        mask = embedding.compute_mask(source)
    if mask is None:  # for this embedding no id is padding
        mask = ops.ones_like(source, dtype="bool")
    vectors = embedding(source)
    lengths = source.shape[1], vectors.shape[1]
    if None not in lengths and lengths[0] != lengths[1]:
        raise ValueError(
            "`source_embedding` must give a vector for each position of the source; "
            "what shortens it belongs in the encoder. Received: source.shape="
            f"{tuple(source.shape)}, embedded.shape={tuple(vectors.shape)}"
        )
    return encoder(vectors, padding_mask=mask)


def compute_logits(
    embedding: keras.layers.Layer, output: keras.layers.Layer | None, hidden: Tensor
) -> Tensor:
    """Logits of hidden vectors, by a layer or else by the table of an embedding."""
    return embedding.logits(hidden) if output is None else output(hidden)


def score_in_one_pass(model: Any, source: Any, labels: Tensor) -> Tensor:
    """Log-probability `(batch, target)` of each label; 0 for padding."""
    labels = ops.cast(ops.convert_to_tensor(labels), "int32")
    check_axes("batch, length", labels=labels.shape)
    inputs = source if isinstance(source, dict) else {"source": source}
    inputs = keras.tree.map_structure(ops.convert_to_tensor, inputs)
    if model.source_dim is not None and "source_mask" not in inputs:
        inputs["source_mask"] = ops.ones_like(inputs["source"][..., 0], dtype="bool")
    target = shift_right(labels, SpecialIds.of(model))
    return pick_log_probabilities(model({**inputs, "target": target}), labels)


def shift_right(labels: Tensor, special: SpecialIds) -> Tensor:
    """What a decoder has read when it writes labels: the start, then the one before."""
    start = ops.where(ops.equal(labels[:, :1], PAD), PAD, special.start)
    shifted = ops.concatenate([start, labels[:, :-1]], axis=1)
    return ops.where(ops.equal(shifted, special.end), PAD, shifted)


def pick_log_probabilities(logits: Tensor, labels: Tensor) -> Tensor:
    """Log-probability `(batch, length)` of each label; 0 for padding."""
    chosen = ops.take_along_axis(logits, ops.expand_dims(labels, -1), axis=-1)
    log_probs = chosen[..., 0] - ops.logsumexp(logits, axis=-1)
    return ops.where(ops.equal(labels, PAD), 0.0, log_probs)


def to_float32(logits: Tensor) -> Tensor:
    """Symbolic logits in float32 or float64, with their mask."""
    if logits.dtype == precise(logits.dtype):
        return logits
    # Unlike a cast, a layer passes the mask on.
    return keras.layers.Identity(dtype="float32", name="float32")(logits)
