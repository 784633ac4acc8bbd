"""The streams that a command reads and writes."""

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from keras_attention.whole_files import check_new_file, new_file, unpacked

Job = tuple[list[str | None], str | None]


class Input(NamedTuple):
    """A stream to read.

    Attributes:
        stream: binary; what a packed file holds.
        file: that it comes from, or `None` for standard input.
    """

    stream: Any
    file: Any = None

    def done(self) -> int:
        """How many bytes of its file were read."""
        return 0 if self.file is None or not self.file.seekable() else self.file.tell()


def total_size(inputs: Sequence[str] | None) -> int | None:
    """The bytes of all inputs, where they are known."""
    sizes = 0
    for name in inputs or ["-"]:
        if name == "-" or not os.path.isfile(name):
            return None
        sizes += os.path.getsize(name)
    return sizes


def plan_jobs(
    inputs: Sequence[str] | None, output: str | None, overwrite: bool
) -> list[Job]:
    """Which inputs go into which output; `None` stands for a standard stream.

    An output that is a folder, or whose name ends as one, gets a file for each input.

    Raises:
        FileExistsError: for a file that may not be replaced.
        ValueError: for inputs of one name.
        OSError: for an input that cannot be read.
    """
    for name in inputs or ():
        if name != "-":
            _check_readable(name)
    if output is None or not (output.endswith(("/", os.sep)) or Path(output).is_dir()):
        jobs: list[Job] = [([*inputs] if inputs else [None], output)]
    elif not inputs:
        raise ValueError(f"--output {output} is a directory, which needs --input")
    else:
        names = [Path(name).name for name in inputs]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(
                f"--input has {', '.join(sorted(twice))} more than once, and {output} "
                "one place for it"
            )
        jobs = [
            ([name], str(Path(output) / own))
            for name, own in zip(inputs, names, strict=True)
        ]
    for _, target in jobs:
        if target is not None:
            try:
                check_new_file(target, overwrite)
            except FileExistsError:
                raise FileExistsError(
                    f"--output: {target} already exists: --overwrite replaces it"
                ) from None
    return jobs


@contextmanager
def open_input(name: str | None) -> Iterator[Input]:
    """A file to read, or standard input."""
    if name in (None, "-"):
        yield Input(sys.stdin.buffer)
        return
    with open(name, "rb", buffering=0) as file:
        yield Input(unpacked(file, name), file)


@contextmanager
def open_output(name: str | None, overwrite: bool) -> Iterator[BinaryIO]:
    """A file to write, which appears when it is whole; or standard output."""
    if name is None:
        yield sys.stdout.buffer
        return
    try:
        with new_file(name, overwrite) as stream:
            yield stream
    except OSError as error:
        if error.strerror and error.filename is None:  # of a full disk
            error.filename = name
        raise


def _check_readable(name):
    """Raise for what cannot be read; a pipe is left alone, since it is read once."""
    mode = os.stat(name).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"--input: {name} is a directory")
    if stat.S_ISREG(mode):
        with open(name, "rb"):
            pass
