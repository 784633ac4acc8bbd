"""From the arguments of a command line to a command, and from errors to messages."""

import argparse
import importlib
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from keras_attention.cli.messages import (
    BROKEN_PIPE,
    INTERRUPTED,
    describe,
    discard_output,
    is_mistake,
    is_without_reader,
    say,
    wait_for_readers,
)

COMMANDS = ("train", "translate", "evaluate", "score", "export")


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run the command that the arguments name; training is the default.

    Raises:
        SystemExit: after a line on standard error, for what is wrong with the user's
            files or options; and without one when whoever reads the output has left.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    wait_for_readers()
    for stream in sys.stdout, sys.stderr:
        if hasattr(stream, "reconfigure"):  # whatever the locale
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: say(f"warning: {message}")
        try:
            return _run(arguments)
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        except Exception as error:
            if not is_mistake(error):
                raise
            discard_output()
            if is_without_reader(error):
                raise SystemExit(BROKEN_PIPE) from None
            say(f"error: {describe(error)}")
            raise SystemExit(2) from error


def _run(arguments: list[str]) -> Any:
    name = "train"
    if arguments and arguments[0] in COMMANDS:
        name, *arguments = arguments
    # Each is a module of its own, which imports no more than it needs.
    command = importlib.import_module(f"keras_attention.cli.{name}")
    options: argparse.Namespace = command.parse(arguments)
    try:
        result = command.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
        return result
    except OSError as error:
        if error.strerror and error.filename is None:  # of a full disk, for one
            error.filename = getattr(options, "output", "standard output")
        raise
