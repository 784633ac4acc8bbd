"""Language models side by side: counts, word vectors, recurrence, attention.

    python examples/language_models.py                   # the shipped English
    python examples/language_models.py --text FILE       # a sentence a line

The road from counting to the Transformer on one text: an n-gram model (NLTK's, with
Witten and Bell's smoothing), then neural models of about one size, each with and
without word vectors learned beforehand (gensim's Word2Vec; Mikolov et al. 2013): a
simple recurrent network, an LSTM and a Transformer. All read the same words and are
measured by their perplexity on the same held-out sentences.
"""

import argparse
import math
import random
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import keras
import numpy as np
from gensim.models import Word2Vec
from nltk.lm import WittenBellInterpolated
from nltk.util import everygrams, ngrams

from keras_attention import Translator, text, training
from keras_attention.decoding import Greedy
from keras_attention.models import LanguageModel, language_model

# Sizes that come to about one number of parameters.
MODELS: dict[str, dict[str, Any]] = {
    "simple RNN": {"architecture": "rnn", "cell": "simple", "units": 400},
    "LSTM": {"architecture": "rnn", "cell": "lstm", "units": 200},
    "Transformer": {"architecture": "transformer", "intermediate_dim": 512},
}
# Learning rates at the peak; with that of the others an LSTM is slow to begin.
RATES = {"simple RNN": 2e-3, "LSTM": 1e-2, "Transformer": 2e-3}
DATA = Path(__file__).with_name("english_korean")
Sentences = list[list[str]]


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Train all models; return their perplexity on the test by name."""
    options = parse(arguments)
    train_lines, test_lines = split(read(options), options.seed)
    words = text.WordTokenizer.train(train_lines, vocabulary_size=options.vocabulary)
    sentences = [in_words(lines, words) for lines in (train_lines, test_lines)]
    count = sum(map(len, sentences[1])) + len(test_lines)
    print(
        f"{len(train_lines)} sentences to train, {len(test_lines)} to test, "
        f"{count} words with the ends; {words.vocabulary_size} ids"
    )
    found = {}
    for order in options.orders:
        found[f"{order}-gram"] = n_gram_perplexity(order, *sentences)
        report(f"{order}-gram", found)
    vectors = word_vectors(sentences[0], words, options)
    for name in options.models:
        for start, table in (("", None), (" on word vectors", vectors)):
            keras.utils.set_random_seed(options.seed)
            model = build(name, words.vocabulary_size, table, options)
            rate = options.learning_rate or RATES[name]
            found[name + start] = fit(
                model, words, train_lines, test_lines, rate, options
            )
            report(f"{name}{start}, {model.count_params():,} parameters", found)
        go_on(model, words, options.begin)
    print(f"\n{'model':>32} perplexity")
    for name, value in found.items():
        print(f"{name:>32} {value:10.2f}")
    draw(found, options.output)
    return found


def read(options: argparse.Namespace) -> list[str]:
    """The sentences of a file, or the shipped English ones."""
    if options.text:
        return [line for line in text.read_lines(options.text) if line.strip()]
    parts = (text.read_pairs(DATA / f"{part}.tsv")[0] for part in ("train", "test"))
    return sorted(chain(*parts))


def split(lines: list[str], seed: int) -> tuple[list[str], list[str]]:
    """A tenth tests, of a thousand sentences at most."""
    shuffled = list(dict.fromkeys(lines))
    random.Random(seed).shuffle(shuffled)
    cut = min(1000, max(1, len(shuffled) // 10))
    return shuffled[cut:], shuffled[:cut]


def in_words(lines: list[str], words: text.WordTokenizer) -> Sentences:
    """The sentences as every model reads them, rare words as one."""
    tokens = words.tokens(words.tokenize(lines)).to_list()
    return [[token.decode() for token in line[:-1]] for line in tokens]


def n_gram_perplexity(order: int, train: Sentences, test: Sentences) -> float:
    """Perplexity of the words and ends of sentences under an n-gram model."""

    def padded(sentence):
        return ["<s>"] * (order - 1) + [*sentence, "</s>"]

    model = WittenBellInterpolated(order)
    model.fit(
        [list(everygrams(padded(sentence), max_len=order)) for sentence in train],
        chain.from_iterable(map(padded, train)),
    )
    bits, count = 0.0, 0
    for sentence in test:
        for *context, word in ngrams(padded(sentence), order):
            # A word never met would be impossible.
            score = max(model.score(word, context), 1e-10)
            bits -= math.log(score)
            count += 1
    return math.exp(bits / count)


def word_vectors(
    sentences: Sentences, words: text.WordTokenizer, options: argparse.Namespace
) -> np.ndarray:
    """A table of Word2Vec's vectors, of the length that embeddings have."""
    found = Word2Vec(
        sentences,
        vector_size=options.embedding_dim,
        window=5,
        min_count=1,
        sg=1,
        epochs=10,
        workers=1,
        seed=options.seed,
    ).wv
    ids = np.arange(words.vocabulary_size, dtype="int32")[:, None]
    pieces = [piece.decode() for piece in words.tokens(ids).numpy()[:, 0]]
    random_numbers = np.random.default_rng(options.seed)
    table = random_numbers.normal(size=(len(pieces), options.embedding_dim))
    for index, piece in enumerate(pieces):
        if piece in found:
            vector = found[piece]
            table[index] = vector / vector.std()
    return 0.05 * table


