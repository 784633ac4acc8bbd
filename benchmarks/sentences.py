"""A trained translator on real sentences, strings to strings, by the engines there are.

    python -m pip install ".[text,ctranslate2,formats,bleu]" transformers torch
    python benchmarks/sentences.py TRANSLATOR --source FILE --target FILE

The translator is exported in each format that can hold it. Every engine is a process of
its own, on as many cores as `--threads` says; ours with its settings as they come,
CTranslate2 also by hand in each way to divide the cores, and with threads that wait
actively or not. They take turns: all sentences in one call, and the first of them one
by one. Printed are sentences a second, medians of runs, in brackets how many times as
fast it is as the best of CTranslate2 in float32 by hand; of one by one the milliseconds
of the median sentence and of the slowest but one in a hundred; the seconds from the
start of a process to its first translation; the most memory that it had; the room that
its files take; how many translations are those of `Translator`; and their BLEU.

A translator with a short list of pieces for each source is measured as it comes, and
ours beside it without the list.

Beams are those of CTranslate2's rule, which all of them can follow but Hugging Face,
whose outputs may end earlier, and LiteRT, which has no beams.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
import string_engines
from workers import ask, end, instruction_sets, peak_mib, processor, start_worker

SEARCHES = ("greedy", "beam 4")
MODES = ("all", "one by one")


def main(arguments: Sequence[str] | None = None) -> dict[tuple[str, int], dict]:
    """Measure and print tables; what was found, by search and number of threads."""
    options = _parser().parse_args(arguments)
    if options.worker:
        _work(options)
        return {}
    print(f"{processor()}; {', '.join(instruction_sets())}")
    lines = _read(options.source, options.sentences)
    references = _read(options.target, options.sentences) if options.target else None
    tables = {}
    with tempfile.TemporaryDirectory() as folder:
        for search in options.searches:
            _prepare(Path(folder, search), search, options)
            for threads in options.threads:
                table = _measure(Path(folder, search), lines, threads, options)
                _print_table(search, threads, table, references)
                tables[search, threads] = table
    return tables


def _read(path, most):
    return Path(path).read_text("utf-8").splitlines()[:most]


def _prepare(folder, search, options):
    """Write the exports in a process of its own, and say what cannot hold the model."""
    folder.mkdir()
    subprocess.run(
        [
            *(sys.executable, __file__, options.translator, "--source", options.source),
            *("--worker", "prepare", "--folder", str(folder), "--searches", search),
            *("--engines", *options.engines, "--threads", "1"),
        ],
        check=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def _measure(folder, lines, threads, options):
    found, workers = {}, {}
    for name, engine, environment in string_engines.on_cores(options.engines, threads):
        place = folder / string_engines.FOLDERS[engine]
        if not place.is_dir():
            continue
        begun = time.perf_counter()
        worker = start_worker(
            __file__,
            *(options.translator, "--source", options.source),
            *("--worker", name, "--folder", str(place), "--searches", folder.name),
            *("--threads", str(threads)),
            environment=environment,
        )
        ask(worker, {"texts": lines[:1], "together": True})
        sizes = [file.stat().st_size for file in place.rglob("*") if file.is_file()]
        workers[name] = worker
        found[name] = {
            "start": time.perf_counter() - begun,
            "mib on disk": sum(sizes) / 2**20,
            "translations": ask(worker, {"texts": lines, "together": True})["texts"],
            "latencies": [],
            **{mode: [] for mode in MODES},
        }
        ask(worker, {"texts": lines[: options.single], "together": False})
    for _ in range(options.runs):
        for name, worker in workers.items():
            for mode in MODES:
                together = mode == "all"
                some = lines if together else lines[: options.single]
                answer = ask(worker, {"texts": some, "together": together})
                found[name][mode].append(len(some) / sum(answer["seconds"]))
                if not together:
                    found[name]["latencies"] += answer["seconds"]
                found[name]["mib"] = answer["mib"]
    for worker in workers.values():
        end(worker)
    return found


def _print_table(search, threads, found, references):
    columns = [*MODES, "p50, ms", "p99, ms", "start, s", "memory, MiB"]
    columns += ["on disk, MiB", "the same, %", *(["BLEU"] if references else [])]
    print(f"\n{search}, {threads} threads\n\n| engine | {' | '.join(columns)} |")
    print("| --- " + "| ---: " * len(columns) + "|")
    peers = [
        figures for name, figures in found.items() if name.startswith("CTranslate2, f")
    ]
    best = {
        mode: max((median(figures[mode]) for figures in peers), default=math.nan)
        for mode in MODES
    }
    first = next(iter(found.values()))["translations"]
    for name, figures in found.items():
        speeds = {mode: median(figures[mode]) for mode in MODES}
        cells = [
            f"{speeds[mode]:,.0f} ({speeds[mode] / best[mode]:.2f})" for mode in MODES
        ]
        cells += [
            f"{1000 * np.percentile(figures['latencies'], share):.1f}"
            for share in (50, 99)
        ]
        cells += [f"{figures['start']:.1f}", f"{figures['mib']:,}"]
        cells += [f"{figures['mib on disk']:.1f}"]
        pairs = [*zip(figures["translations"], first, strict=True)]
        cells += [f"{100 * sum(a == b for a, b in pairs) / len(pairs):.1f}"]
        if references:
            import sacrebleu

            bleu = sacrebleu.corpus_bleu(figures["translations"], [references])
            cells += [f"{bleu.score:.1f}"]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _work(options):
    """Answer questions, a line of JSON each."""
    (search,), (threads,) = options.searches, options.threads
    folder = Path(options.folder)
    if options.worker == "prepare":
        string_engines.prepare(options.translator, folder, search, options.engines)
        return
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    translate = string_engines.make(options.worker, folder, search)
    for line in sys.stdin:
        question = json.loads(line)
        texts = question["texts"]
        found, seconds = [], []
        for some in [texts] if question["together"] else [[text] for text in texts]:
            started = time.perf_counter()
            found += translate(some)
            seconds.append(time.perf_counter() - started)
        answer = {"seconds": seconds, "texts": found, "mib": peak_mib()}
        print(json.dumps(answer), flush=True)


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    names = [*string_engines.FOLDERS]
    add("translator", help="a saved Translator")
    add("--source", required=True, help="file of lines to translate")
    add("--target", help="file of their references, for BLEU")
    add("--engines", nargs="+", choices=names, default=names)
    add("--searches", nargs="+", choices=SEARCHES, default=[*SEARCHES])
    add("--threads", nargs="+", type=int, default=[2])
    add("--sentences", type=int, default=1000)
    add("--single", type=int, default=200, help="how many of them one by one")
    add("--runs", type=int, default=3)
    add("--worker", help=argparse.SUPPRESS)
    add("--folder", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
