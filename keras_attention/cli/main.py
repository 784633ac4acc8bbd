"""From the arguments of a command line to a command, and from errors to messages."""

import argparse
import importlib
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from keras_attention.cli.command_line import parse
from keras_attention.cli.configuration import write_options
from keras_attention.cli.files import check_readable
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
from keras_attention.cli.process import import_keras
from keras_attention.whole_files import check_new_file

# Commands that always need it; others by their engine.
WITH_KERAS = ("train", "convert")


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run the command that the arguments name.

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
            return _run(parse(arguments))
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


def run() -> None:
    """Run the command of this process, whose exit status says whether it succeeded."""
    main()


def _run(options: argparse.Namespace) -> Any:
    if options.save_config:
        check_new_file(options.save_config)
    if options.command in WITH_KERAS:
        if "keras" not in sys.modules:  # whose import takes seconds
            check_readable(options)
        import_keras(options.command)
    # Each is a module of its own, which imports no more than it needs.
    name = f"keras_attention.cli.commands.{options.command}"
    command = importlib.import_module(name)
    try:
        result = command.run(options)
        if options.save_config:
            write_options(options.save_config, options.command, vars(options))
        if sys.stdout is not None:
            sys.stdout.flush()
        return result
    except OSError as error:
        if error.strerror and error.filename is None:  # of a full disk, for one
            output = getattr(options, "output", None)
            error.filename = "standard output" if output is None else output
        raise
