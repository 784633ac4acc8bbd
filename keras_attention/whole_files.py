"""Files that are written whole or not at all, packed or not by their names."""

import gzip
import io
import lzma
import os
import secrets
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

from keras_attention.unfinished import being_written

_UNFINISHED = ".unfinished-"  # how the name of what is being written begins


def unpacked(file: Any, path: str | PathLike[str]) -> Any:
    """A stream of what a binary file holds, unpacked if its name asks for it.

    Args:
        file: to be read.
        path: its name; `.gz` and `.xz` are unpacked.

    Returns:
        A stream whose errors name the file: a `ValueError` where it is damaged, an
        `OSError` where it cannot be read.
    """
    suffix = Path(path).suffix
    if suffix == ".gz":
        return _Unpacked(gzip.GzipFile(fileobj=file), path)
    return _Unpacked(lzma.LZMAFile(file) if suffix == ".xz" else file, path)


@contextmanager
def new_file(path: str | PathLike[str], overwrite: bool = False) -> Iterator[BinaryIO]:
    """Give a file to write into, which gets its name when the block succeeds.

    Args:
        path: its name; what is written is packed for `.gz` and `.xz`. Folders that it
            lies in are made too. What is no file, such as a pipe, is written at once.
        overwrite: whether a file of this name may be replaced.

    Yields:
        A binary stream; what was written is removed on failure.

    Raises:
        FileExistsError: when a file is there that may not be replaced.
        IsADirectoryError: when a folder is there.
    """
    check_new_file(path, overwrite)
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{_UNFINISHED}{secrets.token_hex(8)}")
    with being_written(unfinished):
        try:
            with unfinished.open("xb") as file:
                with _packing(file, path) as stream:
                    yield stream
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                check_new_file(path, overwrite)
                shutil.copymode(target, unfinished)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)


def check_new_file(path: str | PathLike[str], overwrite: bool = False) -> None:
    """Raise now what `new_file` would raise later for this path."""
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{os.fspath(path)!r} is a directory")
    if target.is_file() and not overwrite:
        raise FileExistsError(f"{os.fspath(path)!r} already exists")


@contextmanager
def _packing(file, path):
    """A stream into a file, which packs if its name asks for it."""
    suffix = Path(path).suffix
    if suffix == ".gz":
        # The same content makes the same bytes.
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as stream:
            yield stream
    elif suffix == ".xz":
        with lzma.LZMAFile(file, "wb") as stream:
            yield stream
    else:
        yield file


class _Unpacked(io.RawIOBase):
    """Bytes of a file, perhaps a packed one, whose errors name it."""

    def __init__(self, stream: Any, path: str | PathLike[str]) -> None:
        super().__init__()
        self._stream = stream
        self._path = path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            some: bytes = self._stream.read(len(buffer)) or b""
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise ValueError(
                f"{os.fspath(self._path)!r} is damaged: {error}"
            ) from error
        except OSError as error:
            error.filename = os.fspath(self._path)
            raise
        buffer[: len(some)] = some
        return len(some)
