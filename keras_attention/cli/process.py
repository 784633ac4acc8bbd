"""What the process of a command does first, and how it is ended."""

import importlib
import os
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from itertools import pairwise
from pathlib import PurePath
from types import FrameType

from keras_attention.optional_packages import needs

_LIBRARIES = ("jax", "keras", "tensorflow", "torch")
_PATIENCE, _AGAIN = 2.0, 0.2  # seconds


class TerminatedError(BaseException):
    """The process is asked to end; like `KeyboardInterrupt`, no error of the program.

    Attributes:
        status: with which it exits.
    """

    status = 128 + 15


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
    """Let Ctrl-C and SIGTERM raise, so that what is incomplete is removed.

    Where whoever started the process has them ignored, they stay so.
    """
    endings = {
        signal.SIGINT: (KeyboardInterrupt, signal.default_int_handler),
        signal.SIGTERM: (TerminatedError, None),
    }
    for number, (error, usual) in endings.items():
        if signal.getsignal(number) in (signal.SIG_DFL, usual):
            signal.signal(number, _Ending(error).begin)


class _Ending:
    """Raises an error where no library is at work, which might handle it as its own.

    While a model is traced, Keras and TensorFlow do so with any error. A library that
    goes on working is interrupted all the same after a while, and again until the error
    has come through.

    Args:
        error: to raise.
    """

    def __init__(self, error: type[BaseException]) -> None:
        self._error = error
        self._begun = 0.0

    def begin(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        if self._begun or not hasattr(signal, "setitimer"):
            raise self._error
        self._begun = time.monotonic()
        signal.signal(signal.SIGALRM, self._try)
        self._try(number, frame)

    def _try(self, number, frame):
        is_on_its_way = isinstance(sys.exc_info()[1], self._error)
        is_safe = not is_on_its_way and not _is_at_work(frame)
        if not is_safe:
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        waited = time.monotonic() - self._begun
        if is_safe or (waited > _PATIENCE and not is_on_its_way):
            raise self._error


def has_come_through() -> None:
    """Stop raising the error that ends the process."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def _is_at_work(frame):
    """Whether a library is among what is being called."""
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES:
            return True
        frame = frame.f_back
    return False
