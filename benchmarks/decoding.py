"""Speed of search: ours, out of a reloaded SavedModel, and CTranslate2's.

    python -m pip install ctranslate2 && python benchmarks/decoding.py

One model, with the same weights in each engine: a Transformer of 3 + 3 layers, width
256, 4 heads, feed-forward 1,024, vocabulary 8,000; 20 source ids, outputs of exactly
32. Engines are processes of their own that take turns; figures are medians of the
rounds, in output ids a second. Before they are timed, their outputs are compared.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

VOCABULARY = 8000
ENGINES = ("ours", "ctranslate2", "ctranslate2 int8")
Case = tuple[int, int]
Search = Callable[[np.ndarray], np.ndarray]


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
    found = {name: {case: [] for case in cases} for name in options.engines}
    workers = {name: _start(name, options) for name in options.engines}
    for case in cases:
        outputs = {}
        for name, worker in workers.items():
            outputs[name] = _ask(worker, case, "outputs")
        for name, ids in outputs.items():
            same = np.mean(np.array(ids) == np.array(outputs[options.engines[0]]))
            print(f"{case}: {name} writes {100 * same:.0f} % of the ids", flush=True)
        for _ in range(options.runs):
            for name, worker in workers.items():
                found[name][case].append(_ask(worker, case, "seconds"))
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()
    medians = {
        name: {
            (rows, beams): rows * options.steps / statistics.median(seconds)
            for (rows, beams), seconds in by_case.items()
        }
        for name, by_case in found.items()
    }
    first = options.engines[0]
    print("| rows | beams | " + " | ".join(options.engines) + " | ratios |")
    print("| ---: " * (3 + len(options.engines)) + "|")
    for case in cases:
        speeds = [medians[name][case] for name in options.engines]
        ratios = [f"{medians[first][case] / speed:.2f}" for speed in speeds[1:]]
        cells = [*case, *(f"{speed:,.0f}" for speed in speeds), ", ".join(ratios)]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    return medians


def _prepare(options):
    """Write the model for each engine, in a process of its own."""
    subprocess.run(
        [sys.executable, __file__, *_arguments("prepare", options)],
        check=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def _arguments(worker, options):
    numbers = ("layers", "width", "heads", "source", "steps", "threads")
    return [
        *("--worker", worker, "--folder", options.folder),
        *(f"--{name}={getattr(options, name)}" for name in numbers),
        *("--beams", *map(str, options.beams)),
    ]


def _start(name, options):
    return subprocess.Popen(
        [sys.executable, __file__, *_arguments(name, options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        text=True,
    )


def _ask(worker, case, what):
    worker.stdin.write(json.dumps([*case, what]) + "\n")
    worker.stdin.flush()
    return json.loads(worker.stdout.readline())


def _work(name, options):
    folder = Path(options.folder)
    if name == "prepare":
        return _write_models(folder, options)
    make = {"ours": _ours, "ctranslate2": _ctranslate2}[name.split()[0]]
    searches = make(folder, name, options)
    for line in sys.stdin:
        rows, beams, what = json.loads(line)
        random = np.random.default_rng(0)
        source = random.integers(4, VOCABULARY, (rows, options.source), "int32")
        if what == "outputs":
            answer = searches[beams](source).tolist()
        else:
            start = time.perf_counter()
            searches[beams](source)
            answer = time.perf_counter() - start
        print(json.dumps(answer), flush=True)
    return None


def _write_models(folder, options):
    import keras
    import tensorflow as tf

    from keras_attention.decoding import BeamSearch, Greedy
    from keras_attention.export import export_saved_model
    from keras_attention.models import transformer

    keras.utils.set_random_seed(0)
    model = transformer(
        VOCABULARY,
        VOCABULARY,
        num_layers=options.layers,
        num_heads=options.heads,
        embedding_dim=options.width,
        intermediate_dim=4 * options.width,
    )
    spec = [tf.TensorSpec([None, None], tf.int32, name="source")]
    lengths = {"max_length": options.steps, "min_length": options.steps}
    signatures = {}
    for beams in options.beams:
        search = (
            Greedy(**lengths)
            if beams == 1
            else BeamSearch(beams, num_hypotheses=1, length_penalty=0.0, **lengths)
        )
        signatures[f"beams_{beams}"] = tf.function(
            _ids_alone(tf.function(search.search, jit_compile=True), model),
            spec,
            autograph=False,
        )
    variables = [variable.value for variable in model.variables]
    export_saved_model(folder / "ours", signatures, [variables])
    try:
        import ctranslate2_model
    except ImportError:
        return
    ctranslate2_model.convert(model, folder / "ctranslate2")


def _ids_alone(search: Any, model: Any) -> Any:
    return lambda source: {"ids": search(model, source).ids[:, 0]}


def _ours(folder, name, options) -> dict[int, Search]:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    loaded = tf.saved_model.load(str(folder / "ours"))

    def search(signature):
        return lambda source: signature(source=tf.constant(source))["ids"].numpy()

    return {
        beams: search(loaded.signatures[f"beams_{beams}"]) for beams in options.beams
    }


def _ctranslate2(folder, name, options) -> dict[int, Search]:
    import ctranslate2_model

    compute_type = "int8" if name.endswith("int8") else "float32"
    engine = ctranslate2_model.load(
        folder / "ctranslate2", compute_type, options.threads
    )
    names = ctranslate2_model.tokens(VOCABULARY)
    numbers = {name: number for number, name in enumerate(names)}

    def search(beams):
        def run(source):
            found = engine.translate_batch(
                [[names[number] for number in row] for row in source],
                beam_size=beams,
                length_penalty=0,
                min_decoding_length=options.steps,
                max_decoding_length=options.steps,
                suppress_sequences=[["<blank>"], ["<s>"]],
            )
            return np.array([[numbers[t] for t in row.hypotheses[0]] for row in found])

        return run

    return {beams: search(beams) for beams in options.beams}


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    add("--rows", type=int, nargs="+", default=[1, 32])
    add("--beams", type=int, nargs="+", default=[1, 4])
    add("--runs", type=int, default=15)
    add("--layers", type=int, default=3)
    add("--width", type=int, default=256)
    add("--heads", type=int, default=4)
    add("--source", type=int, default=20, help="ids of a source")
    add("--steps", type=int, default=32, help="ids of an output")
    add("--threads", type=int, default=2)
    add("--worker", help=argparse.SUPPRESS)
    add("--folder", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
