"""Texts in batches of about equal length."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

SHORTEST = 16


def check_strings(name: str, texts: Any) -> None:
    """Raise unless an argument is a list of strings."""
    is_list = isinstance(texts, Sequence) and not isinstance(texts, str | bytes)
    if not is_list and not (isinstance(texts, np.ndarray) and texts.ndim == 1):
        raise ValueError(
            f"`{name}` must be a list of strings. Received: {name}={texts!r}"
        )
    for index, text in enumerate(texts):
        if not isinstance(text, str | bytes):
            raise ValueError(
                f"`{name}` must be a list of strings. "
                f"Received: {name}[{index}]={text!r}"
            )


def check_as_many(name: str, given: Sequence[Any], texts: Sequence[Any]) -> None:
    """Raise unless an argument has an element for each text."""
    if len(given) != len(texts):
        raise ValueError(
            f"`{name}` must have an element for each text. "
            f"Received: {len(given)} {name} for {len(texts)} texts"
        )


def batch_by_length(
    lengths: Sequence[int] | np.ndarray, rows: int, tokens: int | None = None
) -> Iterator[list[int]]:
    """Batches of indices of about equal lengths, limited in rows and in tokens.

    A row counts `SHORTEST` tokens or more: the outputs of short texts may be long, and
    take memory all the same.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        is_full = len(batch) == rows or (
            tokens is not None
            and (len(batch) + 1) * max(SHORTEST, lengths[index]) > tokens
        )
        if batch and is_full:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def map_batches(
    function: Callable[..., list[Any]],
    batches: Iterable[list[int]],
    *columns: Sequence[Any],
) -> list[Any]:
    """What a function of batches gives, in the order of the columns.

    Args:
        function: called with the parts of all columns that are one batch.
        batches: indices of its rows.
        columns: lists of equal length.
    """
    results: list[Any] = [None] * len(columns[0])
    for batch in batches:
        parts = [[column[index] for index in batch] for column in columns]
        for index, result in zip(batch, function(*parts), strict=True):
            results[index] = result
    return results


def map_texts(
    function: Callable[..., list[Any]],
    source: Any,
    rows: int,
    texts: Any,
    *references: Any,
    columns: Mapping[str, Sequence[Any]] | None = None,
) -> list[Any]:
    """What a function gives of texts, and of references of each.

    Texts of one length come together: short ones do not wait for long ones.

    Args:
        function: called with lists that are one batch.
        source: a `TextSource` or a `VectorSource`, which checks texts.
        rows: the most texts of a batch.
        texts: any number of them.
        references: lists of as many strings.
        columns: lists of as much of anything else, by name.
    """
    source.check("texts", texts)
    lengths = [*map(len, texts)]
    for given in references:
        check_strings("references", given)
        check_as_many("references", given, texts)
        lengths = [*map(max, lengths, map(len, given))]
    columns = columns or {}
    for name, given in columns.items():
        check_as_many(name, given, texts)
    batches = batch_by_length(lengths, rows)
    return map_batches(function, batches, texts, *references, *columns.values())
