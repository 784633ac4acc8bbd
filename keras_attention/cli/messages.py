"""What a command says on standard error, and how it ends."""

import errno
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_attention.translation.base_translator import BaseTranslator

NAME = "keras-attention"
BROKEN_PIPE = 128 + 13  # what a shell reports of a program that SIGPIPE ended
INTERRUPTED = 128 + 2


def say(message: str) -> None:
    """Write a line to standard error."""
    if sys.stderr is None:  # Closed: the line would go to the output.
        return
    with suppress(OSError):  # nobody reads it
        print(f"{NAME}: {' '.join(message.splitlines())}", file=sys.stderr)


def say_cut(cut: int, count: int, name: str, limit: int) -> None:
    """Say how many of so many texts were cut, if any were."""
    if cut:
        say(f"warning: cut {cut} of {count} {name}, longer than {limit} tokens")


def say_counts(
    counts: Mapping[str, int], translator: "BaseTranslator", name: str
) -> None:
    """Say what was cut on the way through a translator, on either side."""
    say_cut(counts["cut_texts"], counts["texts"], name, translator.source_limit)
    limit = translator.target_limit
    say_cut(counts["cut_translations"], counts["texts"], "translations", limit)


def wait_for_readers() -> None:
    """Make writes to standard streams wait for readers; else output may be lost."""
    for stream in sys.stdout, sys.stderr:
        with suppress(OSError, ValueError, AttributeError):
            os.set_blocking(stream.fileno(), True)


def is_mistake(error: Exception) -> bool:
    """Whether an error is about something that the user can fix."""
    kinds = (ValueError, OSError, ArithmeticError, ImportError)
    # A full disk, of which TensorFlow, if it was imported, has its own kind.
    tensorflow = sys.modules.get("tensorflow")
    return isinstance(error, kinds) or (
        tensorflow is not None
        and isinstance(error, tensorflow.errors.ResourceExhaustedError)
    )


def describe(error: Exception) -> str:
    """An error in a line that begins with its file, if it has one."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def is_without_reader(error: Exception) -> bool:
    """Whether an error says that nobody reads the output any more."""
    is_invalid = isinstance(error, OSError) and error.errno == errno.EINVAL
    return isinstance(error, BrokenPipeError) or (is_invalid and os.name == "nt")


def discard_output() -> None:
    """Discard pending output, which would otherwise fail once more at exit."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
