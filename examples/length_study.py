"""Quality by length: a fixed vector, attention and a Transformer on the same data.

    python examples/length_study.py --source train.en --target train.de
    python examples/length_study.py                        # the shipped corpus

Cho et al. (2014, figure 4) saw translations from a fixed vector fall with the length of
the sentence; Bahdanau et al. (2015, figure 2) saw attention hold. Three models of about
one size are trained for the same time, and measured on held-out sentences by length:
BLEU with its 95 % confidence interval from a thousand resamplings, as a table and a
picture.
"""

import argparse
import json
import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import sacrebleu

from keras_attention import Translator, text
from keras_attention.decoding import Greedy
from keras_attention.models import Seq2Seq, rnn_seq2seq, transformer
from keras_attention.translation import (
    compile_model,
    fit_translator,
    make_batches,
    train_tokenizers,
)

# Sizes that come to about one number of parameters.
MODELS = {
    "fixed vector": lambda *sizes, dropout: rnn_seq2seq(
        *sizes,
        embedding_dim=256,
        units=320,
        cell="gru",
        bidirectional=True,
        attention=None,
        peeky=True,
        dropout=dropout,
    ),
    "attention": lambda *sizes, dropout: rnn_seq2seq(
        *sizes,
        embedding_dim=256,
        units=320,
        cell="gru",
        bidirectional=True,
        attention="additive",
        dropout=dropout,
    ),
    "Transformer": lambda *sizes, dropout: transformer(
        *sizes,
        num_layers=3,
        num_heads=4,
        embedding_dim=256,
        intermediate_dim=512,
        dropout=dropout,
    ),
}

DATA = Path(__file__).with_name("english_korean")
Pairs = list[tuple[str, str]]
Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> list[Row]:
    """Train, measure by length, print and draw; return the rows of the table."""
    options = parse(arguments)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    bins = list(pairwise([*options.bins, 10_000]))
    pairs = read(options)[: options.limit]
    training_pairs, test = hold_out(pairs, bins, options.per_bin, options.seed)
    counts = [len(pairs) for pairs in test]
    print(f"{len(training_pairs)} pairs to train, to test by length: {counts}")
    rows = []
    for name in options.models:
        keras.utils.set_random_seed(options.seed)
        translator = train(name, training_pairs, options, folder)
        rows += [
            {"model": name, "from": low, "to": high - 1, **measure(translator, pairs)}
            for (low, high), pairs in zip(bins, test, strict=True)
            if pairs
        ]
        print_rows([row for row in rows if row["model"] == name])
    (folder / "length_study.json").write_text(json.dumps(rows, indent=2), "utf-8")
    draw(rows, folder / "length_study.png")
    return rows


def read(options: argparse.Namespace) -> Pairs:
    """The pairs of two files, or of the shipped corpus."""
    if options.source:
        lines = text.read_parallel(options.source, options.target)
        return list(zip(*lines, strict=True))
    files = (DATA / f"{part}.tsv" for part in ("train", "validation", "test"))
    return [pair for file in files for pair in zip(*text.read_pairs(file), strict=True)]


