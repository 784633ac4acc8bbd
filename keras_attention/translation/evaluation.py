"""How good the translations of a test set are."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from keras_attention.optional_packages import needs
from keras_attention.translation.base_translator import BaseTranslator


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


def _folds_case(tokenizer: Any) -> bool:
    """Whether a tokenizer makes the same ids of upper and lower case."""
    return bool(tokenizer.lowercase or tokenizer.normalization.endswith("_cf"))
