"""What a command prints and draws of a test set."""

import argparse
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from keras_attention.cli.files import Part
from keras_attention.cli.messages import say_counts
from keras_attention.optional_packages import needs
from keras_attention.translation.base_translator import BaseTranslator
from keras_attention.translation.evaluation import evaluate, measure_confidence


def check_bleu(name: str) -> None:
    """Raise `ValueError` unless sacrebleu has a tokenizer that can be used."""
    with needs("sacrebleu", extra="bleu", by="--bleu-tokenize"):
        import sacrebleu  # `translate` does without it

    known = sacrebleu.BLEU.TOKENIZERS
    if name not in known:
        raise ValueError(f"--bleu-tokenize: {name!r} is not one of {', '.join(known)}")
    try:
        sacrebleu.BLEU(tokenize=name)
    except (RuntimeError, ImportError, OSError) as error:
        raise ValueError(
            f"--bleu-tokenize: {name!r} cannot be used: {error}"
        ) from error


def show_samples(translator: BaseTranslator, test: Part, count: int) -> None:
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


def draw_confidence(
    translator: BaseTranslator, test: Part, options: argparse.Namespace, path: Any
) -> dict[str, float]:
    """Say and draw whether confidence comes true on a test set; return the errors."""
    from keras_attention.visualization import plot_confidence

    found = measure_confidence(
        translator,
        *test,
        lowercase=options.lowercase or None,
        tokenize=options.bleu_tokenize,
    )
    temperature = translator.confidence_temperature
    (_, whole), *_ = found.withheld
    half = dict(found.withheld)[0.5]
    print(
        f"Confidence of words differs from the share of right ones by "
        f"{100 * found.error_before:.1f} %, calibrated (temperature {temperature:.2f}) "
        f"by {100 * found.error:.1f} %; BLEU of the surer half {half:.1f}, of all "
        f"{whole:.1f}\nPicture in {path}"
    )
    plot_confidence(
        {
            "as the model finds": found.reliability_before,
            "calibrated": found.reliability,
        },
        found.withheld,
        path=path,
    )
    return {
        "confidence_error": found.error,
        "confidence_error_before": found.error_before,
    }


def measure_each(
    translator: BaseTranslator,
    test: Part,
    options: argparse.Namespace,
    tags: Mapping[str, str],
) -> dict[str, Any]:
    """Figures of a test set, and of each language of a model of several.

    Args:
        translator: to measure.
        test: sources, with the tags of languages if there are several.
        options: of the command.
        tags: by language; none where there is but one.
    """
    figures: dict[str, Any] = measure(translator, test, options)
    for language, tag in tags.items():
        own = [
            (source, target)
            for source, target in zip(*test, strict=True)
            if source.startswith(f"{tag} ")
        ]
        if own:
            print(f"\n{tag}")
            sides = [source for source, _ in own], [target for _, target in own]
            figures[language] = measure(translator, sides, options)
    return figures


def measure(
    translator: BaseTranslator, test: Part, options: argparse.Namespace
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
