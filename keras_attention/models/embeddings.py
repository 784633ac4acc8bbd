"""The two ends of a model: token ids in, logits out."""

from typing import Any

import keras

from keras_attention.layers import PositionalEmbedding

Layers = tuple[
    PositionalEmbedding, PositionalEmbedding | None, keras.layers.Layer | None
]


def build_ends(
    source_vocabulary_size: int,
    target_vocabulary_size: int,
    embedding_dim: int,
    tie_embeddings: bool,
    **options: Any,
) -> Layers:
    """Make the source embedding, the target embedding and the output layer.

    Args:
        source_vocabulary_size: number of source ids.
        target_vocabulary_size: number of target ids.
        embedding_dim: width of the embeddings.
        tie_embeddings: whether one table serves source, target and output; the last two
            are `None` then, which is how `Seq2Seq` takes it.
        **options: of `PositionalEmbedding`.

    Raises:
        ValueError: for tied embeddings of two vocabularies.
    """
    if not tie_embeddings:
        return (
            PositionalEmbedding(
                source_vocabulary_size,
                embedding_dim,
                name="source_embedding",
                **options,
            ),
            PositionalEmbedding(
                target_vocabulary_size,
                embedding_dim,
                name="target_embedding",
                **options,
            ),
            keras.layers.Dense(target_vocabulary_size, name="logits"),
        )
    if source_vocabulary_size != target_vocabulary_size:
        raise ValueError(
            "`tie_embeddings=True` needs one vocabulary for source and target. "
            f"Received: source_vocabulary_size={source_vocabulary_size}, "
            f"target_vocabulary_size={target_vocabulary_size}"
        )
    shared = PositionalEmbedding(
        source_vocabulary_size, embedding_dim, name="embedding", **options
    )
    return shared, None, None
