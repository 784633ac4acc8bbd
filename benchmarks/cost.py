"""What a token costs, by the number of texts of a call and the length of outputs.

Each output is made to have its length, of a source as long; tokens a second of
`translator(texts)`, medians. Draws a line for each length.

    python benchmarks/cost.py FOLDER --source lines.en --output benchmarks/cost.png
"""

import argparse
import statistics
import time
from pathlib import Path

from matplotlib.figure import Figure

from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy

ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
LENGTHS = (8, 16, 32, 64, 128, 256, 512)
COLORS = ("#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08519c", "#08306b", "#111111")


def measure(folder, lines, length, rows, beams, runs):
    """Tokens a second for each number of rows."""
    options = {"min_length": length}
    search = (
        BeamSearch(beams, length, **options) if beams else Greedy(length, **options)
    )
    loaded = Translator.load(folder)
    translate = Translator(
        loaded.model,
        loaded.source_tokenizer,
        loaded.target_tokenizer,
        search,
        max_source_length=length,
    )
    # Several lines as one, so that each source is as long as it may be.
    text, joined = "", []
    for line in lines * (1 + length * max(rows) // len(lines)):
        text = f"{text} {line}" if text else line
        if len(text.split()) >= length:
            joined.append(text)
            text = ""
        if len(joined) == max(rows):
            break
    found = []
    for count in rows:
        texts, seconds = joined[:count], []
        for _ in range(runs + 1):
            begin = time.perf_counter()
            translate(texts)
            seconds.append(time.perf_counter() - begin)
        found.append(count * length / statistics.median(seconds[1:]))
    return found


def draw(figures, path):
    """Tokens a second over rows, a line for each length."""
    figure = Figure(figsize=(6.4, 4))
    axes = figure.subplots()
    for color, (length, (rows, speeds)) in zip(COLORS, figures.items(), strict=False):
        axes.plot(rows, speeds, "o-", color=color, ms=3, label=f"{length}")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("texts of a call")
    axes.set_ylabel("tokens a second")
    axes.legend(title="tokens each", fontsize=8, title_fontsize=8)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=160, bbox_inches="tight", metadata={"Software": None})


def main(arguments=None):
    """Print a row for each length, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="of Translator.save")
    parser.add_argument("--source", type=Path, required=True, help="lines of text")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--beams", type=int, default=0, help="0 is greedy")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--output", type=Path, help="a picture")
    options = parser.parse_args(arguments)
    lines = options.source.read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line.strip()]
    print("| tokens |", " | ".join(map(str, options.rows)), "|")
    print("| ---: |" + " ---: |" * len(options.rows))
    figures = {}
    for length in options.lengths:
        sizes = options.rows, options.beams, options.runs
        speeds = measure(options.folder, lines, length, *sizes)
        figures[length] = options.rows, speeds
        print(f"| {length} |", " | ".join(f"{s:,.0f}" for s in speeds), "|", flush=True)
    if options.output:
        draw(figures, options.output)
    return figures


if __name__ == "__main__":
    main()
