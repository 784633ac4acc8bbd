"""How good the translations of a test set are."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_attention.optional_packages import needs
from keras_attention.translation.base_translator import BaseTranslator
from keras_attention.translation.confidence import (
    calibration_error,
    find_probabilities,
    reliability,
    right_words,
    temper,
)


class Evaluation(NamedTuple):
    """Figures of a test set.

    Attributes:
        exact_match: per cent of the translations that are the reference, but for
            blanks.
        bleu: of the corpus (Papineni et al. 2002).
        chrf: of the corpus (Popović 2015).
        translations: of each source.
        signatures: of sacrebleu for BLEU and chrF, which say how it counted.
    """

    exact_match: float
    bleu: float
    chrf: float
    translations: list[str]
    signatures: tuple[str, str]


def evaluate(
    translator: BaseTranslator,
    sources: Sequence[str],
    references: Sequence[str],
    *,
    lowercase: bool | None = None,
    tokenize: str = "13a",
    counts: Counter[str] | None = None,
) -> Evaluation:
    """Translate a test set, and compare it with its references.

    Args:
        translator: to be measured.
        sources: texts to translate.
        references: a translation of each.
        lowercase: whether case is ignored; by default as the translator's own target
            tokenizer does.
        tokenize: how sacrebleu cuts texts for BLEU, as `"char"` for Korean.
        counts: what is added up on the way, as by `Translator.stream`.

    Raises:
        ImportError: without sacrebleu, which `keras-attention-layers[bleu]` installs.
        ValueError: if the lists are empty or differ in length.
    """
    with needs("sacrebleu", extra="bleu", by="evaluate"):
        import sacrebleu

    if len(sources) != len(references) or not len(sources):
        raise ValueError(
            "`sources` and `references` must hold equally many texts. Received: "
            f"len(sources)={len(sources)}, len(references)={len(references)}"
        )
    if lowercase is None:
        lowercase = _folds_case(translator.target_tokenizer)
    bleu = sacrebleu.BLEU(lowercase=lowercase, tokenize=tokenize, force=True)
    chrf = sacrebleu.CHRF(lowercase=lowercase)
    translations = list(translator.stream(sources, counts=counts))

    def comparable(line):
        line = " ".join(line.split())
        return line.casefold() if lowercase else line

    matches = [
        comparable(translation) == comparable(reference)
        for translation, reference in zip(translations, references, strict=True)
    ]
    return Evaluation(
        exact_match=100 * sum(matches) / len(matches),
        bleu=bleu.corpus_score(translations, [list(references)]).score,
        chrf=chrf.corpus_score(translations, [list(references)]).score,
        translations=translations,
        signatures=(str(bleu.get_signature()), str(chrf.get_signature())),
    )


class ConfidenceFigures(NamedTuple):
    """Whether confidence comes true on a test set, and what it is good for.

    Attributes:
        error_before: calibration error of words as the model finds them.
        error: the same by the temperature of the translator.
        reliability_before: of ten ranges mean confidence, share of right words and
            their number.
        reliability: likewise.
        withheld: shares of the translations that are withheld, those of the least
            confidence, and BLEU of the others.
    """

    error_before: float
    error: float
    reliability_before: list[tuple[float, float, int]]
    reliability: list[tuple[float, float, int]]
    withheld: list[tuple[float, float]]


def measure_confidence(
    translator: BaseTranslator,
    sources: Sequence[str],
    references: Sequence[str],
    *,
    lowercase: bool | None = None,
    tokenize: str = "13a",
) -> ConfidenceFigures:
    """Translate a test set, and compare how sure the model is with how right.

    Args:
        translator: to be measured, calibrated or not.
        sources: texts to translate.
        references: a translation of each.
        lowercase: as of `evaluate`.
        tokenize: likewise.

    Raises:
        ImportError: without sacrebleu, which `keras-attention-layers[bleu]` installs.
    """
    with needs("sacrebleu", extra="bleu", by="measure_confidence"):
        import sacrebleu

    if lowercase is None:
        lowercase = _folds_case(translator.target_tokenizer)
    bleu = sacrebleu.BLEU(lowercase=lowercase, tokenize=tokenize, force=True)
    translations = translator([*sources])
    found = find_probabilities(translator, sources, translations)
    pairs = zip(translations, references, strict=True)
    is_right = np.concatenate([right_words(*pair) for pair in pairs])
    said = np.concatenate(found)
    tempered = temper(said, translator.confidence_temperature)
    confidences = translator.confidence(sources, translations)
    surest = sorted(range(len(sources)), key=lambda place: -confidences[place].share)
    withheld = []
    for tenth in range(10):
        kept = surest[: max(1, round(len(surest) * (1 - tenth / 10)))]
        score = bleu.corpus_score(
            [translations[place] for place in kept],
            [[references[place] for place in kept]],
        )
        withheld.append((tenth / 10, score.score))
    return ConfidenceFigures(
        calibration_error(said, is_right),
        calibration_error(tempered, is_right),
        reliability(said, is_right),
        reliability(tempered, is_right),
        withheld,
    )


def _folds_case(tokenizer: Any) -> bool:
    """Whether a tokenizer makes the same ids of upper and lower case."""
    return bool(tokenizer.lowercase or tokenizer.normalization.endswith("_cf"))
