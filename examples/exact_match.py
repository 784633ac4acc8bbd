"""Tasks of letters to letters whose answers are right or wrong, and nothing between.

What `date_format.py` and `addition.py` share: the book's files and its split, training
with a test after each epoch, the table and the curves.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from keras_attention import Translator, text, training
from keras_attention.decoding import Greedy
from keras_attention.models import Seq2Seq

Pairs = list[tuple[str, str]]


def book_pairs(path: Path) -> tuple[Pairs, Pairs]:
    """A file of the book and its split: NumPy's seed 1984, the last tenth tests."""
    lines = text.read_lines(path)
    pairs = [tuple(line.rstrip("\n").split("_")) for line in lines]
    pairs = [(source.rstrip(), target.strip()) for source, target in pairs]
    np.random.seed(1984)
    order = np.arange(len(pairs))
    np.random.shuffle(order)
    shuffled = [pairs[index] for index in order]
    cut = len(shuffled) - len(shuffled) // 10
    return shuffled[:cut], shuffled[cut:]


def train(
    model: Seq2Seq,
    name: str,
    letters: text.CharacterTokenizer,
    pairs: tuple[Pairs, Pairs],
    answer_length: int,
    options: argparse.Namespace,
) -> list[float]:
    """Train epoch by epoch; return the exact match after each, in per cent."""
    training_pairs, test_pairs = pairs
    batches = text.translation_dataset(
        *zip(*training_pairs, strict=True),
        letters,
        letters,
        batch_size=options.batch_size,
        seed=options.seed,
    )
    model.compile(
        training.Adam(
            training.InverseSquareRoot(options.learning_rate, warmup_steps=300),
            global_clipnorm=5.0,
            use_ema=options.ema > 0,
            ema_momentum=options.ema,
        ),
        loss=training.MaskedCrossEntropy(),
    )
    translator = Translator(
        model, letters, letters, Greedy(answer_length + 1), batch_size=1000
    )
    exact = ExactMatch(translator, name, test_pairs)
    callbacks: list[keras.callbacks.Callback] = [exact]
    if options.ema:
        callbacks.insert(0, keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    model.fit(
        batches, epochs=options.epochs, callbacks=callbacks, shuffle=False, verbose=0
    )
    return exact.by_epoch


class ExactMatch(keras.callbacks.Callback):
    """Answers the test after each epoch and counts what is exactly right."""

    def __init__(self, translator: Translator, name: str, pairs: Pairs) -> None:
        super().__init__()
        self.translator = translator
        self.name = name
        self.sources, self.references = zip(*pairs, strict=True)
        self.by_epoch: list[float] = []

    def on_epoch_end(self, epoch, logs=None):
        outputs = self.translator(self.sources)
        right = sum(map(str.__eq__, outputs, self.references))
        self.by_epoch.append(100 * right / len(outputs))
        print(
            f"{self.name}, epoch {epoch + 1}: exact match {self.by_epoch[-1]:.2f} %, "
            f"loss {logs['loss']:.4f}",
            flush=True,
        )


def print_table(results: dict[str, list[float]]) -> None:
    """Print the exact match of the models beside one another."""
    width = max(14, *(len(name) + 2 for name in results))
    titles = "".join(name.rjust(width) for name in results)
    print(f"\nExact match in per cent\nepoch {titles}")
    for epoch, row in enumerate(zip(*results.values(), strict=True), start=1):
        print(f"{epoch:5} " + "".join(f"{value:{width}.2f}" for value in row))


def draw_curves(results: dict[str, list[float]], path: str, title: str) -> None:
    """Draw the exact match over the epochs."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, curve in results.items():
        axes.plot(range(1, len(curve) + 1), curve, marker=".", label=name)
    axes.set(title=title, xlabel="epoch", ylabel="exact match, %", ylim=(-2, 102))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    print(f"Curves in {path}")


def add_options(parser: argparse.ArgumentParser, models: Sequence[str]) -> None:
    """The options that the tasks have in common."""
    add = parser.add_argument
    add("--pairs", type=int, default=50_000, help="examples to make")
    add("--models", nargs="+", choices=tuple(models), default=list(models))
    add("--batch-size", type=int, default=64)
    add("--learning-rate", type=float, default=2e-3, help="at the peak")
    add("--ema", type=float, default=0.0, help="momentum of averaged weights")
    add("--seed", type=int, default=0)
