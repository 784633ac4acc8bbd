"""Carry over Keras's published character-level LSTMs, with all they have learned.

Keras's example "Character-level recurrent sequence-to-sequence model" ends with a
`model`, the characters of both sides, and the lengths of its longest texts. With this
file beside it,

    from from_keras_characters import carry_over
    longest = max_encoder_seq_length, max_decoder_seq_length
    translator = carry_over(model, input_characters, target_characters, *longest)
    translator.export("translator")

writes a SavedModel from strings to strings.
"""

import numpy as np
import tensorflow as tf

from keras_attention import Translator, models, text
from keras_attention.decoding import Greedy


def carry_over(theirs, sources, targets, longest, longest_target):
    """A `Translator` of the example's model, its characters and its longest texts."""

    def fill(texts):  # What is shorter has always ended in blanks.
        return tf.strings.substr(texts + " " * longest, 0, longest, unit="UTF8_CHAR")

    cut, unknown = text.VectorizationTokenizer, ["", "[UNK]"]
    read = cut([*unknown, *sources], fill, "character", start=None, end=None)
    write = cut([*unknown, *targets], None, "character", start="\t", end="\n")
    sizes = read.vocabulary_size, write.vocabulary_size
    encoder, decoder, dense = (layer for layer in theirs.layers if layer.weights)
    options = {"embedding_dim": max(sizes), "units": encoder.units, "attention": None}
    options |= {"start_id": write.start_id, "end_id": write.end_id}
    ours = models.rnn_seq2seq(*sizes, **options)
    for part, layer in ((ours.encoder, encoder), (ours.decoder, decoder)):
        kernel, recurrent, bias = layer.get_weights()
        kernel = np.pad(kernel, ((2, max(sizes) - 2 - len(kernel)), (0, 0)))
        part.set_weights([kernel, bias, recurrent])
    for embedding in (ours.source_embedding, ours.target_embedding):
        embedding.set_weights([np.eye(embedding.vocabulary_size, max(sizes))])
    kernel, bias = dense.get_weights()
    bias = np.pad(bias, (2, 0), constant_values=-1e9)  # Of padding there was none.
    ours.output_projection.set_weights([np.pad(kernel, ((0, 0), (2, 0))), bias])
    return Translator(ours, read, write, Greedy(longest_target + 1), longest)
