"""What stands for unknown words in a translation, as a graph of TensorFlow."""

import tensorflow as tf

from keras_attention.text.tokenizer import UNKNOWN_TEXT


def replace_unknown(
    translations: tf.Tensor,
    ids: tf.Tensor,
    attention: tf.Tensor,
    parts: tf.RaggedTensor,
    unknown_id: int,
) -> tf.Tensor:
    """Put what was attended to in the place of unknown ids (Luong et al. 2015).

    Args:
        translations: `(rows,)`, of the ids, with U+2047 in each such place.
        ids: `(rows, length)`.
        attention: `(rows, length, source)`.
        parts: strings `(rows, tokens)`, what the source's ids stand for; what was
            attended to beyond stands for nothing.
        unknown_id: among `ids`.

    Returns:
        `(rows,)`. A translation whose places are not known, since the model wrote
        U+2047 itself, stays as it is.
    """
    is_unknown = tf.equal(ids, unknown_id)
    words = parts.to_tensor("", shape=tf.stack([-1, tf.shape(attention)[-1]]))
    aligned = tf.gather(words, tf.argmax(attention, axis=-1), batch_dims=1)
    aligned = tf.ragged.boolean_mask(aligned, is_unknown)
    between = tf.strings.split(translations, UNKNOWN_TEXT)
    # As many of them as places, and one more.
    fits = tf.equal(between.row_lengths(), aligned.row_lengths() + 1)
    fits = fits & (aligned.row_lengths() > 0)
    between = tf.ragged.boolean_mask(between, fits)
    aligned = tf.ragged.boolean_mask(aligned, fits)
    ends = tf.fill([tf.shape(between)[0], 1], "")
    woven = tf.strings.join([between, tf.concat([aligned, ends], axis=1)])
    joined = tf.strings.reduce_join(woven, axis=1)
    joined = tf.strings.strip(tf.strings.regex_replace(joined, " +", " "))
    return tf.tensor_scatter_nd_update(translations, tf.where(fits), joined)
