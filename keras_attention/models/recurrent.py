"""Recurrent sequence-to-sequence models, with attention and without."""

from typing import Any

import keras

from keras_attention.argument_checks import (
    check_choice,
    check_positive,
    check_rate,
    takes_numpy,
)
from keras_attention.layers import (
    Attention,
    AttentionRNN,
    CellRNN,
    RecurrentCell,
    RecurrentEncoder,
    StackedCells,
)
from keras_attention.layers.recurrent.cells import state_sizes
from keras_attention.layers.recurrent.recurrent_cell import CELLS
from keras_attention.models.embeddings import build_ends
from keras_attention.models.rnn_encoder_decoder import RNNDecoder, RNNEncoder
from keras_attention.models.seq2seq import Seq2Seq
from keras_attention.special_ids import END, START


@takes_numpy
def rnn_seq2seq(
    source_vocabulary_size: int,
    target_vocabulary_size: int,
    *,
    embedding_dim: int = 256,
    units: int = 512,
    cell: str = "lstm",
    num_layers: int = 1,
    bidirectional: bool | str = False,
    residual: bool = False,
    attention: Any = "general",
    attention_units: int | None = None,
    input_feeding: bool = True,
    reverse_source: bool = False,
    peeky: bool = False,
    dropout: float = 0.0,
    tie_embeddings: bool = False,
    order: str = "luong",
    readout: str = "tanh",
    readout_units: int | None = None,
    layer_normalization: bool = False,
    recurrent_dropout: float = 0.0,
    variational: bool = False,
    scheduled_sampling: Any = None,
    start_id: int = START,
    end_id: int = END,
    name: str = "rnn_seq2seq",
) -> Seq2Seq:
    """Build a recurrent model from sequences to sequences.

    By default the encoder-decoder with attention and input feeding of Luong et al.
    (2015); without attention that of Sutskever et al. (2014).

    Args:
        source_vocabulary_size: number of source ids, padding included.
        target_vocabulary_size: number of target ids, padding included.
        embedding_dim: width of the embeddings.
        units: width of the decoder's cells, and of each direction of the encoder's.
        cell: `"lstm"`, `"gru"` or `"simple"`.
        num_layers: number of layers of the encoder, and of the decoder.
        bidirectional: whether the encoder reads in both directions (Bahdanau et al.
            2015), or `"lowest"`, its first layer alone, where layers are not bridged;
            dense layers then make the decoder's first states of its final ones.
        residual: whether a layer's input is added to its output from the second layer
            on (Wu et al. 2016).
        attention: a score of `Attention`, an `Attention` layer, or `None`.
        attention_units: hidden width of the `"additive"` score; `units` when left out.
        input_feeding: whether the last attentional vector joins the next input.
        reverse_source: whether the source is read from its end (Sutskever et al. 2014).
        peeky: whether the encoder's final hidden state joins every step's input and
            output (Cho et al. 2014).
        dropout: rate in training: of embeddings, the inputs of each encoder layer, the
            memory and the decoder's outputs.
        tie_embeddings: whether source, target and output share one table (Press and
            Wolf 2017); one vocabulary, and `embedding_dim` equal to the width of the
            decoder's output.
        order: whether the decoder attends after its cell's step, `"luong"`, or before
            it, `"bahdanau"`; as in `AttentionRNN`, likewise the next two.
        readout: how context and hidden vector make the decoder's output: `"tanh"`,
            `"maxout"` or `"hidden"`.
        readout_units: width of that output; `units` when left out.
        layer_normalization: whether the cells normalize (Ba et al. 2016).
        recurrent_dropout: rate at which hidden states are dropped on their way to the
            gates, the same units at each step (Gal and Ghahramani 2016).
        variational: whether `dropout` too drops the same units at each step, of the
            inputs of the encoder's layers.
        scheduled_sampling: probability of training on the true last id (Bengio et al.
            2015), as in `Seq2Seq`.
        start_id: the id with which each target begins.
        end_id: the id with which it ends.
        name: of the model.

    Returns:
        A `Seq2Seq`.

    Raises:
        ValueError: for sizes that are not positive or do not fit each other.

    Example:
    >>> model = rnn_seq2seq(11, 13, embedding_dim=8, units=8, bidirectional=True)
    >>> model.name, tuple(model.output_shape)
    ('rnn_seq2seq', (None, None, 13))
    """
    check_positive(
        source_vocabulary_size=source_vocabulary_size,
        target_vocabulary_size=target_vocabulary_size,
        embedding_dim=embedding_dim,
        units=units,
        num_layers=num_layers,
    )
    check_choice(CELLS, cell=cell)
    check_rate(dropout=dropout)
    if attention_units is not None and attention != "additive":
        raise ValueError(
            '`attention_units` is only for attention="additive". Received: '
            f"attention={attention!r}, attention_units={attention_units!r}"
        )
    if attention is None and (readout_units, readout, order) != (None, "tanh", "luong"):
        raise ValueError(
            "`readout_units`, `readout` and `order` need attention. Received: "
            f"attention=None, readout_units={readout_units}, readout={readout!r}, "
            f"order={order!r}"
        )
    width = units if attention is None else readout_units or units
    if tie_embeddings and (embedding_dim != width or peeky):
        raise ValueError(
            "`tie_embeddings=True` needs decoder outputs `embedding_dim` wide. "
            f"Received: embedding_dim={embedding_dim}, width of outputs={width}, "
            f"peeky={peeky}"
        )
    source_embedding, target_embedding, output = build_ends(
        source_vocabulary_size,
        target_vocabulary_size,
        embedding_dim,
        tie_embeddings,
        positions=None,
        scale=False,
    )
    cells = StackedCells(
        [
            RecurrentCell(units, cell, layer_normalization, name=f"cell_{level}")
            for level in range(num_layers)
        ],
        residual=residual,
        name="cells",
    )
    encoder = RecurrentEncoder(
        units,
        cell,
        num_layers,
        bidirectional,
        residual,
        dropout,
        layer_normalization=layer_normalization,
        recurrent_dropout=recurrent_dropout,
        variational=variational,
        name="layers",
    )
    drops: dict[str, Any] = {
        "dropout": dropout,
        "recurrent_dropout": recurrent_dropout,
    }
    rnn: keras.layers.Layer
    if attention is None:
        rnn = CellRNN(cells, **drops, name="rnn")
    else:
        rnn = AttentionRNN(
            cells,
            _make_attention(attention, attention_units or units),
            input_feeding,
            readout_units,
            order=order,
            readout=readout,
            **drops,
            name="rnn",
        )
    return Seq2Seq(
        source_embedding,
        RNNEncoder(
            encoder, state_sizes(cells), reverse_source, dropout, name="encoder"
        ),
        RNNDecoder(rnn, peeky, dropout, name="decoder"),
        target_embedding,
        output,
        scheduled_sampling=scheduled_sampling,
        start_id=start_id,
        end_id=end_id,
        name=name,
    )


def _make_attention(attention, units):
    if isinstance(attention, Attention):
        return attention
    units = units if attention == "additive" else None
    return Attention(attention, units=units, name="attention")
