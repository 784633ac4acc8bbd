"""The command that measures a saved Translator."""

import argparse

from keras_attention.cli.files import read_part
from keras_attention.cli.results import (
    check_bleu,
    draw_confidence,
    measure,
    show_samples,
)
from keras_attention.cli.saved import load
from keras_attention.translation.comet import measure_comet


def run(options: argparse.Namespace) -> dict[str, float]:
    """Measure a saved Translator on a test set; return the figures."""
    check_bleu(options.bleu_tokenize)
    test = read_part(options.pairs, options.source, options.target)
    translator = load(options)
    show_samples(translator, test, options.samples)
    figures = measure(translator, test, options)
    if options.comet is not None:
        figures["comet"] = _comet(translator, test, options)
    if options.confidence:
        figures |= draw_confidence(translator, test, options, options.confidence)
    return figures


def _comet(translator, test, options):
    """COMET of a test set, printed and returned."""
    sources, references = test
    try:
        scores = measure_comet(
            sources,
            translator([*sources]),
            references,
            options.comet,
            python=options.comet_python,
        )
    except RuntimeError as error:
        raise ValueError(f"--comet: {error}") from error
    comet = sum(scores) / len(scores)
    print(f"COMET {comet:.4f} ({options.comet})")
    return comet
