"""What is being written, so that a process that is to end leaves nothing of it.

A signal may come while a library traces a model, compiles it or collects garbage, where
an exception would be handled as one of its own, or wait for minutes. So nothing is
raised: what is unfinished is removed, and the process ends.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

_paths: set[Path] = set()
_put_off: list[Any] = []
_depth = 0


@contextmanager
def being_written(path: Path) -> Iterator[None]:
    """Have a file or a folder removed if the process is to end in the body."""
    _paths.add(path)
    try:
        yield
    finally:
        _paths.discard(path)


@contextmanager
def in_one_go() -> Iterator[None]:
    """Put off the end of the process until the body is through."""
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if _put_off and not _depth:
            _put_off.pop()()


def end_process(status: int) -> None:
    """Remove what is being written, and end the process at once, or as soon as can be.

    Args:
        status: with which it exits.
    """
    if _depth:
        _put_off[:] = [partial(end_process, status)]
        return
    for path in _paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    os._exit(status)