def hold_out(
    pairs: Pairs, bins: list[tuple[int, int]], per_bin: int, seed: int
) -> tuple[Pairs, list[Pairs]]:
    """A test of so many pairs of each length, and the others to train.

    Long sentences are rare, so a test drawn at random would say little of them. Never
    more than half of a bin is taken, and no source sentence stands on both sides.
    """
    shuffled = sorted(set(pairs))
    random.Random(seed).shuffle(shuffled)
    test: list[Pairs] = []
    for low, high in bins:
        of_bin = [pair for pair in shuffled if low <= len(pair[0].split()) < high]
        test.append(of_bin[: min(per_bin, len(of_bin) // 2)])
    held_out = {source for part in test for source, _ in part}
    return [pair for pair in shuffled if pair[0] not in held_out], test


def train(
    name: str, pairs: Pairs, options: argparse.Namespace, folder: Path
) -> Translator:
    """A model trained for the minutes that all of them get."""
    run = folder / name.replace(" ", "_")
    run.mkdir(exist_ok=True)
    cut = len(pairs) // 50
    training, validation = (
        tuple(zip(*part, strict=True)) for part in (pairs[cut:], pairs[:cut])
    )
    tokenizers = train_tokenizers(
        training,
        vocabulary_size=options.vocabulary_size,
        lowercase=options.lowercase,
        model_type="bpe",
    )
    sizes = [tokenizer.vocabulary_size for tokenizer in tokenizers]
    model: Seq2Seq = MODELS[name](*sizes, dropout=options.dropout)
    print(f"{name}: {model.count_params():,} parameters", flush=True)
    translator = Translator(model, *tokenizers, search=Greedy(max_length=100))
    batches = make_batches(
        training,
        validation,
        tokenizers,
        epochs=options.epochs,
        batch_tokens=2048,
        seed=options.seed,
    )
    compile_model(model, batches.steps, ema=0.998)
    fit_translator(translator, batches, validation, run, minutes=options.minutes)
    return translator


def measure(translator: Translator, pairs: Pairs) -> Row:
    """BLEU of some pairs with half the width of its 95 % confidence interval."""
    sources, references = zip(*pairs, strict=True)
    outputs = translator(list(sources))
    bleu = sacrebleu.BLEU(lowercase=True)
    score = bleu.corpus_score(outputs, [list(references)], n_bootstrap=1000)
    lengths = [len(output.split()) for output in outputs]
    wanted = [len(reference.split()) for reference in references]
    return {
        "count": len(pairs),
        "bleu": score.score,
        "interval": score._ci,  # sacrebleu prints it, and gives it by no other name
        "length_ratio": sum(lengths) / sum(wanted),
    }


def print_rows(rows: list[Row]) -> None:
    """Print the table of one model."""
    print(f"\n{'model':>14} {'words':>9} {'count':>6} {'BLEU':>14} {'length':>7}")
    for row in rows:
        words = f"{row['from']}-{row['to']}" if row["to"] < 9999 else f"{row['from']}-"
        print(
            f"{row['model']:>14} {words:>9} {row['count']:>6} "
            f"{row['bleu']:>6.1f} ± {row['interval']:<5.1f} "
            f"{row['length_ratio']:>7.2f}",
            flush=True,
        )


def draw(rows: list[Row], path: Path) -> None:
    """Draw BLEU over length, with intervals, and the counts below."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(8, 5), layout="constrained")
    names = list(dict.fromkeys(row["model"] for row in rows))
    for shift, name in enumerate(names):
        own = [row for row in rows if row["model"] == name]
        axis.errorbar(
            [index + 0.06 * (shift - 1) for index in range(len(own))],
            [row["bleu"] for row in own],
            yerr=[row["interval"] for row in own],
            marker="o",
            capsize=3,
            label=name,
        )
    first = [row for row in rows if row["model"] == names[0]]
    labels = [
        f"{row['from']}–{row['to']}" if row["to"] < 9999 else f"{row['from']}+"
        for row in first
    ]
    counts = [
        f"{label}\n({row['count']})" for label, row in zip(labels, first, strict=True)
    ]
    axis.set_xticks(range(len(first)), counts)
    axis.set(xlabel="words of the source (test sentences)", ylabel="BLEU")
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    print(f"Picture in {path}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--source", help="file of source lines; without it the shipped corpus")
    add("--target", help="their translations, in the same order")
    add("--models", nargs="+", choices=tuple(MODELS), default=list(MODELS))
    add("--bins", type=int, nargs="+", default=[1, 8, 11, 14, 17, 20, 24])
    add("--per-bin", type=int, default=300, help="test sentences of each length")
    add("--limit", type=int, help="use only this many pairs")
    add("--minutes", type=float, default=15.0, help="of training, for each model")
    add("--epochs", type=int, default=40, help="the most")
    add("--vocabulary-size", type=int, help="by default by the size of the data")
    add("--dropout", type=float, default=0.2)
    add("--lowercase", action="store_true")
    add("--output", default="length-study", help="folder to write")
    add("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if bool(options.source) != bool(options.target):
        parser.error("--source and --target belong together")
    return options


if __name__ == "__main__":
    main()
