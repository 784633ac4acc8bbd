"""Sums, letter by letter: what a reversed source, peeking and attention each add.

    python examples/addition.py                     # sums made here
    python examples/addition.py --data addition.txt # the book's file

The task of Saito (2018), "Deep Learning from Scratch 2", chapter 7: `57+5` to `62`,
with one LSTM layer of 128. Each of the four models has what the one before it has, and
one thing more. They are measured after each epoch, and their curves are drawn.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import keras
from exact_match import Pairs, add_options, book_pairs, draw_curves, print_table, train

from keras_attention import text
from keras_attention.models import rnn_seq2seq

MODELS = {
    "plain": {"attention": None},
    "reversed": {"attention": None, "reverse_source": True},
    "peeky, reversed": {"attention": None, "peeky": True, "reverse_source": True},
    "attention": {"attention": "general", "peeky": True, "reverse_source": True},
}
ANSWER_LENGTH = len("1998")


def main(arguments: Sequence[str] | None = None) -> dict[str, list[float]]:
    """Train the four models; return their exact match in per cent, by epoch."""
    options = parse(arguments)
    pairs = (
        book_pairs(Path(options.data))
        if options.data
        else make_sums(options.pairs, options.seed)
    )
    print(f"{len(pairs[0])} sums to train, {len(pairs[1])} to test")
    letters = text.CharacterTokenizer.train(side for pair in pairs[0] for side in pair)
    results = {}
    for name in options.models:
        keras.utils.set_random_seed(options.seed)
        model = rnn_seq2seq(
            letters.vocabulary_size,
            letters.vocabulary_size,
            embedding_dim=16,
            units=options.units,
            **MODELS[name],
        )
        print(f"{name}: {model.count_params():,} parameters")
        results[name] = train(model, name, letters, pairs, ANSWER_LENGTH, options)
    print_table(results)
    draw_curves(results, options.output, "Sums of two numbers below 1,000")
    return results


def make_sums(count: int, seed: int) -> tuple[Pairs, Pairs]:
    """Distinct sums of numbers of one to three digits; a tenth tests."""
    random_numbers = random.Random(seed)
    pairs: dict[str, str] = {}
    while len(pairs) < count:
        one, other = (
            random_numbers.randrange(10 ** random_numbers.randint(1, 3))
            for _ in range(2)
        )
        pairs[f"{one}+{other}"] = str(one + other)
    listed = list(pairs.items())
    random_numbers.shuffle(listed)
    cut = count - count // 10
    return listed[:cut], listed[cut:]


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", help="the book's addition.txt; without it sums are made")
    add("--epochs", type=int, default=25)
    add("--units", type=int, default=128)
    add("--output", default="addition.png", help="picture of the curves")
    add_options(parser, MODELS)
    parser.set_defaults(ema=0.99)  # else the last epochs are up and down by chance
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
