"""Parsers of command lines, and the kinds of values that they take."""

import argparse
import math
from contextlib import suppress
from typing import Any, NoReturn

from keras_attention.cli.messages import say


def positive(text: str) -> int:
    """A positive integer of the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def natural(text: str) -> int:
    """A non-negative integer of the command line."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a non-negative integer")
    return int(text)


def above_zero(text: str) -> float:
    """A number of the command line above 0."""
    with suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")


def not_negative(text: str) -> float:
    """A number of the command line, 0 or above."""
    with suppress(ValueError):
        if 0 <= float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number, 0 or above")


def share(text: str) -> float:
    """A number of the command line, from 0 to 1."""
    with suppress(ValueError):
        if 0 <= float(text) <= 1:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")


def named(text: str) -> str:
    """A path given on the command line, which must not be empty."""
    if text:
        return text
    raise argparse.ArgumentTypeError("the name is empty")


_METAVARS: dict[Any, str] = {
    positive: "N",
    natural: "N",
    above_zero: "X",
    not_negative: "X",
    share: "X",
    named: "FILE",
}


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help that keeps the lines of descriptions, and says what the defaults are."""

    def _get_default_metavar_for_optional(self, action: argparse.Action) -> str:
        usual = super()._get_default_metavar_for_optional(action)
        return _METAVARS.get(action.type, usual)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        said = action.help
        is_said = said is None or "default" in said or not action.option_strings
        if is_said or action.default in (None, False, [], argparse.SUPPRESS):
            return said
        return f"{said} (default: %(default)s)"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line.

    Args:
        kwargs: as of `argparse.ArgumentParser`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Help, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and exit."""
        say(f"error: {message} ({self.prog} --help lists the options)")
        self.exit(2)
