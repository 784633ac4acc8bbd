"""Folders that are written whole or not at all, and checked when read."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from keras_attention.unfinished import being_written, in_one_go

_UNFINISHED = ".unfinished-"  # how the name of what is being written begins


@contextmanager
def new_folder(
    path: str | PathLike[str], marker: str, overwrite: bool = False
) -> Iterator[Path]:
    """Give a folder to write into, which becomes `path` when the block succeeds.

    A folder that is there already remains the same one, with another content: it may be
    a mounted disk, the end of a link, or where a shell stands.

    Args:
        path: the folder to make. Its parents are made too.
        marker: a file that every folder of this kind holds.
        overwrite: whether a folder with the marker may be replaced. What stood there
            stays whole until the new one is complete.

    Yields:
        A folder beside `path` or in it, moved to its place at the end, removed on
        failure.

    Raises:
        FileExistsError: when something is there that may not be replaced. A folder
            without the marker never is.
    """
    check_free(path, marker, overwrite)
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(
            prefix=_UNFINISHED,
            dir=target if target.is_dir() else target.parent,
            ignore_cleanup_errors=True,
        ) as unfinished,
        being_written(Path(unfinished)),
    ):
        fresh, old = Path(unfinished) / "new", Path(unfinished) / "old"
        fresh.mkdir()
        yield fresh
        check_free(target, marker, overwrite)
        if not target.is_dir():
            fresh.rename(target)
            return
        old.mkdir()
        # The old marker goes first, the new one comes last: only what is whole has one.
        moves = [(part, old / part.name) for part in reversed(_content(target, marker))]
        moves += [(part, target / part.name) for part in _content(fresh, marker)]
        with in_one_go():
            _move(moves)


def _move(moves: Sequence[tuple[Path, Path]]) -> None:
    """Rename all, or none."""
    try:
        for part, place in moves:
            part.rename(place)
    except BaseException:  # An interrupted move must not lose the old content.
        for part, place in reversed(moves):
            if os.path.lexists(place) and not os.path.lexists(part):
                place.rename(part)
        raise


def _content(folder: Path, marker: str = "") -> list[Path]:
    """What is in a folder, the marker last, but for what is being written there."""
    parts = (part for part in folder.iterdir() if not part.name.startswith(_UNFINISHED))
    return sorted(parts, key=lambda part: part.name == marker)


def check_free(path: str | PathLike[str], marker: str, overwrite: bool = False) -> None:
    """Raise `FileExistsError` unless `path` may be written as a folder."""
    if not os.fspath(path):
        raise ValueError(f"`path` must name a folder. Received: path={path!r}")
    target = Path(path)
    if not target.exists() or (target.is_dir() and not _content(target)):
        return
    if not target.is_dir() or not (target / marker).exists():
        raise FileExistsError(
            f"`path` holds something else (there is no {marker} in it) and is left as "
            f"it is. Received: path={str(target)!r}"
        )
    if not overwrite:
        raise FileExistsError(
            "`path` is not empty; pass `overwrite=True` to replace it. "
            f"Received: path={str(target)!r}"
        )


def write_manifest(
    folder: Path, name: str, kind: str, version: int, content: dict[str, Any]
) -> None:
    """Write what a folder holds into one more file, so that any change is noticed.

    Args:
        folder: the folder, with all its other files.
        name: of the file to write.
        kind: what the folder is.
        version: of its form.
        content: what else to write, as JSON's own types.
    """
    files = {path.name: _file_checksum(path) for path in sorted(folder.iterdir())}
    document = {"format": kind, "version": version, **content, "files": files}
    # Tuples and other keys than strings must be now what they will be when read.
    document = json.loads(json.dumps(document))
    document["sha256"] = _checksum(document)
    (folder / name).write_text(json.dumps(document, indent=2), "utf-8")


def read_manifest(
    path: str | PathLike[str], name: str, kind: str, version: int, files: Sequence[str]
) -> dict[str, Any]:
    """Return what `write_manifest` wrote, after comparing each file with it.

    Args:
        path: the folder.
        name: of the file to read.
        kind: what the folder must be.
        version: the version that can be read.
        files: names of other files that it must hold, beside those that it names.

    Raises:
        FileNotFoundError: when one of the files is missing.
        ValueError: for a file that is truncated, altered or of something else.
    """
    folder = Path(path)
    for file in (name, *files):
        _check_file(folder, file, kind)
    document = _read_document(folder / name, kind, version)
    for file in dict.fromkeys([*files, *document["files"]]):
        _check_file(folder, file, kind)
        if document["files"].get(file) != _file_checksum(folder / file):
            raise ValueError(
                f"{str(folder / file)!r} is truncated, altered or of another folder: "
                f"its checksum is not the one in {name}"
            )
    return document


def _check_file(folder: Path, file: str, kind: str) -> None:
    if not (folder / file).is_file():
        raise FileNotFoundError(
            f"`path` must be a saved {kind}: there is no {file} in it. "
            f"Received: path={str(folder)!r}"
        )


def _read_document(path: Path, kind: str, version: int) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is truncated or not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != kind:
        raise ValueError(f"{str(path)!r} does not describe a {kind}")
    if document.get("version") != version:
        raise ValueError(
            f"{str(path)!r} is of version {document.get('version')!r}, and this "
            f"release of keras_attention reads version {version}"
        )
    if document.pop("sha256", None) != _checksum(document):
        raise ValueError(f"{str(path)!r} was altered: its checksum does not match")
    return document


def _checksum(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _file_checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
