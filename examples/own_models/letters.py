"""What the models of this folder share: dates, training, and the three searches.

The dates are those of `examples/date_format.py`, made here so that every backend of
Keras can read them: `27 September 1994` to `1994-09-27`, letter by letter.
"""

import argparse
import datetime
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from keras_attention import training
from keras_attention.decoding import BeamSearch, Greedy, Sampling

PAD, UNKNOWN, START, END = range(4)
DATE_LENGTH = len("1994-09-27")
SPELLINGS = (
    lambda day: f"{day:%B} {day.day}, {day.year}",
    lambda day: f"{day.day} {day:%b} {day.year}",
    lambda day: f"{day:%A}, {day.day} {day:%B} {day.year}",
    lambda day: f"{day.month}/{day.day}/{day.year}",
)


def make_dates(count: int, seed: int) -> list[tuple[str, str]]:
    """Distinct spellings of random days, with what is to be written."""
    numbers, first, pairs = random.Random(seed), datetime.date(1900, 1, 1), {}
    while len(pairs) < count:
        day = first + datetime.timedelta(days=numbers.randrange(60_000))
        pairs[numbers.choice(SPELLINGS)(day).lower()] = day.isoformat()
    return list(pairs.items())


class Letters:
    """Ids of letters: 0 pads, 1 is unknown, 2 starts and 3 ends.

    Args:
        texts: every letter of them gets an id.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.letters = ["", "", "", "", *sorted(set("".join(texts)))]
        self.ids = {letter: number for number, letter in enumerate(self.letters)}

    def read(self, texts: Sequence[str]) -> np.ndarray:
        """Ids `(texts, length)`, each text with its end, padded with 0."""
        return pad(
            [*(self.ids.get(letter, UNKNOWN) for letter in text), END] for text in texts
        )

    def write(self, ids: np.ndarray) -> str:
        """The letters of ids."""
        return "".join(self.letters[number] for number in ids)


def pad(rows: Any) -> np.ndarray:
    """Lists of ids as one array, padded with 0."""
    rows = list(rows)
    padded = np.full((len(rows), max(map(len, rows))), PAD, "int32")
    for row, ids in zip(padded, rows, strict=True):
        row[: len(ids)] = ids
    return padded


def fit(
    model: keras.Model, source: np.ndarray, target: np.ndarray, options: Any
) -> None:
    """Train a model to write each target after its source."""
    steps = options.epochs * -(-len(source) // options.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(options.learning_rate, steps)
    model.compile(training.Adam(rate), training.MaskedCrossEntropy())
    read = np.concatenate([np.full_like(target[:, :1], START), target[:, :-1]], axis=1)
    read = np.where(read == END, PAD, read)
    model.fit(
        {"source": source, "target": read},
        target,
        batch_size=options.batch_size,
        epochs=options.epochs,
        verbose=2,
    )


def compare_searches(
    model: keras.Model,
    source: np.ndarray,
    references: Sequence[str],
    write: Callable[[int, np.ndarray], str],
    max_length: int,
) -> dict[str, float]:
    """Decode by each search; print and return the share that is exactly right.

    Args:
        model: whatever encodes, starts and steps.
        source: ids `(rows, source)`.
        references: of the rows.
        write: the text of a row's ids, given its number.
        max_length: the most ids of an output.
    """
    shares = {}
    for search in (
        Greedy(max_length),
        BeamSearch(4, max_length),
        Sampling(max_length, temperature=0.5, top_k=5, seed=1),
    ):
        begin = time.monotonic()
        found = search(model, source)
        outputs = [write(row, ids[0]) for row, ids in enumerate(found.ids)]
        name = type(search).__name__
        shares[name] = float(np.mean([*map(str.__eq__, outputs, references)]))
        seconds = time.monotonic() - begin
        print(
            f"{name}: {shares[name]:.1%} of {len(outputs)} are right, in {seconds:.1f} "
            f"s; the first is {outputs[0]!r}"
        )
    return shares


def run_dates(
    build: Callable[[int], keras.Model], options: argparse.Namespace
) -> dict[str, float]:
    """Train a model, made for so many letters, on dates, and search on others."""
    keras.utils.set_random_seed(options.seed)
    pairs = make_dates(options.pairs + options.tested, options.seed)
    sources, targets = zip(*pairs, strict=True)
    letters = Letters(sources + targets)
    model = build(len(letters.letters))
    source, target = letters.read(sources), letters.read(targets)
    fit(model, source[: options.pairs], target[: options.pairs], options)
    return compare_searches(
        model,
        source[options.pairs :],
        targets[options.pairs :],
        lambda row, ids: letters.write(ids),
        DATE_LENGTH + 1,
    )


def parse(
    arguments: Sequence[str] | None, description: str, **defaults: Any
) -> argparse.Namespace:
    """Read the command line; `defaults` take the place of those that stand here."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    add = parser.add_argument
    add("--pairs", type=int, default=20_000, help="examples to train on")
    add("--tested", type=int, default=500, help="examples to test on")
    add("--epochs", type=int, default=3)
    add("--batch-size", type=int, default=64)
    add("--learning-rate", type=float, default=2e-3)
    add("--dim", type=int, default=64, help="width of the model")
    add("--seed", type=int, default=0)
    parser.set_defaults(**defaults)
    return parser.parse_args(arguments)
