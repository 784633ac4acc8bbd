"""Columns of a text as batches of ids: lengths, batches and their order.

Glossary: N = rows of the text, C = columns, B = batch, L = tokens.
"""

import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_attention.text.arguments import check_boolean, check_integer
from keras_attention.text.batch_plan import BatchPlan, plan_buckets, plan_shapes
from keras_attention.text.id_cache import Draws, read_or_make_ids
from keras_attention.text.tokenizer import PAD, Tokenizer

_READ_AHEAD = 8  # batches

# Room for a random number below the bucket's in one 64-bit sorting key.
_NOISE = 2**40


class Column(NamedTuple):
    """One side of each row: its name in messages, its lines and its tokenizer."""

    name: str
    lines: list[str]
    tokenizer: Tokenizer


class Options(NamedTuple):
    """The arguments of `translation_dataset` that describe its batches."""

    batch_tokens: int | None
    batch_size: int | None
    max_length: int
    bucket: int
    shapes: int | None
    shuffle: bool
    seed: int
    segmentations: int | None
    alpha: float
    cache: str | os.PathLike[str] | None


def make_batches(
    columns: Sequence[Column],
    element: Callable[..., Any],
    options: Options,
    caller: str,
    rows: str,
) -> tf.data.Dataset:
    """Makes the dataset that `translation_dataset` describes, of any columns.

    Args:
        columns: Of one length.
        element: From the ids of each column in a batch, `(B, L)` with their end ids and
            padding, to what the dataset has in the batch's place.
        options: Not checked yet.
        caller: The public function, for the warning of rows that are dropped.
        rows: What a row is, in messages.

    Raises:
        ValueError: As `translation_dataset` does.
    """
    options = _check(options)
    if not columns[0].lines:
        raise ValueError(f"There must be {rows} to make batches of. Received: 0 lines")
    max_length, times = options.max_length, options.segmentations
    bucket = 1 if options.shapes else options.bucket
    rows_of = _batch_rows(options.batch_tokens, options.batch_size)
    draws: list[Draws | None] = [None] * len(columns)
    if times is not None:
        # each column has a seed of its own, or equal ones would be cut alike
        first = len(columns) * options.seed
        draws = [
            Draws(times, options.alpha, first + index) for index in range(len(columns))
        ]
    ids = [
        _ids(column, drawn, options.cache)
        for column, drawn in zip(columns, draws, strict=True)
    ]
    lengths = np.stack([each.row_lengths().numpy() for each in ids], axis=1)  # (N, C)
    reasons = _drop_reasons([column.name for column in columns], lengths, max_length)
    kept = ~np.any([*reasons.values()], axis=0)  # (N,)
    report = _report(reasons, kept, rows if times is None else f"cut {rows}")
    if not kept.any():
        raise ValueError(f"None of the {rows} remains: {report}")
    if report:
        warnings.warn(f"{caller} {report}", stacklevel=3)
    remaining = np.flatnonzero(kept)
    plan = (
        plan_shapes(lengths, remaining, options.shapes, rows_of)
        if options.shapes
        else plan_buckets(lengths, remaining, bucket, max_length, rows_of)
    )
    ids = [tf.gather(each, plan.order) for each in ids]
    with tf.device("CPU:0"):
        position = tf.Variable(0, trainable=False, dtype=tf.int64)
    count = -(-len(plan.starts) // (times or 1))
    dataset = _turns(plan, count, options.seed if options.shuffle else None, position)
    dataset = dataset.map(
        _collate(ids, element, bucket, max_length),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    known = tf.data.experimental.assert_cardinality(count)
    dataset = _untuned(dataset.apply(known).prefetch(_READ_AHEAD))
    dataset.position = position
    return dataset


def _check(options: Options) -> Options:
    """Returns the options with integers of Python's own."""
    _batch_rows(options.batch_tokens, options.batch_size)

    def optional(name: str) -> int | None:
        value = getattr(options, name)
        return None if value is None else check_integer(name, value, 1)

    checked = options._replace(
        max_length=check_integer("max_length", options.max_length, 2),
        bucket=check_integer("bucket", options.bucket, 1),
        shapes=optional("shapes"),
        seed=check_integer("seed", options.seed, 0),
        segmentations=optional("segmentations"),
    )
    check_boolean("shuffle", options.shuffle)
    if checked.seed >= 2**63:
        raise ValueError(f"`seed` must be below 2**63. Received: seed={options.seed}")
    if options.segmentations is not None and not options.shuffle:
        raise ValueError(
            "`segmentations` needs shuffle=True, because an epoch has only a part "
            "of them. Received: "
            f"segmentations={options.segmentations}, shuffle=False"
        )
    return checked


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
    column: Column, draws: Draws | None, cache: str | os.PathLike[str] | None
) -> tf.RaggedTensor:
    ids, lengths = read_or_make_ids(column.lines, column.tokenizer, draws, cache)
    with tf.device("CPU:0"):
        return tf.RaggedTensor.from_row_lengths(tf.constant(ids), tf.constant(lengths))


def _drop_reasons(
    names: Sequence[str], lengths: np.ndarray, max_length: int
) -> dict[str, np.ndarray]:
    """Which rows `(N,)` to drop, by reason; each under the first that applies."""
    reasons = {}
    for name, own in zip(names, lengths.T, strict=True):
        reasons[f"an empty {name}"] = own == 1
    for name, own in zip(names, lengths.T, strict=True):
        reasons[f"a {name} above max_length={max_length} tokens"] = own > max_length
    earlier = np.zeros(len(lengths), bool)
    for reason, rows in reasons.items():
        reasons[reason] = rows & ~earlier
        earlier |= rows
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
    columns: Sequence[tf.RaggedTensor],
    element: Callable[..., Any],
    bucket: int,
    max_length: int,
) -> Callable[[tf.Tensor, tf.Tensor], Any]:
    """Returns the function that makes a batch of the rows at some positions."""

    def padded(
        column: tf.RaggedTensor,
        positions: tf.Tensor,
        min_rows: tf.Tensor,
        width: tf.Tensor,
    ) -> tf.Tensor:
        rows = tf.gather(column, positions)
        longest = tf.reduce_max(rows.row_lengths())
        rounded = tf.minimum(-(-longest // bucket) * bucket, max_length)
        shape = [tf.maximum(min_rows, rows.nrows()), tf.maximum(width, rounded)]
        return tf.ensure_shape(rows.to_tensor(PAD, shape=shape), [None, None])

    def collate(positions: tf.Tensor, shape: tf.Tensor) -> Any:
        min_rows, *widths = tf.unstack(shape, 1 + len(columns))
        return element(
            *(
                padded(column, positions, min_rows, width)
                for column, width in zip(columns, widths, strict=True)
            )
        )

    return collate
