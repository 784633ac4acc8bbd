"""Ids of many lines, and files that keep them so that a text is tokenized once."""

import hashlib
import os
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_attention.special_ids import SpecialIds
from keras_attention.text.cleaning import CHUNK
from keras_attention.text.sentence_piece import SentencePieceTokenizer
from keras_attention.text.tokenizer import Tokenizer

Ids = tuple[np.ndarray, np.ndarray]
# What NumPy and zipfile raise when there is no file, or one with any byte altered.
_UNREADABLE = OSError, EOFError, RuntimeError, KeyError, ValueError, zipfile.BadZipFile


class Draws(NamedTuple):
    """How many times each line is cut at random, and how."""

    times: int
    alpha: float
    seed: int


def read_or_make_ids(
    lines: list[str],
    tokenizer: Tokenizer,
    draws: Draws | None,
    folder: str | os.PathLike[str] | None,
) -> Ids:
    """Ids of all lines in a row, each with its end id, and the lengths of the lines.

    Args:
        lines: The texts.
        tokenizer: Makes the ids.
        draws: If given, all lines come so many times, each time cut at random.
        folder: Where ids are kept, under a name made from tokenizer and lines. It is
            made if need be; a file that cannot be read is replaced.
    """
    if folder is None:
        return _make_ids(lines, tokenizer, draws)
    path = Path(folder) / f"{_name(lines, tokenizer, draws)}.npz"
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as kept:
            return kept["ids"], kept["lengths"]
    except _UNREADABLE:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    ids, lengths = _make_ids(lines, tokenizer, draws)
    # Written beside and moved, so that no reader sees half a file.
    beside = path.with_suffix(f".{uuid.uuid4().hex}.npz")
    try:
        np.savez(beside, ids=ids, lengths=lengths)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return ids, lengths


def _make_ids(lines: list[str], tokenizer: Tokenizer, draws: Draws | None) -> Ids:
    values, lengths, end_id = [], [], SpecialIds.of(tokenizer).end
    for ids in _segmentations(lines, tokenizer, draws):
        splits = ids.row_splits.numpy()
        values.append(np.insert(ids.flat_values.numpy(), splits[1:], end_id))
        lengths.append(np.diff(splits) + 1)
    return np.concatenate(values).astype("int32"), np.concatenate(lengths)


def _segmentations(
    lines: list[str], tokenizer: Tokenizer, draws: Draws | None
) -> Iterator[tf.RaggedTensor]:
    if draws is None:
        for start in range(0, len(lines), CHUNK):
            yield tokenizer.tokenize(lines[start : start + CHUNK])
        return
    if not isinstance(tokenizer, SentencePieceTokenizer):
        raise ValueError(
            "`segmentations` needs a SentencePieceTokenizer. "
            f"Received: a {type(tokenizer).__name__}"
        )
    yield tokenizer.sample(lines, draws.times, alpha=draws.alpha, seed=draws.seed)


def _name(lines: list[str], tokenizer: Tokenizer, draws: Draws | None) -> str:
    """The file's name: a checksum of everything that the ids depend on."""
    digest = hashlib.sha256(tokenizer.checksum().encode())
    if draws:
        times, alpha, seed = draws
        digest.update(f"{times} {float(alpha)} {seed}".encode())
    for line in lines:
        text = line.encode("utf-8", "surrogatepass")
        # With their lengths, since lines may hold anything.
        digest.update(f"\n{len(text)}:".encode())
        digest.update(text)
    return digest.hexdigest()
