"""What a command does first: before Keras, which takes seconds, is imported."""

import os
import signal
import sys
from itertools import pairwise

from keras_attention.cli.messages import say
from keras_attention.optional_packages import needs


def is_command() -> bool:
    """Whether this process is `python -m keras_attention`, which is being imported."""
    is_module = getattr(sys, "argv", [])[:1] == ["-m"]  # until Python has found it
    return is_module and ("-m", "keras_attention") in pairwise(sys.orig_argv)


def prepare() -> None:
    """Make the process that of a command, and import Keras and its backend.

    Raises:
        SystemExit: where the backend is not installed, after a line that says so.
    """
    open_closed_streams()
    # While TensorFlow is imported, too, Ctrl-C ends all without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # standard error is for the user
    try:
        with needs("tensorflow", extra="text", by="the command"):
            import keras  # noqa: F401
    except ImportError as error:
        say(f"error: {error}")
        sys.exit(2)


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
    """Let Ctrl-C raise `KeyboardInterrupt`, so that incomplete folders are removed."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
