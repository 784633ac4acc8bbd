"""Training speed of a recurrent encoder-decoder: ours, plain Keras's and PyTorch's.

    python benchmarks/recurrent.py

One LSTM layer on either side, width 256, Luong's general attention with input feeding,
vocabularies of 8,000, batches of 64 rows by 20 tokens, Adam, float32. Plain Keras is
what its layers allow: an `LSTM`, and a cell that attends, which carries the memory
among its states. Engines take turns, each run in a process of its own; figures are
medians of the runs, in target tokens a second.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from workers import run_worker

BATCH, LENGTH, WIDTH, VOCABULARY = 64, 20, 256, 8000
ENGINES = ("ours", "ours, XLA", "keras", "keras, XLA", "torch")


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Measure and print a table; the medians by engine."""
    options = _parser().parse_args(arguments)
    if options.worker:
        print(_tokens_per_second(options.worker, options.steps))
        return {}
    found: dict[str, list[float]] = {name: [] for name in options.engines}
    for _ in range(options.runs):
        for name in options.engines:
            found[name].append(
                run_worker(__file__, name, "--steps", str(options.steps))
            )
    medians = {name: statistics.median(speeds) for name, speeds in found.items()}
    print(f"{'engine':>12} {'tokens/s':>9} {'to torch':>9}  runs")
    for name, median in medians.items():
        ratio = f"{median / medians['torch']:.2f}" if "torch" in medians else "-"
        runs = " ".join(f"{speed:.0f}" for speed in found[name])
        print(f"{name:>12} {median:>9.0f} {ratio:>9}  {runs}")
    return medians


def _tokens_per_second(name, steps):
    random = np.random.default_rng(0)
    source, target, labels = random.integers(4, VOCABULARY, (3, BATCH, LENGTH))
    make = {"ours": _ours, "keras": _plain_keras, "torch": _torch}
    step = make[name.split(",")[0]](source, target, labels, name.endswith("XLA"))
    for _ in range(3):
        step()
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return BATCH * LENGTH / statistics.median(times)


def _ours(source, target, labels, compiles) -> Callable[[], Any]:
    from keras_attention.models import rnn_seq2seq

    model = rnn_seq2seq(VOCABULARY, VOCABULARY, embedding_dim=WIDTH, units=WIDTH)
    return _keras_step(model, {"source": source, "target": target}, labels, compiles)


def _plain_keras(source, target, labels, compiles) -> Callable[[], Any]:
    import keras
    from keras import layers, ops

    class AttentionCell(layers.Layer):
        state_size = (WIDTH, WIDTH, WIDTH, LENGTH * WIDTH)
        output_size = WIDTH

        def __init__(self):
            super().__init__()
            self.cell = layers.LSTMCell(WIDTH)
            self.key = layers.Dense(WIDTH, use_bias=False)
            self.attentional = layers.Dense(WIDTH, "tanh", use_bias=False)

        def build(self, input_shape):
            self.cell.build((None, 2 * WIDTH))
            self.key.build((None, None, WIDTH))
            self.attentional.build((None, 2 * WIDTH))

        def call(self, inputs, states):
            hidden, carry, fed, memory = states
            memory_by_step = ops.reshape(memory, (-1, LENGTH, WIDTH))
            inputs = ops.concatenate([inputs, fed], axis=-1)
            hidden, (_, carry) = self.cell(inputs, (hidden, carry))
            scores = ops.einsum("bd,bsd->bs", hidden, self.key(memory_by_step))
            context = ops.einsum("bs,bsd->bd", ops.softmax(scores), memory_by_step)
            fed = self.attentional(ops.concatenate([context, hidden], axis=-1))
            return fed, [hidden, carry, fed, memory]

    inputs = [keras.Input((LENGTH,), dtype="int32") for _ in range(2)]
    vectors = [layers.Embedding(VOCABULARY, WIDTH)(ids) for ids in inputs]
    memory, *states = layers.LSTM(WIDTH, return_sequences=True, return_state=True)(
        vectors[0]
    )
    flat = layers.Reshape((LENGTH * WIDTH,))(memory)
    fed = layers.Lambda(ops.zeros_like)(states[0])
    hidden = layers.RNN(AttentionCell(), return_sequences=True)(
        vectors[1], initial_state=[*states, fed, flat]
    )
    model = keras.Model(inputs, layers.Dense(VOCABULARY)(hidden))
    return _keras_step(model, [source, target], labels, compiles)


def _keras_step(model, inputs, labels, compiles):
    import keras

    model.compile(
        keras.optimizers.Adam(),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=compiles,
    )
    return lambda: model.train_on_batch(inputs, labels)


def _torch(source, target, labels, compiles) -> Callable[[], Any]:
    import torch
    from torch import nn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.source = nn.Embedding(VOCABULARY, WIDTH)
            self.target = nn.Embedding(VOCABULARY, WIDTH)
            self.encoder = nn.LSTM(WIDTH, WIDTH, batch_first=True)
            self.cell = nn.LSTMCell(2 * WIDTH, WIDTH)
            self.key = nn.Linear(WIDTH, WIDTH, bias=False)
            self.attentional = nn.Linear(2 * WIDTH, WIDTH, bias=False)
            self.logits = nn.Linear(WIDTH, VOCABULARY)

        def forward(self, source, target):
            memory, (hidden, carry) = self.encoder(self.source(source))
            key, vectors = self.key(memory), self.target(target)
            hidden, carry, outputs = hidden[0], carry[0], []
            fed = torch.zeros_like(hidden)
            for index in range(target.shape[1]):
                inputs = torch.cat([vectors[:, index], fed], dim=-1)
                hidden, carry = self.cell(inputs, (hidden, carry))
                scores = torch.bmm(key, hidden[:, :, None])[:, :, 0]
                weights = torch.softmax(scores, dim=-1)
                context = torch.bmm(weights[:, None], memory)[:, 0]
                joined = torch.cat([context, hidden], dim=-1)
                fed = torch.tanh(self.attentional(joined))
                outputs.append(fed)
            return self.logits(torch.stack(outputs, dim=1))

    model = Model()
    optimizer = torch.optim.Adam(model.parameters())
    tensors = [torch.from_numpy(ids) for ids in (source, target, labels)]

    def step():
        optimizer.zero_grad()
        logits = model(*tensors[:2])
        loss = nn.functional.cross_entropy(
            logits.reshape(-1, VOCABULARY), tensors[2].reshape(-1)
        )
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--worker", choices=ENGINES, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
