"""Speed of search: ours, out of a reloaded SavedModel, and that of other engines.

    python -m pip install ctranslate2 transformers torch keras-hub
    python benchmarks/decoding.py

A Transformer of 3 + 3 layers, width 256, 4 heads, feed-forward 1,024, vocabulary 8,000;
20 source ids, outputs of exactly 32. Engines are processes of their own that take
turns; figures are medians of the rounds, in output ids a second, with as many threads
as suit an engine best. In brackets, how many times as fast ours is. CTranslate2 has our
weights, and before it is timed its outputs are compared with ours.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import decoding_engines
import numpy as np
from workers import ask, end, start_worker

ENGINES = {
    "ours": decoding_engines.ours,
    "ours, int8": partial(decoding_engines.ours, precision="int8"),
    "ctranslate2": decoding_engines.ctranslate2,
    "ctranslate2, int8": partial(decoding_engines.ctranslate2, compute_type="int8"),
    "hugging_face": decoding_engines.hugging_face,
    "keras_hub": decoding_engines.keras_hub,
}
SAME_WEIGHTS = [name for name in ENGINES if name.startswith(("ours", "ctranslate2"))]
Case = tuple[int, int]


def main(arguments: Sequence[str] | None = None) -> dict[str, dict[Case, float]]:
    """Measure and print a table; the medians by engine, rows and beams."""
    options = _parser().parse_args(arguments)
    if options.worker:
        _work(options.worker, options)
        return {}
    with tempfile.TemporaryDirectory() as folder:
        options.folder = folder
        _prepare(options)
        return _measure(options)


def _measure(options):
    cases = [(rows, beams) for rows in options.rows for beams in options.beams]
    workers = {
        (name, threads): start_worker(__file__, *_arguments(name, threads, options))
        for name in options.engines
        for threads in options.threads
    }
    found = {worker: {case: [] for case in cases} for worker in workers}
    for case in cases:
        outputs = {
            worker: np.array(ask(process, [*case, "outputs"]))
            for worker, process in workers.items()
        }
        first, *others = (worker for worker in outputs if worker[0] in SAME_WEIGHTS)
        for worker in others:
            same = 100 * np.mean(outputs[worker] == outputs[first])
            print(f"{case}: {worker[0]} writes {same:.0f} % of the ids", flush=True)
        for _ in range(options.runs):
            for worker, process in workers.items():
                found[worker][case].append(ask(process, [*case, "seconds"]))
    for process in workers.values():
        end(process)
    speeds = {
        name: {case: _best(found, name, case, options) for case in cases}
        for name in options.engines
    }
    _print_table(speeds, cases)
    return speeds


def _best(found, name, case, options):
    """Output ids a second, by the number of threads that suits the engine best."""
    seconds = min(
        statistics.median(found[name, threads][case]) for threads in options.threads
    )
    return case[0] * options.steps / seconds


def _print_table(speeds, cases):
    first, *others = speeds
    print("| rows | beams | " + " | ".join(speeds) + " |")
    print("| ---: " * (2 + len(speeds)) + "|")
    for case in cases:
        own = speeds[first][case]
        cells = [*map(str, case), f"{own:,.0f}"]
        for name in others:
            cells.append(f"{speeds[name][case]:,.0f} ({own / speeds[name][case]:.2f})")
        print("| " + " | ".join(cells) + " |")


def _prepare(options):
    """Write the model for each engine, in a process of its own."""
    subprocess.run(
        [sys.executable, __file__, *_arguments("prepare", 1, options)],
        check=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def _arguments(worker, threads, options):
    numbers = ("layers", "width", "heads", "source", "steps")
    return [
        *("--worker", worker, "--folder", options.folder, "--threads", str(threads)),
        *(f"--{name}={getattr(options, name)}" for name in numbers),
        *("--beams", *map(str, options.beams)),
    ]


def _work(name, options):
    folder = Path(options.folder)
    if name == "prepare":
        decoding_engines.prepare(folder, options)
        return
    (options.threads,) = options.threads
    searches = ENGINES[name](folder, options)
    for line in sys.stdin:
        rows, beams, what = json.loads(line)
        random = np.random.default_rng(0)
        size = (rows, options.source)
        source = random.integers(4, decoding_engines.VOCABULARY, size, "int32")
        if what == "outputs":
            answer = searches[beams](source).tolist()
        else:
            start = time.perf_counter()
            searches[beams](source)
            answer = time.perf_counter() - start
        print(json.dumps(answer), flush=True)


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--engines", nargs="+", choices=ENGINES, default=[*ENGINES])
    add("--rows", type=int, nargs="+", default=[1, 32])
    add("--beams", type=int, nargs="+", default=[1, 4])
    add("--runs", type=int, default=15)
    add("--layers", type=int, default=3)
    add("--width", type=int, default=256)
    add("--heads", type=int, default=4)
    add("--source", type=int, default=20, help="ids of a source")
    add("--steps", type=int, default=32, help="ids of an output")
    add("--threads", type=int, nargs="+", default=[1, 2], help="the best is shown")
    add("--worker", help=argparse.SUPPRESS)
    add("--folder", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
