"""Folders that are written whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path


@contextmanager
def new_folder(
    path: str | PathLike[str], marker: str, overwrite: bool = False
) -> Iterator[Path]:
    """Give a folder to write into, which becomes `path` when the block succeeds.

    Args:
        path: the folder to make. Its parents are made too.
        marker: a file that every folder of this kind holds.
        overwrite: whether a folder with the marker may be replaced. What stood there
            stays whole until the new one is complete.

    Yields:
        A folder beside `path`, moved into its place at the end, removed on failure.

    Raises:
        FileExistsError: when something is there that may not be replaced. A folder
            without the marker never is.
    """
    target = Path(path)
    check_free(target, marker, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{target.name}-", dir=target.parent
    ) as beside:
        fresh, old = Path(beside) / "new", Path(beside) / "old"
        fresh.mkdir()
        yield fresh
        check_free(target, marker, overwrite)
        if target.exists():
            target.rename(old)
        try:
            fresh.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def check_free(path: str | PathLike[str], marker: str, overwrite: bool = False) -> None:
    """Raise `FileExistsError` unless `path` may be written as a folder."""
    target = Path(path)
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
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
