"""The options of `evaluate`."""

import argparse

from keras_attention.cli.options.shared import (
    add_bleu,
    add_comet,
    add_engine,
    add_folder,
    add_language,
    add_pairs,
    add_search,
)
from keras_attention.cli.parser import named, natural

HELP = "measure BLEU, chrF and exact matches on a test set"
DESCRIPTION = """\
Translate a test set and compare with its references: BLEU and chrF by sacrebleu, with
their signatures, and the share of exact matches."""
EXAMPLES = """\
example:
  keras-attention evaluate run/translator --source test.en --target test.de --beams 5"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a parser."""
    add_folder(parser)
    add_language(parser)
    add_pairs(parser)
    parser.add_argument(
        "--lowercase",
        action="store_true",
        help="compare without case; what was trained so is compared so",
    )
    add_bleu(parser)
    add_comet(parser)
    parser.add_argument(
        "--confidence",
        type=named,
        metavar="PICTURE",
        help="draw whether confidence comes true, and BLEU of what is left where it "
        "is low",
    )
    parser.add_argument(
        "--samples",
        type=natural,
        default=5,
        help="test sentences to show",
    )
    add_search(parser)
    add_engine(parser)
