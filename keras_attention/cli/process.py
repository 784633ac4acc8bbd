"""What the process of a command does first, and how it is ended."""

import importlib
import os
import signal
import sys
import tempfile
from contextlib import contextmanager
from itertools import pairwise
from pathlib import PurePath
from types import FrameType

from keras_attention.optional_packages import needs
from keras_attention.unfinished import end_process


def is_command() -> bool:
    """Whether this process is a command, of which Python imports the package.

    It is `python -m keras_attention`, or the script that is installed with the package.
    """
    arguments = getattr(sys, "argv", [])[:1]
    if arguments == ["-m"]:  # until Python has found the module
        return ("-m", "keras_attention") in pairwise(sys.orig_argv)
    names = [PurePath(path).name for path in arguments]
    return names in (["keras-attention"], ["keras-attention.exe"])


def prepare() -> None:
    """Make the process that of a command."""
    open_closed_streams()
    # While TensorFlow is imported, too, Ctrl-C ends all without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # standard error is for the user


def import_keras(by: str) -> None:
    """Import Keras and its backend, without TensorFlow's remarks on the machine.

    Args:
        by: who needs it.

    Raises:
        ImportError: where something is not installed.
    """
    if sys.modules.get("keras") is not None:
        return
    with needs("tensorflow", extra="text", by=by), _muted():
        keras = importlib.import_module("keras")
        if keras.config.backend() == "tensorflow":
            # It says so again when it first looks for them.
            importlib.import_module("tensorflow").config.list_physical_devices()


@contextmanager
def _muted():
    """Keep what is written to standard error, and write it where the body fails."""
    with tempfile.TemporaryFile() as kept:
        original = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(original, kept.read())
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)


def open_closed_streams() -> None:
    """Open closed standard streams, whose numbers the next files would otherwise get.

    Python's own `sys.stdin`, `sys.stdout` or `sys.stderr` remains `None`.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def clean_up_when_interrupted() -> None:
    """Let Ctrl-C and SIGTERM remove what is incomplete before they end the process.

    Where whoever started the process has them ignored, or handles them, they stay so.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> None:
    end_process(128 + number)
