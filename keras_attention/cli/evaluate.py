"""The command that measures a saved Translator."""

import argparse
from collections.abc import Sequence

from keras_attention.cli.files import read_part
from keras_attention.cli.options import (
    Parser,
    add_bleu,
    add_engine,
    add_search,
    add_test,
    natural,
)
from keras_attention.cli.results import measure, show_samples
from keras_attention.cli.saved import load


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options of `evaluate`."""
    parser = Parser("evaluate", description="Measure a Translator on a test set.")
    add_test(parser)
    add_search(parser)
    add_engine(parser)
    parser.add_argument(
        "--lowercase",
        action="store_true",
        help="compare without case; what was trained so is compared so",
    )
    add_bleu(parser)
    parser.add_argument(
        "--samples", type=natural, default=5, help="test sentences to show"
    )
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> dict[str, float]:
    """Measure a saved Translator on a test set; return the figures."""
    test = read_part(options.pairs, options.source, options.target)
    translator = load(options)
    show_samples(translator, test, options.samples)
    return measure(translator, test, options)
