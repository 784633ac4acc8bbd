"""The options of `serve`."""

import argparse

from keras_attention.cli.parser import named

HELP = "answer requests over HTTP (not implemented yet)"
DESCRIPTION = """\
To answer requests over HTTP. Not implemented in this version."""
EXAMPLES = ""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a parser."""
    parser.add_argument("folder", type=named, help="a saved Translator")
