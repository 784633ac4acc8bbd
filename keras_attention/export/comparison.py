"""What another library computes of a model, in a fresh process, beside what it is."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_attention.models import LanguageModel
from keras_attention.special_ids import PAD, SpecialIds

LENGTH = 32
"""Of what is written to be compared."""


def ask(client: Path, folder: Path, question: Any) -> Any:
    """Run a program on a folder, JSON in and out, in a process of its own.

    Raises:
        RuntimeError: when it fails.
    """
    done = subprocess.run(
        [sys.executable, "-P", str(client), str(folder)],  # no file here is a module
        input=json.dumps(question),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(
            f"The model does not work in a fresh process:\n{done.stderr}"
        )
    return json.loads(done.stdout.splitlines()[-1])


def log_probabilities(
    model: Any, source: np.ndarray, labels: np.ndarray, never: Sequence[int] = ()
) -> np.ndarray:
    """What a model says of targets, `(batch, length)`.

    Args:
        model: a `Seq2Seq` or `LanguageModel`.
        source: ids `(batch, source)`, padded with 0.
        labels: ids `(batch, length)`, likewise.
        never: ids that have no probability.
    """
    special = SpecialIds.of(model)
    begin = np.full((len(labels), 1), special.start, "int32")
    read = np.concatenate([begin, labels[:, :-1]], axis=1)
    read[read == special.end] = PAD
    is_alone = isinstance(model, LanguageModel)
    inputs = read if is_alone else {"source": source, "target": read}
    logits = keras.ops.convert_to_numpy(model(inputs)).astype("float64")
    logits[..., [*never]] = -np.inf
    logits -= logits.max(-1, keepdims=True, initial=-np.inf)
    logits -= np.log(np.exp(logits).sum(-1, keepdims=True))
    return np.take_along_axis(logits, labels[..., None], axis=-1)[..., 0]


def pad_labels(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Int32 ids `(rows, length)`, padded with 0; a length of 0 too."""
    labels = np.zeros((len(rows), max(map(len, rows), default=0)), "int32")
    for label, row in zip(labels, rows, strict=True):
        label[: len(row)] = row
    return labels


def check_close(
    library: str,
    texts: Sequence[str],
    expected: np.ndarray,
    found: Sequence[Sequence[float]],
    lengths: Sequence[int],
    tolerance: float,
) -> None:
    """Raise unless log-probabilities of the tokens of each text are the same.

    Args:
        library: which has computed `found`.
        texts: what was translated.
        expected: `(texts, length)`.
        found: of each text, as many numbers as its length, or more.
        lengths: how many tokens of each count.
        tolerance: by how much they may differ in the mean.

    Raises:
        RuntimeError: when they differ by more.
    """
    for text, row, scores, length in zip(texts, expected, found, lengths, strict=True):
        here, there = row[:length], np.array(scores[:length])
        if length and not np.abs(here - there).mean() <= tolerance:
            raise RuntimeError(
                f"{library} computes otherwise in a fresh process. For {text!r} its "
                f"log-probabilities are {there} in place of {here}"
            )
