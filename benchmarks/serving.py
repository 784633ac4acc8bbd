"""Clients of one loaded SavedModel at once: what they are answered, and how soon.

    python benchmarks/serving.py FOLDER --sentences FILE

Each thread sends sentences, drawn at random, one by one; every answer is compared with
what the same sentence got when it was sent alone, before. Printed are answers a second
and the 50th and 99th percentile of the time that an answer takes.
"""

import argparse
import random
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers the tokenizers' operations)


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Measure and print."""
    options = _parser().parse_args(arguments)
    lines = Path(options.sentences).read_text("utf-8").splitlines()[: options.different]
    serve = tf.saved_model.load(options.folder).signatures["serving_default"]

    def ask(line):
        found = serve(text=tf.constant([line]))
        return found["translation"].numpy()[0], float(found["score"].numpy()[0])

    for line in lines:  # What is compiled or made at first use is not timed.
        ask(line)
    started = time.perf_counter()
    expected = {line: ask(line) for line in lines}
    alone = len(lines) / (time.perf_counter() - started)
    print(f"one client: {alone:,.0f} answers a second", flush=True)
    seconds, wrong, failed = [], [], []

    def client(seed):
        rng = random.Random(seed)
        try:
            while time.perf_counter() < deadline:
                line = rng.choice(lines)
                begun = time.perf_counter()
                translation, score = ask(line)
                seconds.append(time.perf_counter() - begun)
                if translation != expected[line][0] or not np.isclose(
                    score, expected[line][1], atol=1e-4
                ):
                    wrong.append(line)
        except Exception as error:  # A thread must not die unseen.
            failed.append(error)

    deadline = time.perf_counter() + options.seconds
    threads = [
        threading.Thread(target=client, args=[seed]) for seed in range(options.clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    median, late = 1000 * np.percentile(seconds, [50, 99])
    figures = {
        "answers": len(seconds),
        "wrong": len(wrong),
        "per_second": len(seconds) / options.seconds,
        "median_ms": float(median),
        "p99_ms": float(late),
    }
    print(
        f"{options.clients} clients: {figures['per_second']:,.0f} answers a second, "
        f"{median:.1f} ms each at the 50th percentile, {late:.1f} ms at the 99th; "
        f"{len(wrong)} of {len(seconds)} differ from those of one client"
    )
    return figures


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("folder", help="an exported SavedModel")
    add("--sentences", required=True, help="file of lines to translate")
    add("--different", type=int, default=200, help="how many of the lines")
    add("--clients", type=int, default=8)
    add("--seconds", type=float, default=120)
    return parser


if __name__ == "__main__":
    main()
