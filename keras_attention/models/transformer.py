"""The Transformer (Vaswani et al. 2017)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras

from keras_attention.argument_checks import (
    check_choice,
    check_divides,
    check_positive,
    check_rate,
    takes_numpy,
)
from keras_attention.layers import (
    AlibiBias,
    RelativePositionBias,
    RotaryEmbedding,
    TransformerDecoder,
    TransformerEncoder,
)
from keras_attention.layers.positions.positional_embedding import POSITIONS
from keras_attention.models.embeddings import build_ends
from keras_attention.models.seq2seq import Seq2Seq
from keras_attention.models.transformer_stacks import DecoderStack, EncoderStack
from keras_attention.special_ids import END, START

Make = Callable[[], keras.layers.Layer]

# Positions that are the business of self-attention; whether it sees both sides.
ATTENTION_POSITIONS: dict[str | None, Callable[[bool], keras.layers.Layer]] = {
    "rotary": lambda bidirectional: RotaryEmbedding(name="rotary"),
    "alibi": lambda bidirectional: AlibiBias(name="alibi"),
    "relative": lambda bidirectional: RelativePositionBias(
        bidirectional=bidirectional, name="relative"
    ),
}


@takes_numpy
def transformer(
    source_vocabulary_size: int,
    target_vocabulary_size: int,
    *,
    num_layers: int = 6,
    num_heads: int = 8,
    embedding_dim: int = 512,
    intermediate_dim: int = 2048,
    dropout: float = 0.1,
    activation: Any = "relu",
    normalize_first: bool = True,
    normalization: Any = "layer",
    gated: bool = False,
    num_key_value_heads: int | None = None,
    positions: str | None = "sinusoidal",
    stochastic_depth: float = 0.0,
    attention_options: dict[str, Any] | None = None,
    max_length: int | None = None,
    tie_embeddings: bool = False,
    alignment_layer: int = -1,
    alignment_heads: Sequence[int] | None = None,
    key_dim: int | None = None,
    value_dim: int | None = None,
    attention: Make | None = None,
    cross_attention: Make | None = None,
    feed_forward: Make | None = None,
    block: Make | None = None,
    encoder_block: Make | None = None,
    start_id: int = START,
    end_id: int = END,
    name: str = "transformer",
) -> Seq2Seq:
    """Build a Transformer from sequences to sequences (Vaswani et al. 2017).

    The defaults are the published base size, with normalization first.

    Args:
        source_vocabulary_size: number of source ids, padding included.
        target_vocabulary_size: number of target ids, padding included.
        num_layers: number of blocks of the encoder, and of the decoder.
        num_heads: number of attention heads; divides `embedding_dim`.
        embedding_dim: width of the model.
        intermediate_dim: width of the hidden layer of the feed-forward networks.
        dropout: rate in training: of embeddings, weights and sublayers' outputs.
        activation: of the feed-forward networks.
        normalize_first: pre-norm, which trains without much care (Xiong et al. 2020),
            or post-norm as published.
        normalization: `"layer"`, `"rms"`, or a layer that each has a copy of.
        gated: whether feed-forward networks are gated (Shazeer 2020).
        num_key_value_heads: number of key and value heads shared by groups of query
            heads; `num_heads` when left out.
        positions: `"sinusoidal"` or `"learned"` (needs `max_length`), added to the
            embeddings; `"rotary"` (Su et al. 2021), `"alibi"` (Press et al. 2022) or
            `"relative"` (Raffel et al. 2020, one table for all encoder blocks and one
            for all decoder blocks), in self-attention; or `None`.
        stochastic_depth: rate at which rows skip a sublayer in training, from 0 below
            the first block to this at the last (Huang et al. 2016).
        attention_options: further options of the attentions, as in
            `TransformerEncoder`.
        max_length: the longest sequence on either side; without it, any.
        tie_embeddings: whether source, target and output share one table (Press and
            Wolf 2017); both vocabularies must be one then.
        alignment_layer: index of the decoder block whose attention to the source is
            the alignment that `step` gives.
        alignment_heads: indices of its heads that count, averaged; all when left out.
        key_dim: width of one head of queries and keys; `embedding_dim / num_heads` when
            left out.
        value_dim: width of one head of values; `key_dim` when left out.
        attention: function without arguments that makes the self-attention of a block,
            called once for each block of both stacks; by default it is a
            `MultiHeadAttention`. See `TransformerDecoder` for what it must take.
        cross_attention: likewise, the attention of a decoder block to the source.
        feed_forward: likewise, the feed-forward network of a block.
        block: function without arguments that makes a whole block of the decoder, one
            that keeps the protocol of `DecoderBlock`; by default a
            `TransformerDecoder` of the options above.
        encoder_block: likewise, a block of the encoder, as `EncoderStack` takes it.
        start_id: the id with which each target begins.
        end_id: the id with which it ends.
        name: of the model.

    Returns:
        A `Seq2Seq`.

    Raises:
        ValueError: for sizes that are not positive or do not fit each other.

    Example:
    >>> model = transformer(11, 13, num_layers=1, num_heads=2, embedding_dim=8)
    >>> model.name, tuple(model.output_shape)
    ('transformer', (None, None, 13))
    """
    check_positive(
        source_vocabulary_size=source_vocabulary_size,
        target_vocabulary_size=target_vocabulary_size,
        num_layers=num_layers,
        num_heads=num_heads,
        embedding_dim=embedding_dim,
        intermediate_dim=intermediate_dim,
    )
    check_rate(dropout=dropout, stochastic_depth=stochastic_depth)
    check_choice((*POSITIONS, *ATTENTION_POSITIONS), positions=positions)
    is_own = attention is not None and cross_attention is not None
    if key_dim is None and not is_own:
        check_divides("num_heads", num_heads, "embedding_dim", embedding_dim)
    source_embedding, target_embedding, output = build_ends(
        source_vocabulary_size,
        target_vocabulary_size,
        embedding_dim,
        tie_embeddings,
        max_length=max_length,
        positions=positions if positions in POSITIONS else None,
    )
    options = {
        "intermediate_dim": intermediate_dim,
        "num_heads": num_heads,
        "dropout": dropout,
        "activation": activation,
        "normalize_first": normalize_first,
        "normalization": normalization,
        "gated": gated,
        "num_key_value_heads": num_key_value_heads,
        "attention_options": attention_options,
        "key_dim": key_dim,
        "value_dim": value_dim,
    }
    parts = {"feed_forward": feed_forward}
    make_blocks = partial(build_blocks, num_layers, positions, stochastic_depth)
    encoder_blocks = make_blocks(
        encoder_block or TransformerEncoder,
        options,
        {**parts, "attention": attention},
        bidirectional=True,
    )
    decoder_blocks = make_blocks(
        block or TransformerDecoder,
        options,
        {**parts, "self_attention": attention, "cross_attention": cross_attention},
    )
    return Seq2Seq(
        source_embedding,
        EncoderStack(encoder_blocks, dropout, name="encoder"),
        DecoderStack(
            decoder_blocks,
            dropout,
            alignment_layer,
            alignment_heads,
            name="decoder",
        ),
        target_embedding,
        output,
        start_id=start_id,
        end_id=end_id,
        name=name,
    )


def build_blocks(
    num_layers: int,
    positions: str | None,
    stochastic_depth: float,
    make: Callable[..., keras.layers.Layer],
    options: dict[str, Any],
    parts: dict[str, Make | None],
    bidirectional: bool = False,
) -> list[keras.layers.Layer]:
    """The blocks of a stack, which share what says the positions in attention.

    Args:
        num_layers: number of blocks.
        positions: as in `transformer`, likewise the next.
        stochastic_depth: the rate at the last block.
        make: `TransformerEncoder` or `TransformerDecoder`; or a function without
            arguments, which makes blocks of another kind.
        options: of each of these two.
        parts: functions that make what each of them is given, by its argument.
        bidirectional: whether a position sees both sides.
    """
    if make not in (TransformerEncoder, TransformerDecoder):
        return [make() for _ in range(num_layers)]
    position = None
    if positions in ATTENTION_POSITIONS:
        position = ATTENTION_POSITIONS[positions](bidirectional)
    return [
        make(
            **options,
            **{name: part() for name, part in parts.items() if part is not None},
            position=position,
            stochastic_depth=stochastic_depth * level / max(num_layers - 1, 1),
            name=f"block_{level}",
        )
        for level in range(num_layers)
    ]
