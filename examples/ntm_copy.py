"""The copy task: a Neural Turing Machine learns to copy, an LSTM learns by heart.

    python examples/ntm_copy.py

The task of Graves et al. (2014): a sequence of random bits, a mark at its end, and then
the sequence again, from memory. Both models are trained on lengths from 1 to 10 and
tested on longer ones too. Where the heads read and wrote is drawn.
"""

import argparse
import time
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_attention.layers import NTMCell

MODELS = ("NTM", "LSTM")


def main(arguments: Sequence[str] | None = None) -> dict[str, dict[int, float]]:
    """Train both models; return the share of wrong bits by model and length."""
    options = parse(arguments)
    found = {}
    for name in options.models:
        keras.utils.set_random_seed(options.seed)
        model = build(name, options)
        print(f"{name}: {model.count_params():,} parameters")
        train(model, name, options)
        found[name] = {
            length: wrong_bits(model, length, options) for length in options.tested
        }
        if name == "NTM":
            draw(model, options)
    print("\nWrong bits in per cent\nlength" + "".join(f"{n:>10}" for n in found))
    for length in options.tested:
        print(f"{length:6}" + "".join(f"{100 * found[n][length]:10.3f}" for n in found))
    return found


def build(name: str, options: argparse.Namespace) -> keras.Model:
    """From bits and a mark to logits of bits."""
    inputs = keras.Input((None, options.bits + 2))
    if name == "NTM":
        cell = NTMCell(options.units, options.slots, options.slot_width, name="ntm")
    else:
        cell = keras.layers.LSTMCell(options.lstm_units)
    hidden = keras.layers.RNN(cell, return_sequences=True, name="rnn")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(options.bits)(hidden), name=name)
    model.compile(
        keras.optimizers.Adam(options.learning_rate, clipnorm=10.0),
        keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=options.jit,
    )
    return model


def make_batch(
    length: int, options: argparse.Namespace, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, labels, and which steps count.

    Two of the inputs are marks: of the end of the sequence, and of the answer.
    """
    bits = random.integers(0, 2, (options.batch_size, length, options.bits))
    inputs = np.zeros((options.batch_size, 2 * length + 1, options.bits + 2), "float32")
    inputs[:, :length, : options.bits] = bits
    inputs[:, length, options.bits] = 1
    inputs[:, length + 1 :, options.bits + 1] = 1
    labels = np.zeros((options.batch_size, 2 * length + 1, options.bits), "float32")
    labels[:, length + 1 :] = bits
    counts = np.zeros(labels.shape[:2], "float32")
    counts[:, length + 1 :] = 1
    return inputs, labels, counts


def train(model: keras.Model, name: str, options: argparse.Namespace) -> None:
    """Train on batches of one length each, until the steps or the minutes are over."""
    random = np.random.default_rng(options.seed)
    start = time.monotonic()
    for step in range(1, options.steps + 1):
        length = int(random.integers(1, options.longest + 1))
        inputs, labels, counts = make_batch(length, options, random)
        # The mean is over all steps; only the answers count.
        weights = counts * counts.size / counts.sum()
        loss = model.train_on_batch(inputs, labels, sample_weight=weights)
        if not np.isfinite(loss):
            raise ArithmeticError(f"The loss of step {step} is {loss}")
        minutes = (time.monotonic() - start) / 60
        is_last = step == options.steps or minutes > options.minutes
        if step % options.report_every == 0 or is_last:
            wrong = wrong_bits(model, options.longest, options)
            print(
                f"{name}, step {step}, {minutes:.1f} min: loss {float(loss):.5f}, "
                f"wrong bits at length {options.longest} {100 * wrong:.3f} %",
                flush=True,
            )
        if is_last:
            break


def wrong_bits(model: keras.Model, length: int, options: argparse.Namespace) -> float:
    """The share of wrong bits in answers of one length."""
    random = np.random.default_rng(length)
    wrong = []
    for _ in range(options.test_batches):
        inputs, labels, counts = make_batch(length, options, random)
        answers = model.predict_on_batch(inputs) > 0
        wrong.append((answers != labels)[counts > 0].mean())
    return float(np.mean(wrong))


def draw(model: keras.Model, options: argparse.Namespace) -> None:
    """Draw a copy, and where it was written and read."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    length = options.tested[min(1, len(options.tested) - 1)]
    inputs, labels, _ = make_batch(length, options, np.random.default_rng(0))
    answers = model.predict_on_batch(inputs[:1])
    cell = model.get_layer("rnn").cell
    heads = cell.weightings(inputs[:1])
    panels = [
        ("input", inputs[0]),
        ("wanted", labels[0]),
        ("answer", 1 / (1 + np.exp(-answers[0])) * (inputs[0][:, -1:] > 0)),
        *(
            (f"{kind} head, slots", ops.convert_to_numpy(weights)[0, :, 0])
            for kind, weights in (("write", heads["write"]), ("read", heads["read"]))
        ),
    ]
    used = max(np.flatnonzero(panel.max(axis=0) > 0.1).max() for _, panel in panels[3:])
    low = min(np.flatnonzero(panel.max(axis=0) > 0.1).min() for _, panel in panels[3:])
    panels[3:] = [(name, panel[:, low : used + 1]) for name, panel in panels[3:]]
    figure, axes = pyplot.subplots(
        len(panels),
        sharex=True,
        figsize=(8, 8),
        height_ratios=[panel.shape[1] + 3 for _, panel in panels],
        layout="constrained",
    )
    for axis, (name, panel) in zip(axes, panels, strict=True):
        axis.imshow(panel.T, aspect="auto", cmap="gray_r", vmin=0, vmax=1)
        axis.set_ylabel(name)
        axis.set_yticks([])
    axes[-1].set_xlabel("step")
    figure.suptitle(f"A copy of {length} vectors; trained on up to {options.longest}")
    figure.savefig(options.output, dpi=120)
    pyplot.close(figure)
    print(f"Picture in {options.output}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--models", nargs="+", choices=MODELS, default=list(MODELS))
    add("--steps", type=int, default=20_000)
    add("--minutes", type=float, default=20.0, help="of training, for each model")
    add("--longest", type=int, default=10, help="length of sequences to train on")
    add("--tested", type=int, nargs="+", default=[10, 20, 40])
    add("--bits", type=int, default=8)
    add("--units", type=int, default=100)
    add("--lstm-units", type=int, default=124, help="about as many parameters")
    add("--slots", type=int, default=64)
    add("--slot-width", type=int, default=20)
    add("--batch-size", type=int, default=32)
    add("--test-batches", type=int, default=20)
    add("--learning-rate", type=float, default=1e-3)
    yes_or_no = argparse.BooleanOptionalAction
    add("--jit", action=yes_or_no, default=True, help="compile by XLA, once a length")
    add("--report-every", type=int, default=500)
    add("--output", default="ntm_copy.png", help="picture of the heads")
    add("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
