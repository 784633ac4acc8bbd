"""Google's neural machine translation system (Wu et al. 2016)."""

from typing import Any

from keras_attention.argument_checks import (
    check_positive,
    check_rate,
    takes_numpy,
)
from keras_attention.layers import (
    Attention,
    AttentionRNN,
    RecurrentCell,
    RecurrentEncoder,
    StackedCells,
)
from keras_attention.layers.recurrent.cells import state_sizes
from keras_attention.models.embeddings import build_ends
from keras_attention.models.rnn_encoder_decoder import RNNDecoder, RNNEncoder
from keras_attention.models.seq2seq import Seq2Seq
from keras_attention.special_ids import END, START


@takes_numpy
def gnmt(
    source_vocabulary_size: int = 32_000,
    target_vocabulary_size: int = 32_000,
    *,
    embedding_dim: int = 1024,
    units: int = 1024,
    num_layers: int = 8,
    attention_units: int = 1024,
    dropout: float = 0.2,
    tie_embeddings: bool = False,
    scheduled_sampling: Any = None,
    start_id: int = START,
    end_id: int = END,
    name: str = "gnmt",
) -> Seq2Seq:
    """Build a deep LSTM encoder-decoder whose lowest layers attend (Wu et al. 2016).

    The lowest encoder layer reads in both directions. The last state of the lowest
    decoder layer queries the memory, and the context joins the inputs of all decoder
    layers. Both stacks are residual from the third layer on. The highest hidden vector
    goes to the logits as it is. 285,056,256 parameters by default.

    Args:
        source_vocabulary_size: number of source ids, padding included.
        target_vocabulary_size: number of target ids, padding included.
        embedding_dim: width of the embeddings.
        units: width of the cells.
        num_layers: number of layers of the encoder, and of the decoder.
        attention_units: hidden width of the additive score.
        dropout: rate in training: of embeddings, the inputs of each encoder layer, the
            memory and the decoder's outputs.
        tie_embeddings: whether source, target and output share one table; one
            vocabulary, and `embedding_dim` equal to `units`.
        scheduled_sampling: as in `Seq2Seq`.
        start_id: the id with which each target begins.
        end_id: the id with which it ends.
        name: of the model.

    Returns:
        A `Seq2Seq`.

    Raises:
        ValueError: for sizes that are not positive or do not fit each other.

    Example:
    >>> model = gnmt(11, 13, embedding_dim=8, units=8, num_layers=3, attention_units=4)
    >>> tuple(model.output_shape)
    (None, None, 13)
    """
    check_positive(
        source_vocabulary_size=source_vocabulary_size,
        target_vocabulary_size=target_vocabulary_size,
        embedding_dim=embedding_dim,
        units=units,
        num_layers=num_layers,
        attention_units=attention_units,
    )
    check_rate(dropout=dropout)
    if tie_embeddings and embedding_dim != units:
        raise ValueError(
            "`tie_embeddings=True` needs decoder outputs `embedding_dim` wide. "
            f"Received: embedding_dim={embedding_dim}, units={units}"
        )
    source_embedding, target_embedding, output = build_ends(
        source_vocabulary_size,
        target_vocabulary_size,
        embedding_dim,
        tie_embeddings,
        positions=None,
        scale=False,
    )
    encoder = RecurrentEncoder(
        units,
        "lstm",
        num_layers,
        "lowest",
        residual=True,
        dropout=dropout,
        residual_from=2,
        name="layers",
    )
    cells = StackedCells(
        [RecurrentCell(units, name=f"cell_{level}") for level in range(num_layers)],
        residual=True,
        residual_from=2,
        share_last_part=True,
        name="cells",
    )
    rnn = AttentionRNN(
        cells,
        Attention("additive", units=attention_units, name="attention"),
        input_feeding=False,
        dropout=dropout,
        order="bahdanau",
        readout="hidden",
        query_level=0,
        name="rnn",
    )
    return Seq2Seq(
        source_embedding,
        RNNEncoder(encoder, state_sizes(cells), dropout=dropout, name="encoder"),
        RNNDecoder(rnn, dropout=dropout, name="decoder"),
        target_embedding,
        output,
        scheduled_sampling=scheduled_sampling,
        start_id=start_id,
        end_id=end_id,
        name=name,
    )
