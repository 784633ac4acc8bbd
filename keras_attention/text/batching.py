"""Batches of translation pairs as a `tf.data.Dataset`.

Glossary: N = pairs, B = batch, S = source tokens, T = target tokens.
"""

import os
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_attention.text.arguments import (
    check_boolean,
    check_integer,
    check_lines,
    check_pairs,
)
from keras_attention.text.batch_plan import BatchPlan, plan_buckets, plan_shapes
from keras_attention.text.id_cache import Draws, read_or_make_ids
from keras_attention.text.tokenizer import END, PAD, START, Tokenizer

_READ_AHEAD = 8  # batches

# Room for a random number below the bucket's in one 64-bit sorting key.
_NOISE = 2**40


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
    When shuffled, each epoch deals the pairs of a bucket anew to its batches, and
    brings the batches in a new order; the epochs depend on `seed` alone, not on
    TensorFlow's global seed. Each side is padded to the longest of its batch,
    rounded up to a multiple of `bucket` but not above `max_length`.

    What compiles anew for each shape, as XLA does, wants few of them: with `shapes`,
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
        source_tokenizer: Makes the source ids.
        target_tokenizer: Makes the target ids.
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
    rows_of = _batch_rows(batch_tokens, batch_size)
    check_integer("max_length", max_length, 2)
    check_integer("bucket", bucket, 1)
    if shapes is not None:
        check_integer("shapes", shapes, 1)
        bucket = 1
    check_boolean("shuffle", shuffle)
    if check_integer("seed", seed, 0) >= 2**63:
        raise ValueError(f"`seed` must be below 2**63. Received: seed={seed}")
    source_list, target_list = check_pairs(source_lines, target_lines)
    draws: list[Draws | None] = [None, None]
    if segmentations is not None:
        check_integer("segmentations", segmentations, 1)
        if not shuffle:
            raise ValueError(
                "`segmentations` needs shuffle=True, because an epoch has only a part "
                f"of them. Received: segmentations={segmentations}, shuffle=False"
            )
        # a seed a side, lest equal sides be cut in equal places
        draws = [
            Draws(int(segmentations), alpha, 2 * int(seed) + side) for side in (0, 1)
        ]
    sources = _ids(source_list, source_tokenizer, draws[0], cache)
    targets = _ids(target_list, target_tokenizer, draws[1], cache)
    source_lengths = sources.row_lengths().numpy()
    target_lengths = targets.row_lengths().numpy()
    reasons = _drop_reasons(source_lengths, target_lengths, max_length)
    kept = ~np.any([*reasons.values()], axis=0)  # (N,)
    report = _report(reasons, kept, "pairs" if segmentations is None else "cut pairs")
    if not kept.any():
        raise ValueError(f"No pair of sentences remains: {report}")
    if report:
        warnings.warn(f"translation_dataset {report}", stacklevel=2)
    lengths = np.stack([source_lengths, target_lengths], axis=1)  # (N, 2)
    pairs = np.flatnonzero(kept)
    plan = (
        plan_shapes(lengths, pairs, shapes, rows_of)
        if shapes
        else plan_buckets(lengths, pairs, bucket, max_length, rows_of)
    )
    sources, targets = (tf.gather(side, plan.order) for side in (sources, targets))
    with tf.device("CPU:0"):
        position = tf.Variable(0, trainable=False, dtype=tf.int64)
    count = -(-len(plan.starts) // (segmentations or 1))
    dataset = _turns(plan, count, seed if shuffle else None, position).map(
        _collate(sources, targets, bucket, max_length),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    known = tf.data.experimental.assert_cardinality(count)
    dataset = _untuned(dataset.apply(known).prefetch(_READ_AHEAD))
    dataset.position = position
    return dataset


def language_dataset(
    lines: Iterable[str], tokenizer: Tokenizer, **options: Any
) -> tf.data.Dataset:
    """Makes batches of texts of about the same length, for a language model.

    Each element is `(ids (B, T), labels (B, T))`, both int32 and padded with 0: the
    text after the start id, and the text with its end id.

    Args:
        lines: The texts.
        tokenizer: Makes the ids.
        **options: Of `translation_dataset`.

    Returns:
        A dataset whose length is the number of batches.

    Raises:
        ValueError: If an argument is out of range, or no text remains.

    Example:
    >>> from keras_attention.text import CharacterTokenizer
    >>> letters = CharacterTokenizer(["a", "b"])
    >>> ids, labels = next(iter(language_dataset(["ab"], letters, batch_size=1)))
    >>> ids[0, :4].numpy().tolist(), labels[0, :4].numpy().tolist()
    ([2, 4, 5, 0], [4, 5, 3, 0])
    """
    lines = check_lines("lines", lines)
    pairs = translation_dataset(lines, lines, tokenizer, tokenizer, **options)
    dataset = pairs.map(lambda inputs, labels: (inputs["target"], labels))
    dataset.position = pairs.position
    return dataset


def _untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset without the tuner of `tf.data`.

    It sleeps longer each time, for up to a minute, and an epoch that ends while it
    sleeps often has to wait for it: half as long again as the epoch was.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _batch_rows(
    batch_tokens: int | None, batch_size: int | None
) -> Callable[[int], int]:
    """Checks the batch's size, and returns the rows for a padded length."""
    if (batch_tokens is None) == (batch_size is None):
        raise ValueError(
            "Give exactly one of `batch_tokens` and `batch_size`. "
            f"Received: batch_tokens={batch_tokens!r}, batch_size={batch_size!r}"
        )
    if batch_size is not None:
        rows = check_integer("batch_size", batch_size, 1)
        return lambda length: rows
    tokens = check_integer("batch_tokens", batch_tokens, 1)
    return lambda length: max(1, tokens // length)


def _ids(
    lines: list[str],
    tokenizer: Tokenizer,
    draws: Draws | None,
    cache: str | os.PathLike[str] | None,
) -> tf.RaggedTensor:
    with tf.device("CPU:0"):
        return tf.RaggedTensor.from_row_lengths(
            *map(tf.constant, read_or_make_ids(lines, tokenizer, draws, cache))
        )


def _drop_reasons(
    source_lengths: np.ndarray, target_lengths: np.ndarray, max_length: int
) -> dict[str, np.ndarray]:
    """Which pairs to drop, by reason; each under the first that applies."""
    reasons = {
        "an empty source": source_lengths == 1,
        "an empty target": target_lengths == 1,
        f"a source above max_length={max_length} tokens": source_lengths > max_length,
        f"a target above max_length={max_length} tokens": target_lengths > max_length,
    }
    earlier = np.zeros(len(source_lengths), bool)
    for reason, pairs in reasons.items():
        reasons[reason] = pairs & ~earlier
        earlier |= pairs
    return reasons


def _report(reasons: dict[str, np.ndarray], kept: np.ndarray, name: str) -> str:
    """How many pairs are dropped, and why; empty if none are."""
    if kept.all():
        return ""
    counts = ", ".join(
        f"{pairs.sum()} with {reason}"
        for reason, pairs in reasons.items()
        if pairs.any()
    )
    return f"dropped {(~kept).sum()} of {len(kept)} {name}: {counts}"


def _turns(
    plan: BatchPlan, count: int, seed: int | None, position: tf.Variable
) -> tf.data.Dataset:
    """The pairs `(B,)` and the shape of each batch, `count` batches an iteration.

    Passes over the plan follow each other without end, and an iteration begins where
    `position` says.
    """
    with tf.device("CPU:0"):
        batches = [
            tf.constant(part, tf.int64)
            for part in (plan.starts, plan.stops, plan.shapes)
        ]
        groups = tf.constant(plan.groups, tf.int64)
    total = len(plan.starts)

    def one_pass(number: tf.Tensor) -> tf.data.Dataset:
        if seed is None:
            return tf.data.Dataset.from_tensor_slices(tuple(batches)).map(
                lambda start, stop, shape: (tf.range(start, stop), shape)
            )
        noise = _noise(tf.size(groups), [seed, 2 * number])
        # sorting by group, then by chance, shuffles inside the groups
        order = tf.argsort(groups * _NOISE + noise)  # (N,)
        turns = tf.argsort(_noise(total, [seed, 2 * number + 1]))  # (batches,)
        return tf.data.Dataset.from_tensor_slices(
            tuple(tf.gather(part, turns) for part in batches)
        ).map(lambda start, stop, shape: (order[start:stop], shape))

    def iteration(_: tf.Tensor) -> tf.data.Dataset:
        begin = position.assign_add(count) - count
        first, read = begin // total, begin % total
        passes = tf.data.Dataset.range(first, first + 2).flat_map(one_pass)
        return passes.skip(read).take(count)

    return tf.data.Dataset.from_tensors(0).flat_map(iteration)


def _noise(size: tf.Tensor | int, seed: list[tf.Tensor | int]) -> tf.Tensor:
    # the algorithm is named, because the default depends on the device
    return tf.random.stateless_uniform(
        [size], seed, minval=0, maxval=_NOISE, dtype=tf.int64, alg="philox"
    )


def _collate(
    sources: tf.RaggedTensor, targets: tf.RaggedTensor, bucket: int, max_length: int
) -> Callable[[tf.Tensor, tf.Tensor], tuple[dict[str, tf.Tensor], tf.Tensor]]:
    """Returns the function that makes a batch of the pairs at some positions."""

    def padded(
        side: tf.RaggedTensor, positions: tf.Tensor, fewest: tf.Tensor, width: tf.Tensor
    ) -> tf.Tensor:
        rows = tf.gather(side, positions)
        longest = tf.reduce_max(rows.row_lengths())
        rounded = tf.minimum(-(-longest // bucket) * bucket, max_length)
        shape = [tf.maximum(fewest, rows.nrows()), tf.maximum(width, rounded)]
        return tf.ensure_shape(rows.to_tensor(PAD, shape=shape), [None, None])

    def collate(
        positions: tf.Tensor, shape: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        fewest, source_width, target_width = tf.unstack(shape, 3)
        source = padded(sources, positions, fewest, source_width)  # (B, S)
        labels = padded(targets, positions, fewest, target_width)  # (B, T)
        first = tf.where(labels[:, :1] == PAD, PAD, START)
        shifted = tf.concat([first, labels[:, :-1]], axis=1)
        target = tf.where(shifted == END, PAD, shifted)  # (B, T)
        return {"source": source, "target": target}, labels

    return collate
