"""Dates of any spelling to ISO 8601: what attention adds to a fixed vector.

    python examples/date_format.py                 # dates made here
    python examples/date_format.py --data date.txt # the book's file

The task of Saito (2018), "Deep Learning from Scratch 2", chapters 7 and 8:
`september 27, 1994` to `1994-09-27`, letter by letter. Three models of one size, a
fixed vector, a peeky one and one with attention, are measured after each epoch; the
attention of the last one is drawn.
"""

import argparse
import datetime
import random
from collections.abc import Sequence
from pathlib import Path

import keras
from exact_match import Pairs, add_options, book_pairs, print_table, train

from keras_attention import Translator, text
from keras_attention.decoding import Greedy
from keras_attention.models import Seq2Seq, rnn_seq2seq
from keras_attention.visualization import plot_attention

MODELS = {
    "fixed vector": {"attention": None},
    "peeky": {"attention": None, "peeky": True},
    "attention": {"attention": "dot", "input_feeding": False},
}
SPELLINGS = (
    "%B %-d, %Y",
    "%b %-d, %Y",
    "%-d %B %Y",
    "%A, %B %-d, %Y",
    "%-m/%-d/%y",
    "%Y/%m/%d",
    "%d.%m.%Y",
)
DATE_LENGTH = len("1994-09-27")


def main(arguments: Sequence[str] | None = None) -> dict[str, list[float]]:
    """Train the three models; return their exact match in per cent, by epoch."""
    options = parse(arguments)
    pairs = training_pairs, test_pairs = (
        book_pairs(Path(options.data))
        if options.data
        else make_dates(options.pairs, options.seed)
    )
    print(f"{len(training_pairs)} dates to train, {len(test_pairs)} to test")
    letters = text.CharacterTokenizer.train(
        side for pair in training_pairs for side in pair
    )
    results = {}
    for name in options.models:
        keras.utils.set_random_seed(options.seed)
        model = build(name, letters.vocabulary_size, options)
        results[name] = train(model, name, letters, pairs, DATE_LENGTH, options)
        if name == "attention":
            draw(model, letters, test_pairs[0][0], options.output)
    print_table(results)
    return results


def make_dates(count: int, seed: int) -> tuple[Pairs, Pairs]:
    """Distinct spellings of random days from 1900 on; a tenth tests."""
    random_numbers = random.Random(seed)
    first = datetime.date(1900, 1, 1)
    pairs: dict[str, str] = {}
    while len(pairs) < count:
        day = first + datetime.timedelta(days=random_numbers.randrange(45_000))
        spelling = random_numbers.choice(SPELLINGS)
        # The last two digits of a year say too little before 1970.
        if "%y" in spelling and not 1970 <= day.year < 2070:
            continue
        pairs[day.strftime(spelling).lower()] = day.isoformat()
    listed = list(pairs.items())
    random_numbers.shuffle(listed)
    cut = count - count // 10
    return listed[:cut], listed[cut:]


def build(name: str, vocabulary_size: int, options: argparse.Namespace) -> Seq2Seq:
    """A model with the book's sizes: embeddings of 16, one LSTM layer of 256."""
    return rnn_seq2seq(
        vocabulary_size,
        vocabulary_size,
        embedding_dim=16,
        units=options.units,
        reverse_source=True,
        name=name.replace(" ", "_"),
        **MODELS[name],
    )


def draw(model, letters, source: str, path: str) -> None:
    """Draw which letters of a date each letter of the answer looks at."""
    translator = Translator(model, letters, letters, Greedy(DATE_LENGTH + 1))
    best = translator.hypotheses([source])[0][0]
    plot_attention(
        best.attention, best.source_tokens, best.target_tokens, title=source, path=path
    )
    print(f"Attention picture in {path}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", help="the book's date.txt; without it dates are made")
    add("--epochs", type=int, default=10)
    add("--units", type=int, default=256)
    add("--output", default="date_attention.png", help="picture of the attention")
    add_options(parser, MODELS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
