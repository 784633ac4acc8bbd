"""Training speed of a Transformer: ours, Keras's layers, KerasHub's and PyTorch's.

    python benchmarks/training.py
    python benchmarks/training.py --source train.en --target train.de

3 + 3 layers, width 256, 4 heads, feed-forward 1024, vocabularies of 8,000, dropout 0.1,
Adam, learned positions on top of the embeddings. Without files, batches are of 64 rows
by 20 random ids. With files, ours reads its batches of `translation_dataset`, and the
peers read batches of 64 rows cut or padded to 20 ids, as the Keras example of
translation does; what is padding counts for nothing then.

Engines take turns, each run in a process of its own; figures are medians of the runs,
in target tokens a second that are not padding.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from workers import run_worker

LAYERS, WIDTH, HEADS, INTERMEDIATE, DROPOUT = 3, 256, 4, 1024, 0.1
VOCABULARY, BATCH, LENGTH = 8000, 64, 20
BATCH_TOKENS, SHAPES = 4096, 12
ENGINES = (
    "ours, bfloat16",
    "ours, float32",
    "keras, bfloat16",
    "keras, float32",
    "keras_hub, bfloat16",
    "keras_hub, float32",
    "torch, bfloat16",
    "torch, float32",
)
Batches = Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Measure and print a table; the medians by engine."""
    options = _parser().parse_args(arguments)
    if options.worker:
        print(_tokens_per_second(options))
        return {}
    found: dict[str, list[float]] = {name: [] for name in options.engines}
    for _ in range(options.runs):
        for name in options.engines:
            found[name].append(_run(name, options))
    medians = {name: statistics.median(speeds) for name, speeds in found.items()}
    best = medians[options.engines[0]]
    print(f"{'engine':>20} {'tokens/s':>9} {'first to it':>11}  runs")
    for name, median in medians.items():
        runs = " ".join(f"{speed:.0f}" for speed in found[name])
        print(f"{name:>20} {median:>9.0f} {best / median:>11.2f}  {runs}")
    return medians


def _run(name, options):
    files = [options.source, options.target]
    arguments = ["--steps", str(options.steps)]
    if all(files):
        arguments += ["--source", files[0], "--target", files[1]]
    return run_worker(__file__, name, *arguments)


def _tokens_per_second(options):
    engine, precision = options.worker.split(", ")
    batches = _read(options, engine) if options.source else _random()
    make = {"ours": _ours, "keras": _keras, "keras_hub": _keras_hub, "torch": _torch}
    step = make[engine](precision)
    # Steps of all shapes come before those that are measured.
    for batch in itertools.islice(batches, options.steps if options.source else 5):
        step(*batch)
    tokens, begun = 0, time.perf_counter()
    for source, target, labels in itertools.islice(batches, options.steps):
        step(source, target, labels)
        tokens += np.count_nonzero(labels)
    return tokens / (time.perf_counter() - begun)


# --- what is read -----------------------------------------------------------------


def _random() -> Batches:
    random = np.random.default_rng(0)
    while True:
        yield tuple(random.integers(4, VOCABULARY, (3, BATCH, LENGTH), "int32"))


def _read(options: argparse.Namespace, engine: str) -> Batches:
    from keras_attention import text

    sides = text.read_parallel(options.source, options.target)
    tokenizers = [
        text.SentencePieceTokenizer.train(lines, VOCABULARY, lowercase=True)
        for lines in sides
    ]
    if engine == "ours":
        dataset = text.translation_dataset(
            *sides, *tokenizers, batch_tokens=BATCH_TOKENS, shapes=SHAPES
        )
        for inputs, labels in dataset.repeat().as_numpy_iterator():
            yield inputs["source"], inputs["target"], labels
    # One length for all, one more for the target, which is its labels by one behind.
    source, target = (
        _cut(tokenizer, lines, LENGTH + shift)
        for tokenizer, lines, shift in zip(tokenizers, sides, (0, 1), strict=True)
    )
    random = np.random.default_rng(0)
    while True:
        for rows in np.array_split(
            random.permutation(len(source)), len(source) // BATCH
        ):
            yield source[rows], target[rows, :-1], target[rows, 1:]


def _cut(tokenizer, lines, length):
    ids = tokenizer.tokenize(list(lines)).to_list()
    cut = np.zeros((len(ids), length), "int32")
    for row, own in zip(cut, ids, strict=True):
        own = [2, *own, 3][:length]
        row[: len(own)] = own
    return cut


# --- what is trained --------------------------------------------------------------


