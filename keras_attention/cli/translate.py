"""The command that translates standard input."""

import argparse
import sys
from collections.abc import Sequence

from keras_attention.cli.messages import say_counts
from keras_attention.cli.options import Parser, add_engine, add_search, named
from keras_attention.cli.saved import load
from keras_attention.translation.lines import translate_lines


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options of `translate`."""
    parser = Parser("translate", description="Translate standard input line by line.")
    parser.add_argument("folder", type=named, help="a saved Translator")
    add_search(parser)
    add_engine(parser)
    parser.add_argument(
        "--alignments",
        action="store_true",
        help="print source tokens ||| target tokens ||| which belong together: 0-0 1-2",
    )
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    """Translate standard input, a line at a time."""
    if sys.stdin is None or sys.stdout is None:
        raise ValueError("translate needs a standard input and a standard output")
    translator = load(options)
    counts = translate_lines(
        translator, sys.stdin.buffer, sys.stdout.buffer, options.alignments
    )
    say_counts(counts, translator, "lines")
