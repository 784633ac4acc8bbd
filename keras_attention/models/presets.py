"""Models as papers describe them, each a call of a builder.

Vocabularies are those of the papers by default; every option may be replaced.
"""

from typing import Any

from keras_attention.layers import Attention
from keras_attention.models.recurrent import rnn_seq2seq
from keras_attention.models.seq2seq import Seq2Seq
from keras_attention.models.transformer import transformer


def sutskever2014(
    source_vocabulary_size: int = 160_000,
    target_vocabulary_size: int = 80_000,
    **options: Any,
) -> Seq2Seq:
    """A deep LSTM that reads the source from its end, without attention.

    Sutskever, Vinyals and Le (2014), "Sequence to sequence learning with neural
    networks". 384,112,000 parameters.

    Args:
        source_vocabulary_size: number of source ids.
        target_vocabulary_size: number of target ids.
        **options: of `rnn_seq2seq`, in place of the paper's.

    Example:
    >>> model = sutskever2014(11, 13, embedding_dim=4, units=4)
    >>> model.name
    'sutskever2014'
    """
    return rnn_seq2seq(
        source_vocabulary_size,
        target_vocabulary_size,
        **{
            "embedding_dim": 1000,
            "units": 1000,
            "num_layers": 4,
            "attention": None,
            "reverse_source": True,
            "name": "sutskever2014",
            **options,
        },
    )


def bahdanau2015(
    source_vocabulary_size: int = 30_000,
    target_vocabulary_size: int = 30_000,
    **options: Any,
) -> Seq2Seq:
    """A bidirectional GRU with additive attention before each step and a maxout.

    Bahdanau, Cho and Bengio (2015), "Neural machine translation by jointly learning to
    align and translate", RNNsearch. 81,451,000 parameters.

    Args:
        source_vocabulary_size: number of source ids.
        target_vocabulary_size: number of target ids.
        **options: of `rnn_seq2seq`, in place of the paper's.

    Example:
    >>> model = bahdanau2015(11, 13, embedding_dim=4, units=4, readout_units=2)
    >>> model.name
    'bahdanau2015'
    """
    return rnn_seq2seq(
        source_vocabulary_size,
        target_vocabulary_size,
        **{
            "embedding_dim": 620,
            "units": 1000,
            "cell": "gru",
            "bidirectional": True,
            "attention": "additive",
            "input_feeding": False,
            "order": "bahdanau",
            "readout": "maxout",
            "readout_units": 500,
            "name": "bahdanau2015",
            **options,
        },
    )


def luong2015(
    source_vocabulary_size: int = 50_000,
    target_vocabulary_size: int = 50_000,
    **options: Any,
) -> Seq2Seq:
    """A deep LSTM with local attention, input feeding and a reversed source.

    Luong, Pham and Manning (2015), "Effective approaches to attention-based neural
    machine translation": their best single model, local-p with the general score.
    222,083,000 parameters.

    Args:
        source_vocabulary_size: number of source ids.
        target_vocabulary_size: number of target ids.
        **options: of `rnn_seq2seq`, in place of the paper's.

    Example:
    >>> model = luong2015(11, 13, embedding_dim=4, units=4)
    >>> model.name
    'luong2015'
    """
    return rnn_seq2seq(
        source_vocabulary_size,
        target_vocabulary_size,
        **{
            "embedding_dim": 1000,
            "units": 1000,
            "num_layers": 4,
            "attention": Attention(
                "general", alignment="local_p", window=10, name="attention"
            ),
            "reverse_source": True,
            "dropout": 0.2,
            "name": "luong2015",
            **options,
        },
    )


def transformer_base(
    source_vocabulary_size: int = 37_000,
    target_vocabulary_size: int = 37_000,
    **options: Any,
) -> Seq2Seq:
    """The base Transformer, post-norm with one embedding table.

    Vaswani et al. (2017), "Attention is all you need". 63,082,496 parameters.

    Args:
        source_vocabulary_size: number of source ids.
        target_vocabulary_size: number of target ids.
        **options: of `transformer`, in place of the paper's.

    Example:
    >>> model = transformer_base(11, 11, num_layers=1, embedding_dim=8)
    >>> model.name
    'transformer_base'
    """
    return transformer(
        source_vocabulary_size,
        target_vocabulary_size,
        **{
            "normalize_first": False,
            "tie_embeddings": True,
            "name": "transformer_base",
            **options,
        },
    )


def transformer_big(
    source_vocabulary_size: int = 37_000,
    target_vocabulary_size: int = 37_000,
    **options: Any,
) -> Seq2Seq:
    """The big Transformer, post-norm with one embedding table.

    Vaswani et al. (2017), "Attention is all you need". 214,245,376 parameters.

    Args:
        source_vocabulary_size: number of source ids.
        target_vocabulary_size: number of target ids.
        **options: of `transformer`, in place of the paper's.

    Example:
    >>> model = transformer_big(11, 11, num_layers=1, embedding_dim=16)
    >>> model.name
    'transformer_big'
    """
    return transformer_base(
        source_vocabulary_size,
        target_vocabulary_size,
        **{
            "num_heads": 16,
            "embedding_dim": 1024,
            "intermediate_dim": 4096,
            "dropout": 0.3,
            "name": "transformer_big",
            **options,
        },
    )


def transformer_tiny(
    source_vocabulary_size: int = 10_000,
    target_vocabulary_size: int = 10_000,
    **options: Any,
) -> Seq2Seq:
    """A small Transformer for small data, with one embedding table.

    Wu et al. (2021), "Good for misconceived reasons: an empirical revisiting on the
    need for visual context in multimodal machine translation": attention weights are
    not dropped. Here with normalization first, which needs less care. 2,605,568
    parameters.

    Args:
        source_vocabulary_size: number of source ids.
        target_vocabulary_size: number of target ids.
        **options: of `transformer`, in place of the paper's.

    Example:
    >>> model = transformer_tiny(11, 11, num_layers=1)
    >>> model.name
    'transformer_tiny'
    """
    return transformer(
        source_vocabulary_size,
        target_vocabulary_size,
        **{
            "num_layers": 4,
            "num_heads": 4,
            "embedding_dim": 128,
            "intermediate_dim": 256,
            "dropout": 0.3,
            "attention_options": {"dropout": 0.0},
            "tie_embeddings": True,
            "name": "transformer_tiny",
            **options,
        },
    )
