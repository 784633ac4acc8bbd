"""Models, translators and trainings as earlier versions saved them.

Each archive is named by the version that `make` was run with, and stays as it is: what
was saved then must load now, and give the same.
"""

import json
import tarfile
from pathlib import Path
from typing import Any

import keras

import tests.attention_cases  # noqa: F401, for a score that some layers were given

SUFFIX = ".tar.xz"
VERSIONS = sorted(
    path.name.removesuffix(SUFFIX) for path in Path(__file__).parent.glob(f"*{SUFFIX}")
)


def archive(version: str) -> Path:
    """The file of what a version saved."""
    return Path(__file__).with_name(f"{version}{SUFFIX}")


def names(version: str, kind: str) -> list[str]:
    """Those of a kind: `"layers"`, `"models"`, `"translators"` or `"trainings"`."""
    with tarfile.open(archive(version)) as saved:
        parts = [Path(member.name).parts for member in saved if member.isdir()]
    return sorted(part[1] for part in parts if len(part) == 2 and part[0] == kind)


def unpack(version: str, folder: Path) -> Path:
    """A folder with all of it, a folder for each kind, and in it one for each name."""
    with tarfile.open(archive(version)) as saved:
        saved.extractall(folder, filter="data")
    return folder


def read_settings(folder: Path) -> dict[str, Any]:
    """What `make` wrote down of how the content of a folder came to be."""
    text = (folder / "settings.json").read_text("utf-8")
    read: dict[str, Any] = keras.saving.deserialize_keras_object(json.loads(text))
    return read
