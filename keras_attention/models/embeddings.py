"""The two ends of a model: token ids or vectors in, logits out."""

from typing import Any

import keras
from keras import ops

from keras_attention import functional
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


def source_inputs(source_dim: int | None) -> dict[str, Any]:
    """The inputs of a model for its source: ids, or vectors so wide and their mask."""
    if source_dim is None:
        return {"source": keras.Input((None,), dtype="int32", name="source")}
    return {
        "source": keras.Input((None, source_dim), name="source"),
        "source_mask": keras.Input((None,), dtype="bool", name="source_mask"),
    }


@keras.saving.register_keras_serializable("keras_attention", name="SourceVectors")
class SourceVectors(keras.layers.Layer):
    """Vectors `(batch, source, dim)`, with zeros where their mask is `False`.

    So what pads a source does not count, whatever it is.

    Args:
        hands_on: whether the next layer gets the mask too, which Keras warns of where
            that has no use for it.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, hands_on: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hands_on = hands_on

    def call(self, inputs, mask):
        vectors = ops.where(ops.expand_dims(mask, -1), inputs, 0)
        return functional.with_mask(vectors, mask) if self.hands_on else vectors

    def compute_output_spec(self, inputs, mask):
        return keras.KerasTensor(inputs.shape, self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "hands_on": self.hands_on}