def _ours(precision) -> Callable[..., Any]:

    from keras_attention.models import transformer
    from keras_attention.training import Adam, MaskedCrossEntropy

    _set_precision(precision)
    model = transformer(
        VOCABULARY,
        VOCABULARY,
        num_layers=LAYERS,
        num_heads=HEADS,
        embedding_dim=WIDTH,
        intermediate_dim=INTERMEDIATE,
        dropout=DROPOUT,
    )
    model.compile(Adam(), MaskedCrossEntropy(), jit_compile=False)
    return lambda source, target, labels: model.train_on_batch(
        {"source": source, "target": target}, labels
    )


def _keras(precision) -> Callable[..., Any]:
    from keras import layers

    def attend(query, value, **options):
        attention = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, dropout=DROPOUT)
        return finish(query, attention(query, value, **options))

    def feed_forward(inputs):
        hidden = layers.Dense(INTERMEDIATE, "relu")(inputs)
        return finish(inputs, layers.Dense(WIDTH)(hidden))

    def finish(inputs, update):
        update = layers.Dropout(DROPOUT)(update)
        return layers.LayerNormalization()(inputs + update)

    def encode(source):
        return feed_forward(attend(source, source))

    def decode(target, memory):
        target = attend(target, target, use_causal_mask=True)
        return feed_forward(attend(target, memory))

    return _plain_step(precision, lambda: encode, lambda: decode)


def _keras_hub(precision) -> Callable[..., Any]:
    from keras_hub.layers import TransformerDecoder, TransformerEncoder

    return _plain_step(
        precision,
        lambda: TransformerEncoder(INTERMEDIATE, HEADS, DROPOUT),
        lambda: TransformerDecoder(INTERMEDIATE, HEADS, DROPOUT),
    )


def _plain_step(precision, make_encoder, make_decoder):
    import keras
    from keras import layers

    @keras.saving.register_keras_serializable("benchmarks")
    class Positions(layers.Layer):
        def build(self, shape):
            self.supports_masking = True
            self.table = self.add_weight(shape=(shape[-2], WIDTH), name="table")

        def call(self, inputs):
            return inputs + self.table

    _set_precision(precision)
    inputs = [keras.Input((LENGTH,), dtype="int32") for _ in range(2)]
    source, target = (
        Positions()(layers.Embedding(VOCABULARY, WIDTH, mask_zero=True)(ids))
        for ids in inputs
    )
    for _ in range(LAYERS):
        source = make_encoder()(source)
    for _ in range(LAYERS):
        target = make_decoder()(target, source)
    logits = layers.Dense(VOCABULARY, dtype="float32")(target)
    model = keras.Model(inputs, logits)
    model.compile(
        keras.optimizers.Adam(),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0),
        jit_compile=False,
    )
    return lambda source, target, labels: model.train_on_batch([source, target], labels)


def _set_precision(precision):
    import keras

    name = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    keras.config.set_dtype_policy(name)


def _torch(precision) -> Callable[..., Any]:
    import torch
    from torch import nn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.tables = nn.ModuleList(nn.Embedding(VOCABULARY, WIDTH) for _ in "st")
            self.places = nn.ModuleList(nn.Embedding(LENGTH, WIDTH) for _ in "st")
            self.transformer = nn.Transformer(
                WIDTH, HEADS, LAYERS, LAYERS, INTERMEDIATE, DROPOUT, batch_first=True
            )
            self.logits = nn.Linear(WIDTH, VOCABULARY)

        def forward(self, *ids):
            place = torch.arange(LENGTH)
            source, target = (
                table(side) + places(place)
                for table, places, side in zip(
                    self.tables, self.places, ids, strict=True
                )
            )
            is_padding = ids[0] == 0
            causal = nn.Transformer.generate_square_subsequent_mask(LENGTH)
            return self.logits(
                self.transformer(
                    source,
                    target,
                    tgt_mask=causal,
                    src_key_padding_mask=is_padding,
                    memory_key_padding_mask=is_padding,
                    tgt_is_causal=True,
                )
            )

    model = Model()
    optimizer = torch.optim.Adam(model.parameters())

    def step(*batch):
        source, target, labels = (torch.from_numpy(ids).long() for ids in batch)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            logits = model(source, target)
        loss = nn.functional.cross_entropy(
            logits.float().reshape(-1, VOCABULARY), labels.reshape(-1), ignore_index=0
        )
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", help="file of source lines")
    parser.add_argument("--target", help="file of their translations")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--worker", choices=ENGINES, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
