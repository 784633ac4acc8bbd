"""The options of `align`."""

import argparse

from keras_attention.cli.options.shared import (
    add_folder,
    add_language,
    add_pairs,
    add_precision,
)

HELP = "say which words of given translations belong together"
DESCRIPTION = """\
Print for each pair which words belong together, by what the model attends to while it
writes the translation: 0-0 1-2, source first, counted from 0 (Pharaoh's format). Words
are separated by whitespace."""
EXAMPLES = """\
example:
  keras-attention align run/translator --source test.en --target test.de > test.align"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a parser."""
    add_folder(parser)
    add_language(parser)
    add_pairs(parser)
    parser.add_argument(
        "--tokens",
        action="store_true",
        help="print source tokens ||| target tokens ||| which belong together",
    )
    add_precision(parser)
