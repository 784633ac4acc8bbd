"""The options of `score`."""

import argparse

from keras_attention.cli.options.shared import (
    add_engine,
    add_folder,
    add_language,
    add_pairs,
)

HELP = "say how probable given translations are"
DESCRIPTION = """\
Print for each pair the natural logarithm of the probability that the model gives the
translation, its end included, a tab, and the number of its tokens."""
EXAMPLES = """\
example:
  keras-attention score run/translator --source test.en --target test.de > scores.tsv"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a parser."""
    add_folder(parser)
    add_language(parser)
    add_pairs(parser)
    add_engine(parser)
