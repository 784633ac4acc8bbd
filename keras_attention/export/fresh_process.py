"""Checks that a SavedModel works in a process that did not make it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from keras_attention.export.functions import MARKER
from keras_attention.saved_folders import check_free

CLIENT = Path(__file__).with_name("client.py")
EXPORT = """
import json, sys
from keras_attention import Translator
Translator.load(sys.argv[1]).export(**json.load(sys.stdin))
"""


def translate_in_fresh_process(
    folder: str | PathLike[str], texts: Sequence[str]
) -> list[str]:
    """What the signature `serving_default` of a SavedModel returns in a fresh process.

    Args:
        folder: the SavedModel.
        texts: its inputs.

    Raises:
        RuntimeError: when it cannot be loaded and called there.
    """
    client = subprocess.run(
        [sys.executable, str(CLIENT), str(folder)],
        input=json.dumps(list(texts)),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if client.returncode:
        raise RuntimeError(
            f"The SavedModel does not work in a fresh process:\n{client.stderr}"
        )
    answer: list[str] = json.loads(client.stdout.splitlines()[-1])
    return answer


def export_in_fresh_process(
    translator: Any,
    path: str | PathLike[str],
    overwrite: bool,
    check: bool | Sequence[str],
    format: str = "saved_model",
    marker: str = MARKER,
) -> None:
    """Export a `Translator` where Keras runs on TensorFlow.

    Args:
        translator: a `Translator`, which is saved, and loaded there.
        path: the folder to write; it appears when it is complete.
        overwrite: whether a SavedModel there may be replaced.
        check: as of `Translator.export`.
        format: likewise.
        marker: a file that every folder of this format holds.

    Raises:
        FileExistsError: when something stands at `path` that may not be replaced.
        RuntimeError: when it cannot be exported there.
    """
    check_free(path, marker, overwrite)
    check = check if isinstance(check, bool) else list(check)
    options = {
        "path": str(path),
        "overwrite": overwrite,
        "check": check,
        "format": format,
    }
    with tempfile.TemporaryDirectory() as beside:
        translator.save(f"{beside}/translator")
        done = subprocess.run(
            [sys.executable, "-c", EXPORT, f"{beside}/translator"],
            input=json.dumps(options),  # an argument has a limit
            capture_output=True,
            encoding="utf-8",
            check=False,
            env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        )
    if done.returncode:
        raise RuntimeError(
            f"The Translator could not be exported on TensorFlow:\n{done.stderr}"
        )
