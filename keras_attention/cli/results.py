"""What a command prints and draws of a test set."""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from keras_attention.cli.files import Part
from keras_attention.cli.messages import say_counts
from keras_attention.translation.evaluation import evaluate
from keras_attention.translation.translator import Translator
from keras_attention.visualization import plot_attention


def show_samples(translator: Translator, test: Part, count: int) -> None:
    """Print evenly spaced test sentences with their translations and references."""
    count = min(count, len(test[0]))
    chosen = [index * len(test[0]) // count for index in range(count)]
    sources, references = ([side[index] for index in chosen] for side in test)
    for source, output, reference in zip(
        sources, translator(sources), references, strict=True
    ):
        print(f"\n  source      {source}\n  translation {output}")
        print(f"  reference   {reference}")
    print()


def measure(
    translator: Translator, test: Part, options: argparse.Namespace
) -> dict[str, float]:
    """Figures of a test set, printed and returned; what was cut is said too."""
    started = time.monotonic()
    counts: Counter[str] = Counter()
    found = evaluate(
        translator,
        *test,
        lowercase=options.lowercase or None,  # what was trained so is measured so
        tokenize=options.bleu_tokenize,
        counts=counts,
    )
    seconds = time.monotonic() - started
    print(
        f"{len(found.translations)} test sentences in {seconds:.1f} s: "
        f"exact match {found.exact_match:.1f} %, BLEU {found.bleu:.1f}, "
        f"chrF {found.chrf:.1f}\n({'; '.join(found.signatures)})"
    )
    say_counts(counts, translator, "sources")
    return {name: getattr(found, name) for name in ("exact_match", "bleu", "chrf")}


def draw(translator: Translator, sources: Sequence[str], path: Path) -> None:
    """Draw the attention of a sentence of middling length."""
    source = min(sources, key=lambda line: abs(len(line.split()) - 9))
    best = translator.hypotheses([source])[0][0]
    if best.attention is None:
        print("No attention to draw")
        return
    plot_attention(best.attention, best.source_tokens, best.target_tokens, path=path)
    print(f"Attention picture in {path}")
