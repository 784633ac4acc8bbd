"""Batches of translation pairs, or of texts, as a `tf.data.Dataset`.

Glossary: B = batch, S = source tokens, T = target tokens.
"""

import os
from collections.abc import Iterable

import tensorflow as tf

from keras_attention.special_ids import SpecialIds
from keras_attention.text.arguments import check_lines, check_pairs
from keras_attention.text.batch_pipeline import Column, Options, make_batches
from keras_attention.text.tokenizer import PAD, Tokenizer
from keras_attention.text.vectorization import as_tokenizer


def translation_dataset(
    source_lines: Iterable[str],
    target_lines: Iterable[str],
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    *,
    batch_tokens: int | None = None,
    batch_size: int | None = None,
    max_length: int = 128,
    bucket: int = 8,
    shapes: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
    segmentations: int | None = None,
    alpha: float = 0.1,
    cache: str | os.PathLike[str] | None = None,
) -> tf.data.Dataset:
    """Makes batches of pairs of about the same length, for training.

    Each element is `({"source": (B, S), "target": (B, T)}, labels (B, T))`, all
    int32 and padded with 0: the source with its end id, the target after the
    start id, and as labels the target with its end id.

    Pairs are put into buckets by the longer side, in steps of `bucket` tokens.
    When shuffled, each epoch deals the pairs of a bucket to new batches, and
    brings the batches in a new order; the epochs depend on `seed` alone, not on
    TensorFlow's global seed. Each side is padded to the longest of its batch,
    rounded up to a multiple of `bucket` but not above `max_length`.

    What compiles again for each shape, as XLA does, wants few of them: with `shapes`,
    pairs are grouped by both sides instead, in shapes chosen so that little is padded.
    All batches of a group then have one shape, the last filled up with
    empty rows, which have no token.

    A model that sees each word cut in many ways learns more from little text. With
    `segmentations`, both sides of each pair are cut at random so many times, by
    `SentencePieceTokenizer.sample`, and the pairs of all times are dealt to batches
    together. An epoch has that part of these batches: so many epochs see each of them
    once. With 29,000 pairs it was best to train the second half of the epochs without,
    on words cut as those to be translated are.

    Args:
        source_lines: The source sentences.
        target_lines: Their translations, in the same order.
        source_tokenizer: Makes the source ids; a tokenizer, or a
            `keras.layers.TextVectorization`.
        target_tokenizer: Makes the target ids, likewise.
        batch_tokens: Rows times padded length of the longer side that a batch may
            have; a batch has at least one row. Either this or `batch_size`.
        batch_size: The most rows of a batch.
        max_length: The most tokens of a side, the start or end id included. Pairs
            with a longer side are dropped, and so are pairs with an empty side.
        bucket: The step of lengths, in tokens; without a meaning beside `shapes`.
        shapes: The most shapes that batches have, if they are to be few.
        shuffle: Whether to shuffle. If not, shorter pairs come first, and pairs
            of one bucket keep their order.
        seed: Makes the order of the epochs, and the segmentations; two datasets of one
            seed agree.
        segmentations: How many times to cut each pair at random, such as 20; by default
            once, as `tokenize` does. The ids of all times are kept in memory.
        alpha: Of `SentencePieceTokenizer.sample`, beside `segmentations`.
        cache: A folder in which ids are kept, and from which they are read the next
            time the same tokenizers get the same lines.

    Returns:
        A dataset whose length is the number of batches. `Model.fit` takes it on
        every backend; with `shuffle=False` there, because Keras warns that it does
        not shuffle datasets itself. Its attribute `position` is a `tf.Variable`, the
        number of batches of all epochs before those of the next iteration, which
        begins there: each iteration adds its own, and `training.Backup` sets it.

    Raises:
        ValueError: If the sides differ in length, an argument is out of range, no
            pair remains, or `segmentations` meets a tokenizer that cannot draw them.

    Example:
    >>> from keras_attention.text import CharacterTokenizer
    >>> letters = CharacterTokenizer(["a", "b"])
    >>> dataset = translation_dataset(
    ...     ["ab", "b"], ["b", "bab"], letters, letters, batch_size=2, bucket=4
    ... )
    >>> inputs, labels = next(iter(dataset))
    >>> labels.shape
    TensorShape([2, 4])
    """
    source_list, target_list = check_pairs(source_lines, target_lines)
    source_tokenizer = as_tokenizer(source_tokenizer)
    target_tokenizer = as_tokenizer(target_tokenizer)
    special = SpecialIds.of(target_tokenizer)

    def element(source: tf.Tensor, target: tf.Tensor) -> tuple:
        return {"source": source, "target": _shift_right(target, special)}, target

    return make_batches(
        [
            Column("source", source_list, source_tokenizer),
            Column("target", target_list, target_tokenizer),
        ],
        element,
        Options(
            batch_tokens=batch_tokens,
            batch_size=batch_size,
            max_length=max_length,
            bucket=bucket,
            shapes=shapes,
            shuffle=shuffle,
            seed=seed,
            segmentations=segmentations,
            alpha=alpha,
            cache=cache,
        ),
        caller="translation_dataset",
        rows="pairs",
    )


