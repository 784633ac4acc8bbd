"""Time and memory of multi-head attention, ours and Keras's, over the length.

    python benchmarks/attention.py

One step is a forward and a backward pass in training with dropout, compiled by
`tf.function` as `fit` does without XLA. Times are medians, the two layers taking turns
in one process; memory is the peak above the imports, in a process for each. Ours
attends in chunks from the length on that `--chunk-from` says, where Keras's needs the
square of the length.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workers import medians, peak_mib, run_worker

WIDTH, HEADS, DROPOUT = 256, 4, 0.1
# Length, batch and number of steps: medians of less than three say little.
SIZES = [
    (128, 32, 31),
    (512, 32, 11),
    (128, 1, 101),
    (512, 1, 51),
    (2048, 1, 21),
    (8192, 1, 5),
    (16384, 1, 3),
]
CHUNK_SIZE = 128
LARGEST_OF_KERAS = 8192  # 16,384 would take four times as much, some 21 GiB


def main(arguments: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Measure, print a table, and draw it."""
    options = _parser().parse_args(arguments)
    if options.worker:
        print(json.dumps(_work(**json.loads(options.worker))))
        return []
    rows = []
    for length, batch, repeats in SIZES:
        if length > options.longest:
            continue
        for dtype in ("float32", "mixed_bfloat16"):
            rows.append(_measure(length, batch, repeats, dtype, options))
            _print(rows[-1], is_first=len(rows) == 1)
    if options.output:
        _draw(rows, options.output)
    return rows


def _measure(length, batch, repeats, dtype, options):
    names = ["ours", "keras"] if length <= LARGEST_OF_KERAS else ["ours"]
    job = {
        "length": length,
        "batch": batch,
        "dtype": dtype,
        "chunk_size": CHUNK_SIZE if length >= options.chunk_from else None,
    }
    row = {**job, **_run(names=names, repeats=repeats, **job)}
    for name in names:
        row[f"{name}_mib"] = _run(names=[name], repeats=1, **job)["peak_mib"]
    return row


def _run(**job):
    return run_worker(__file__, json.dumps(job))


def _work(names, length, batch, dtype, chunk_size, repeats):
    import keras
    import tensorflow as tf

    from keras_attention.layers import MultiHeadAttention

    keras.config.set_dtype_policy(dtype)
    inputs = tf.random.normal((batch, length, WIDTH))
    sizes = (HEADS, WIDTH // HEADS)
    makers = {
        "ours": lambda: MultiHeadAttention(
            *sizes, dropout=DROPOUT, chunk_size=chunk_size
        ),
        "keras": lambda: keras.layers.MultiHeadAttention(*sizes, dropout=DROPOUT),
    }
    before = peak_mib()
    steps = {name: _step(makers[name](), inputs) for name in names}
    times = medians(steps, repeats)
    return {"peak_mib": peak_mib() - before, **times}


def _step(layer, inputs):
    import tensorflow as tf

    layer.build(inputs.shape, inputs.shape)

    @tf.function
    def step(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, inputs, training=True)
            loss = tf.reduce_mean(tf.square(tf.cast(outputs, "float32")))
        weights = [weight.value for weight in layer.trainable_weights]
        return tape.gradient(loss, [inputs, *weights])

    return lambda: step(inputs)[0].numpy()


def _print(row, is_first):
    if is_first:
        titles = (
            "length batch dtype chunks ours_ms keras_ms keras/ours ours_MiB keras_MiB"
        )
        print(" ".join(title.rjust(11) for title in titles.split()))
    theirs = row.get("keras")
    cells = [
        row["length"],
        row["batch"],
        row["dtype"].removeprefix("mixed_"),
        row["chunk_size"] or "-",
        f"{1000 * row['ours']:.1f}",
        "-" if theirs is None else f"{1000 * theirs:.1f}",
        "-" if theirs is None else f"{theirs / row['ours']:.2f}",
        row["ours_mib"],
        row.get("keras_mib", "-"),
    ]
    print(" ".join(str(cell).rjust(11) for cell in cells), flush=True)


def _draw(rows, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, suffix, title in (
        (axes[0], "", "seconds a step"),
        (axes[1], "_mib", "peak memory, MiB"),
    ):
        for name, color in (("ours", "tab:blue"), ("keras", "tab:orange")):
            for dtype, style in (("float32", "-"), ("mixed_bfloat16", "--")):
                points = sorted(
                    (row["length"], row[name + suffix])
                    for row in rows
                    if row["dtype"] == dtype and row["batch"] == 1
                    if name + suffix in row
                )
                label = f"{name}, {dtype.removeprefix('mixed_')}"
                axis.plot(*zip(*points, strict=True), style, color=color, label=label)
        axis.set(title=title, xlabel="length", xscale="log", yscale="log")
        axis.grid(alpha=0.3)
    axes[0].legend()
    figure.savefig(path, dpi=110)


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--longest", type=int, default=16384)
    parser.add_argument("--chunk-from", type=int, default=8192)
    parser.add_argument("--output", type=Path, help="picture to write")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
