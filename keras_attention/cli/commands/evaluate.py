"""The command that measures a saved Translator."""

import argparse

from keras_attention.cli.files import read_part
from keras_attention.cli.results import check_bleu, measure, show_samples
from keras_attention.cli.saved import load


def run(options: argparse.Namespace) -> dict[str, float]:
    """Measure a saved Translator on a test set; return the figures."""
    check_bleu(options.bleu_tokenize)
    test = read_part(options.pairs, options.source, options.target)
    translator = load(options)
    show_samples(translator, test, options.samples)
    return measure(translator, test, options)