def build(
    name: str,
    vocabulary_size: int,
    vectors: np.ndarray | None,
    options: argparse.Namespace,
) -> LanguageModel:
    """A model, whose embedding begins with word vectors if there are any."""
    model = language_model(
        vocabulary_size,
        embedding_dim=options.embedding_dim,
        num_layers=options.num_layers,
        dropout=options.dropout,
        **MODELS[name],
    )
    if vectors is not None:
        table = model.target_embedding.trainable_weights[0]
        scale = float(np.std(keras.ops.convert_to_numpy(table)))
        table.assign(vectors * scale / vectors.std())
    return model


def fit(
    model: LanguageModel,
    words: text.WordTokenizer,
    train_lines: list[str],
    test_lines: list[str],
    learning_rate: float,
    options: argparse.Namespace,
) -> float:
    """Train, and return the perplexity on the test."""
    batches, test = (
        text.language_dataset(
            lines, words, batch_tokens=2048, shuffle=shuffle, seed=options.seed
        )
        for lines, shuffle in ((train_lines, True), (test_lines, False))
    )
    steps = len(batches) * options.epochs
    model.compile(
        keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                0.0,
                steps,
                warmup_target=learning_rate,
                warmup_steps=max(1, steps // 20),
            ),
            global_clipnorm=1.0,
        ),
        loss=training.MaskedCrossEntropy(),
        metrics=[training.Perplexity(name="perplexity")],
        jit_compile=False,
    )
    started = time.time()
    model.fit(batches, epochs=options.epochs, shuffle=False, verbose=0)
    figures = model.evaluate(test, verbose=0, return_dict=True)
    print(f"  trained for {time.time() - started:.0f} s", flush=True)
    return figures["perplexity"]


def report(name: str, found: dict[str, float]) -> None:
    """Print the last perplexity."""
    print(f"{name}: perplexity {list(found.values())[-1]:.2f}", flush=True)


def go_on(model: LanguageModel, words: text.WordTokenizer, begin: str) -> None:
    """Print how a model continues a sentence."""
    writer = Translator(model, words, words, search=Greedy(max_length=20))
    print(f"  {begin!r} goes on: {writer(begin)!r}")


def draw(found: dict[str, float], path: str) -> None:
    """Draw the perplexities as bars."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(8, 4), layout="constrained")
    bars = axis.barh(list(found), list(found.values()), color="tab:blue")
    axis.bar_label(bars, fmt="%.1f", padding=3)
    axis.invert_yaxis()
    axis.margins(x=0.1)
    axis.set(xlabel="perplexity on held-out sentences (less is better)")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    print(f"Picture in {path}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--text", help="file with a sentence a line; without it the shipped English")
    add("--orders", type=int, nargs="*", default=[1, 2, 3])
    add("--models", nargs="*", choices=tuple(MODELS), default=list(MODELS))
    add("--vocabulary", type=int, default=8000, help="the most ids")
    add("--embedding-dim", type=int, default=200)
    add("--num-layers", type=int, default=2)
    add("--dropout", type=float, default=0.2)
    add("--learning-rate", type=float, help="at the peak, of all; else each its own")
    add("--epochs", type=int, default=8)
    add("--begin", default="the", help="beginning of a sentence to go on with")
    add("--output", default="language_models.png", help="picture of the figures")
    add("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
