"""What a Translator makes of a test set: samples, figures and a picture."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from translate_messages import say_counts

from keras_attention import Translator
from keras_attention.optional_packages import needs
from keras_attention.text import Tokenizer
from keras_attention.visualization import plot_attention

Lines = Sequence[str]


def show_samples(translator: Translator, test: tuple[Lines, Lines], count: int) -> None:
    """Print some test sentences, evenly from all, with translations and references."""
    count = min(count, len(test[0]))
    chosen = [index * len(test[0]) // count for index in range(count)]
    sources, references = ([side[index] for index in chosen] for side in test)
    for source, output, reference in zip(
        sources, translator(sources), references, strict=True
    ):
        print(f"\n  source      {source}\n  translation {output}")
        print(f"  reference   {reference}")
    print()


def count_cut(translator: Translator, texts: Sequence[str | bytes]) -> int:
    """How many texts have more tokens than are read of them."""
    lengths = translator.source_tokenizer.tokenize(texts).row_lengths().numpy() + 1
    return int((lengths > translator.source_limit).sum())


def folds_case(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer makes the same ids of upper and lower case."""
    return tokenizer.lowercase or tokenizer.normalization.endswith("_cf")


def measure(
    translator: Translator, test: tuple[Lines, Lines], lowercase: bool, tokenize: str
) -> dict[str, float]:
    """Exact match in per cent, BLEU and chrF of a test set, printed and returned.

    What was cut is said too.
    """
    with needs("sacrebleu", extra="bleu", by="evaluate"):  # `translate` does without it
        import sacrebleu

    sources, references = test
    started = time.time()
    counts: Counter[str] = Counter()
    outputs = list(translator.stream(sources, counts=counts))
    seconds = time.time() - started

    def comparable(line):
        line = " ".join(line.split())
        return line.casefold() if lowercase else line

    matches = [
        comparable(output) == comparable(reference)
        for output, reference in zip(outputs, references, strict=True)
    ]
    bleu = sacrebleu.BLEU(lowercase=lowercase, tokenize=tokenize, force=True)
    chrf = sacrebleu.CHRF(lowercase=lowercase)
    figures = {
        "exact_match": 100 * sum(matches) / len(matches),
        "bleu": bleu.corpus_score(outputs, [list(references)]).score,
        "chrf": chrf.corpus_score(outputs, [list(references)]).score,
    }
    print(
        f"{len(outputs)} test sentences in {seconds:.1f} s: "
        f"exact match {figures['exact_match']:.1f} %, BLEU {figures['bleu']:.1f}, "
        f"chrF {figures['chrf']:.1f}\n({bleu.get_signature()}; {chrf.get_signature()})"
    )
    say_counts(counts, translator, "sources")
    return figures


def draw(translator: Translator, sources: Lines, path: Path) -> None:
    """Draw the attention of a sentence of middling length."""
    words = sorted(sources, key=lambda line: abs(len(line.split()) - 9))
    best = translator.hypotheses([words[0]])[0][0]
    if best.attention is None:
        print("No attention to draw")
        return
    plot_attention(best.attention, best.source_tokens, best.target_tokens, path=path)
    print(f"Attention picture in {path}")