def language_dataset(
    lines: Iterable[str],
    tokenizer: Tokenizer,
    *,
    batch_tokens: int | None = None,
    batch_size: int | None = None,
    max_length: int = 128,
    bucket: int = 8,
    shapes: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
    segmentations: int | None = None,
    alpha: float = 0.1,
    cache: str | os.PathLike[str] | None = None,
) -> tf.data.Dataset:
    """Makes batches of texts of about the same length, for a language model.

    Each element is `(ids (B, T), labels (B, T))`, both int32 and padded with 0: the
    text after the start id, and the text with its end id. Everything else
    is as in `translation_dataset`.

    Args:
        lines: The texts.
        tokenizer: Makes the ids; as in `translation_dataset`.
        batch_tokens: Rows times padded length that a batch may have; a batch has at
            least one row. Either this or `batch_size`.
        batch_size: The most rows of a batch.
        max_length: The most tokens, the start or end id included. Longer texts are
            dropped, and so are empty ones.
        bucket: The step of lengths, in tokens; without a meaning beside `shapes`.
        shapes: The most shapes that batches have, if they are to be few.
        shuffle: Whether to shuffle.
        seed: Makes the order of the epochs, and the segmentations.
        segmentations: How many times to cut each text at random; by default once, as
            `tokenize` does.
        alpha: Of `SentencePieceTokenizer.sample`, beside `segmentations`.
        cache: A folder in which ids are kept.

    Returns:
        A dataset whose length is the number of batches, with a `position`.

    Raises:
        ValueError: If an argument is out of range, no text remains, or `segmentations`
            meets a tokenizer that cannot draw them.

    Example:
    >>> from keras_attention.text import CharacterTokenizer
    >>> letters = CharacterTokenizer(["a", "b"])
    >>> ids, labels = next(iter(language_dataset(["ab"], letters, batch_size=1)))
    >>> ids[0, :4].numpy().tolist(), labels[0, :4].numpy().tolist()
    ([2, 4, 5, 0], [4, 5, 3, 0])
    """
    tokenizer = as_tokenizer(tokenizer)
    special = SpecialIds.of(tokenizer)

    def element(text: tf.Tensor) -> tuple:
        return _shift_right(text, special), text

    return make_batches(
        [Column("text", check_lines("lines", lines), tokenizer)],
        element,
        Options(
            batch_tokens=batch_tokens,
            batch_size=batch_size,
            max_length=max_length,
            bucket=bucket,
            shapes=shapes,
            shuffle=shuffle,
            seed=seed,
            segmentations=segmentations,
            alpha=alpha,
            cache=cache,
        ),
        caller="language_dataset",
        rows="texts",
    )


def _shift_right(labels: tf.Tensor, special: SpecialIds) -> tf.Tensor:
    """What a decoder reads: the start id and the labels `(B, T)` without their end."""
    first = tf.where(labels[:, :1] == PAD, PAD, special.start)
    shifted = tf.concat([first, labels[:, :-1]], axis=1)
    return tf.where(shifted == special.end, PAD, shifted)
