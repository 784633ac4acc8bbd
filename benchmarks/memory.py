"""What memory a large translation model takes, in a process of its own.

A Transformer of random weights is saved and loaded in another process, which translates
a batch with beams of 4. Printed is the peak beyond what the imports take, also in times
of the weights, after loading and after translating.

    python benchmarks/memory.py
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import keras

from keras_attention import Translator
from keras_attention.decoding import BeamSearch
from keras_attention.models import transformer
from keras_attention.text import CharacterTokenizer

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Measure, and print a row of a table."""
    asked = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "translator"
        weights = _save(path, asked)
        command = [sys.executable, __file__, "--load", str(path)]
        command += ["--rows", str(asked.rows), "--source", str(asked.source)]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(run.stdout.splitlines()[-1])
    peaks = [f"{found[name]:,.0f} | {found[name] / weights:.2f}" for name in _PEAKS]
    print("| weights, MiB | loaded | times | translated | times | seconds |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    print(f"| {weights:,.0f} | {' | '.join(peaks)} | {found['seconds']:.1f} |")
    return {**found, "weights": weights}


_PEAKS = ("loaded", "translated")


def _save(path, asked):
    """Save a model of these sizes; how many MiB its weights take."""
    keras.utils.set_random_seed(1)
    model = transformer(
        asked.vocabulary,
        asked.vocabulary,
        num_layers=asked.layers,
        num_heads=asked.width // 64 or 1,
        embedding_dim=asked.width,
        intermediate_dim=4 * asked.width,
        tie_embeddings=True,
    )
    tokenizer = CharacterTokenizer.train([LETTERS])
    search = BeamSearch(4, asked.target)
    Translator(model, tokenizer, tokenizer, search).save(path)
    return 4 * model.count_params() / 2**20


def _load(path, rows, length):
    """What this process takes at its peak, beyond what it takes now, in MiB."""
    before = _peak()
    translate = Translator.load(path)
    loaded = _peak() - before
    text = (LETTERS * length)[: length - 1]  # and an end
    begin = time.perf_counter()
    translate([text] * rows)
    seconds = time.perf_counter() - begin
    found = {"loaded": loaded, "translated": _peak() - before, "seconds": seconds}
    print(json.dumps(found))


def _peak():
    status = Path("/proc/self/status").read_text("utf-8")
    (peak,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def _parser():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=6, help="on each side")
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--vocabulary", type=int, default=32_000)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--source", type=int, default=30, help="tokens of a source")
    parser.add_argument("--target", type=int, default=40, help="of an output, at most")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    given = _parser().parse_args()
    if given.load is None:
        main()
    else:
        _load(given.load, given.rows, given.source)
