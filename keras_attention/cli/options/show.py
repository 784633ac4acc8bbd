"""The options of `show`."""

import argparse

from keras_attention.cli.parser import named

HELP = "show what a model looks at while it translates (not implemented yet)"
DESCRIPTION = """\
To show what a model looks at while it translates. Not implemented in this version."""
EXAMPLES = ""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a parser."""
    parser.add_argument("folder", type=named, help="a saved Translator")
