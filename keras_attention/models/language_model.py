"""Models that continue a text."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_attention import functional
from keras_attention.argument_checks import (
    check_axes,
    check_choice,
    check_divides,
    check_positive,
    takes_numpy,
)
from keras_attention.layers import (
    CellRNN,
    PositionalEmbedding,
    RecurrentCell,
    StackedCells,
    TransformerDecoder,
)
from keras_attention.layers.positions.positional_embedding import POSITIONS
from keras_attention.layers.recurrent.recurrent_cell import CELLS
from keras_attention.layers.sublayers import restore, serialize_shared
from keras_attention.models.cloning import clones_as_itself
from keras_attention.models.rnn_encoder_decoder import RNNDecoder
from keras_attention.models.seq2seq import (
    State,
    as_columns,
    check_max_length,
    compute_logits,
    pick_log_probabilities,
    shift_right,
    to_float32,
)
from keras_attention.models.transformer import (
    ATTENTION_POSITIONS,
    DecoderStack,
    build_blocks,
)
from keras_attention.precision import precise
from keras_attention.special_ids import END, PAD, START, SpecialIds
from keras_attention.tensor import Tensor

ARCHITECTURES = ("rnn", "transformer")
_IMPOSSIBLE = float(np.finfo("float32").min)


@keras.saving.register_keras_serializable("keras_attention", name="LanguageModel")
class LanguageModel(keras.Model):
    """Scores what may follow each prefix of a text: an embedding, a decoder, logits.

    A functional `keras.Model` from int32 ids `(batch, length)`, which begin with the
    start id and which 0 pads, to float32 logits `(batch, length, vocabulary)`, row `t`
    for the id that follows `ids[:, t]`.

    It has the `encode`, `start` and `step` of a `Seq2Seq`, so every search and
    `Translator` take it. What is encoded is the beginning of the text: the ids of the
    source up to its end id, the prompt. A search writes them first, with a probability
    of one, and then continues.

    Args:
        embedding: `PositionalEmbedding`.
        decoder: layer called with vectors `(batch, length, dim)`, with `start` and
            `step` as in `Seq2Seq`.
        output: layer from hidden vectors to logits; the transposed table of the
            embedding when left out.
        start_id: the id with which each text begins.
        end_id: the id with which it ends.
        **kwargs: of `keras.Model`.

    Example:
    >>> from keras_attention.decoding import Greedy
    >>> from keras_attention.models import language_model
    >>> model = language_model(11, "rnn", embedding_dim=8, units=8)
    >>> found = Greedy(max_length=5)(model, np.array([[7, 9, 3]]))
    >>> found.ids[0, 0, :2].tolist()
    [7, 9]
    """

    @clones_as_itself
    def __init__(
        self,
        embedding: keras.layers.Layer,
        decoder: keras.layers.Layer,
        output: keras.layers.Layer | None = None,
        start_id: int = START,
        end_id: int = END,
        **kwargs: Any,
    ) -> None:
        embedding, decoder = restore(embedding), restore(decoder)
        output = restore(output)
        ids = keras.Input((None,), dtype="int32", name="ids")
        logits = compute_logits(embedding, output, decoder(embedding(ids)))
        super().__init__(ids, to_float32(logits), **kwargs)
        # By these names a `Translator` asks for the limits of a model.
        self.source_embedding = self.target_embedding = embedding
        self.decoder = decoder
        self.output_projection = output
        self.start_id, self.end_id = start_id, end_id
        SpecialIds.of(self).check(logits.shape[-1])

    def encode(self, source: Tensor) -> dict[str, Tensor]:
        """Take the ids `(batch, source)` up to the end id as the beginning.

        Padding may stand before them as well as after them.
        """
        source = ops.cast(ops.convert_to_tensor(source), "int32")
        check_axes("batch, source", source=source.shape)
        source = _without_leading_padding(source)
        stops = ops.logical_or(ops.equal(source, self.end_id), ops.equal(source, PAD))
        before = ops.equal(ops.cumsum(ops.cast(stops, "int32"), axis=1), 0)
        return {"prompt": ops.where(before, source, PAD)}

    def prompt(self, memory: dict[str, Tensor]) -> Tensor:
        """The ids `(rows, prompt)`, padded with 0, with which every output begins."""
        return memory["prompt"]

    def start(self, memory: dict[str, Tensor], max_length: int) -> State:
        """The state before the first id; as in `Seq2Seq`."""
        check_max_length(self.target_embedding, max_length)
        return self.decoder.start(memory, max_length)

    def step(
        self, ids: Tensor, state: State, index: int | Tensor
    ) -> tuple[Tensor, State, None]:
        """Read the next ids and score what may follow; as in `Seq2Seq`."""
        ids, is_one = as_columns(ids)
        vectors = self.target_embedding(ids, start_index=index)
        hidden, state, _ = self.decoder.step(vectors, state, index)
        logits = compute_logits(self.target_embedding, self.output_projection, hidden)
        logits = ops.cast(logits, precise(logits.dtype))
        return logits[:, 0] if is_one else logits, state, None

    def expand(self, state: State, count: int) -> State:
        """The state of several hypotheses for each row; as in `Seq2Seq`."""
        return functional.expand_state(self.decoder, state, count)

    def reorder(self, state: State, parents: Tensor) -> State:
        """The state of rows that continue others; as in `Seq2Seq`."""
        return functional.reorder_state(self.decoder, state, parents)

    def log_probabilities(self, source: Tensor, labels: Tensor) -> Tensor:
        """Score given outputs, in one pass; as in `Seq2Seq`.

        An output begins as the source does, with a probability of one.
        """
        labels = ops.cast(ops.convert_to_tensor(labels), "int32")
        check_axes("batch, length", labels=labels.shape)
        read = shift_right(labels, SpecialIds.of(self))
        log_probs = pick_log_probabilities(self(read), labels)
        prompt, length = self.encode(source)["prompt"], ops.shape(labels)[1]
        missing = ops.maximum(length - ops.shape(prompt)[1], 0)
        prompt = ops.pad(prompt, ((0, 0), (0, missing)))[:, :length]
        forced = ops.where(ops.equal(prompt, labels), 0.0, _IMPOSSIBLE)
        forced = ops.cast(forced, log_probs.dtype)
        return ops.where(ops.equal(prompt, PAD), log_probs, forced)

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "start_id": self.start_id,
            "end_id": self.end_id,
            **{name: serialize_shared(part) for name, part in self._parts().items()},
        }

    def parts_of_copy(self, copy_of: Any) -> dict[str, Any]:
        """The constructor's arguments for a copy, from the copies of layers."""
        parts = {
            name: None if part is None else copy_of(part)
            for name, part in self._parts().items()
        }
        return {**parts, "start_id": self.start_id, "end_id": self.end_id}

    def _parts(self):
        return {
            "embedding": self.target_embedding,
            "decoder": self.decoder,
            "output": self.output_projection,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        with keras.saving.custom_object_scope(custom_objects or {}):
            return cls(**config)


def _without_leading_padding(ids):
    """Ids `(batch, length)` moved to the front of their rows."""
    is_leading = ops.equal(ops.cumsum(ops.cast(ids != PAD, "int32"), axis=1), 0)
    count = ops.sum(ops.cast(is_leading, "int32"), axis=1, keepdims=True)
    length = ops.shape(ids)[1]
    wanted = ops.arange(length, dtype="int32") + count
    moved = ops.take_along_axis(ids, ops.minimum(wanted, length - 1), axis=1)
    return ops.where(wanted < length, moved, PAD)


@takes_numpy
def language_model(
    vocabulary_size: int,
    architecture: str = "transformer",
    *,
    embedding_dim: int = 256,
    num_layers: int = 2,
    dropout: float = 0.1,
    tie_embeddings: bool = False,
    max_length: int | None = None,
    start_id: int = START,
    end_id: int = END,
    name: str = "language_model",
    **options: Any,
) -> LanguageModel:
    """Build a model of what follows in a text.

    Args:
        vocabulary_size: number of ids, padding included.
        architecture: `"rnn"` (Mikolov et al. 2010), or `"transformer"`, a stack of
            decoder blocks (Liu et al. 2018).
        embedding_dim: width of the embedding, and of the Transformer.
        num_layers: number of cells or blocks on top of each other.
        dropout: rate in training.
        tie_embeddings: whether the embedding's table makes the logits too (Press and
            Wolf 2017).
        max_length: the longest text; without it, any.
        start_id: the id with which each text begins.
        end_id: the id with which it ends.
        name: of the model.
        **options: of an RNN `units=512`, `cell="lstm"`, `residual=False`,
            `layer_normalization=False`, `recurrent_dropout=0.0`; of a Transformer
            `positions="sinusoidal"`, as in `transformer`, `num_heads=4`,
            `intermediate_dim=1024`, the functions `attention`, `feed_forward` and
            `block` as in `transformer`, and further options of `TransformerDecoder`.

    Returns:
        A `LanguageModel`.

    Raises:
        ValueError: for sizes that are not positive or do not fit each other.
        TypeError: for an option that the architecture does not have; of a Transformer
            this is a ValueError too.

    Example:
    >>> model = language_model(11, "transformer", embedding_dim=8, num_heads=2)
    >>> tuple(model.output_shape)
    (None, None, 11)
    """
    check_positive(
        vocabulary_size=vocabulary_size,
        embedding_dim=embedding_dim,
        num_layers=num_layers,
    )
    check_choice(ARCHITECTURES, architecture=architecture)
    if architecture == "rnn":
        decoder, positions, width = _rnn(num_layers, dropout, **options)
    else:
        width = embedding_dim
        decoder, positions = _transformer(num_layers, width, dropout, **options)
    if tie_embeddings and width != embedding_dim:
        raise ValueError(
            "`tie_embeddings=True` needs a decoder `embedding_dim` wide. "
            f"Received: embedding_dim={embedding_dim}, units={width}"
        )
    embedding = PositionalEmbedding(
        vocabulary_size,
        embedding_dim,
        max_length=max_length,
        positions=positions,
        scale=architecture == "transformer",
        name="embedding",
    )
    output = None
    if not tie_embeddings:
        output = keras.layers.Dense(vocabulary_size, name="logits")
    return LanguageModel(embedding, decoder, output, start_id, end_id, name=name)


def _rnn(
    num_layers,
    dropout,
    *,
    units=512,
    cell="lstm",
    residual=False,
    layer_normalization=False,
    recurrent_dropout=0.0,
):
    check_positive(units=units)
    check_choice(CELLS, cell=cell)
    cells = StackedCells(
        [
            RecurrentCell(units, cell, layer_normalization, name=f"cell_{level}")
            for level in range(num_layers)
        ],
        residual=residual,
        name="cells",
    )
    rnn = CellRNN(cells, dropout, recurrent_dropout, name="rnn")
    return RNNDecoder(rnn, dropout=dropout, name="decoder"), None, units


def _transformer(
    num_layers,
    width,
    dropout,
    *,
    positions="sinusoidal",
    num_heads=4,
    intermediate_dim=1024,
    normalize_first=True,
    stochastic_depth=0.0,
    attention=None,
    feed_forward=None,
    block=None,
    **options,
):
    check_positive(num_heads=num_heads, intermediate_dim=intermediate_dim)
    if attention is None and options.get("key_dim") is None:
        check_divides("num_heads", num_heads, "embedding_dim", width)
    check_choice((*POSITIONS, *ATTENTION_POSITIONS), positions=positions)
    options |= {
        "num_heads": num_heads,
        "intermediate_dim": intermediate_dim,
        "dropout": dropout,
        "normalize_first": normalize_first,
    }
    # A decoder alone has no memory to attend to.
    parts = {"self_attention": attention, "feed_forward": feed_forward}
    blocks = build_blocks(
        num_layers,
        positions,
        stochastic_depth,
        block or TransformerDecoder,
        options,
        parts,
    )
    added = positions if positions in POSITIONS else None
    return DecoderStack(blocks, dropout, name="decoder"), added
