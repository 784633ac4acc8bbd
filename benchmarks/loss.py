"""Time and memory of logits and loss, ours and Keras's, over a large vocabulary.

    python benchmarks/loss.py

One step is the last layer of a model, from hidden vectors to logits, and the loss with
label smoothing 0, forward and backward, in a graph without XLA. Times are medians, the
two losses taking turns in one process; memory is the peak above the imports, in a
process for each.
"""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from workers import medians, peak_mib, run_worker

WIDTH = 256
SIZES = [(2048, 8_000), (4096, 10_000), (4096, 32_000)]  # tokens, vocabulary
NAMES = ("ours", "keras")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table."""
    options = _parser().parse_args(arguments)
    if options.worker:
        print(json.dumps(_work(**json.loads(options.worker))))
        return
    titles = "tokens vocabulary dtype ours_ms keras_ms keras/ours ours_MiB keras_MiB"
    print(" ".join(title.rjust(10) for title in titles.split()))
    for tokens, vocabulary in SIZES:
        for dtype in ("float32", "mixed_bfloat16"):
            job = {"tokens": tokens, "vocabulary": vocabulary, "dtype": dtype}
            times = _run(names=NAMES, repeats=options.repeats, **job)
            memory = [
                _run(names=[name], repeats=1, **job)["peak_mib"] for name in NAMES
            ]
            cells = [
                tokens,
                vocabulary,
                dtype.removeprefix("mixed_"),
                *(f"{1000 * times[name]:.1f}" for name in NAMES),
                f"{times['keras'] / times['ours']:.2f}",
                *memory,
            ]
            print(" ".join(str(cell).rjust(10) for cell in cells), flush=True)


def _run(**job):
    return run_worker(__file__, json.dumps(job))


def _work(names, tokens, vocabulary, dtype, repeats) -> dict[str, Any]:
    import keras
    import tensorflow as tf

    from keras_attention.training import MaskedCrossEntropy

    keras.config.set_dtype_policy(dtype)
    losses = {
        "ours": MaskedCrossEntropy(),
        "keras": keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, ignore_class=0
        ),
    }
    hidden = tf.random.normal((tokens // 16, 16, WIDTH))
    labels = tf.random.uniform((tokens // 16, 16), 1, vocabulary, "int32")
    before = peak_mib()
    times = medians(
        {name: _step(losses[name], hidden, labels, vocabulary) for name in names},
        repeats,
    )
    return {"peak_mib": peak_mib() - before, **times}


def _step(loss, hidden, labels, vocabulary):
    import keras
    import tensorflow as tf

    layer = keras.layers.Dense(vocabulary)
    layer.build(hidden.shape)

    @tf.function
    def step(hidden, labels):
        with tf.GradientTape() as tape:
            tape.watch(hidden)
            value = loss(labels, tf.cast(layer(hidden), "float32"))
        weights = [weight.value for weight in layer.trainable_weights]
        return tape.gradient(value, [hidden, *weights])

    return lambda: step(hidden, labels)[0].numpy()


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
