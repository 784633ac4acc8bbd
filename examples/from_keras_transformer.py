"""Carry over Keras's published English-to-Spanish Transformer, with all it has learned.

Keras's example "English-to-Spanish translation with a sequence-to-sequence Transformer"
ends with a model of its own layers, `transformer`, and two `TextVectorization`s. With
this file beside it,

    from from_keras_transformer import carry_over
    carry_over(transformer, eng_vectorization, spa_vectorization).export("translator")

writes a SavedModel from strings to strings.
"""

from keras_attention import Translator, models, text
from keras_attention.convert import fill_block
from keras_attention.decoding import Greedy


def carry_over(theirs, source, target):
    """A `Translator` of the example's model and its two vectorizations."""
    english = text.VectorizationTokenizer.from_layer(source, start=None, end=None)
    spanish = text.VectorizationTokenizer.from_layer(target)
    read, write, e, d, output = (layer for layer in theirs.layers if layer.weights)
    (size, width), (length, _) = (weight.shape for weight in read.weights)
    options = {"num_layers": 1, "num_heads": e.attention.num_heads, "key_dim": width}
    options |= {"embedding_dim": width, "positions": "learned", "max_length": length}
    options |= {"intermediate_dim": e.dense_proj.layers[0].units}
    options |= {"normalize_first": False, "normalization": e.layernorm_1}
    options |= {"start_id": spanish.start_id, "end_id": spanish.end_id}
    ours = models.transformer(size, output.units, **options)
    for ours_, layer in ((ours.source_embedding, read), (ours.target_embedding, write)):
        words, positions = layer.get_weights()
        ours_.set_weights([words / width**0.5, positions])  # ours scales words
    parts = [(e.attention, e.layernorm_1), (e.dense_proj, e.layernorm_2)]
    fill_block(ours.encoder.blocks[0], parts)
    parts = [(d.attention_1, d.layernorm_1), (d.attention_2, d.layernorm_2)]
    fill_block(ours.decoder.blocks[0], [*parts, (d.dense_proj, d.layernorm_3)])
    ours.output_projection.set_weights(output.get_weights())
    return Translator(ours, english, spanish, Greedy(length - 1), length)
