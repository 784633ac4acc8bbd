"""Draw docs/batches.png: how sentences are cut into batches, and what waits in them.

    python docs/draw_batches.py

The batches are those of `Buckets`, of sentences whose lengths are drawn by lot as those
of a corpus of everyday sentences are spread.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from keras_attention.decoding import Greedy
from keras_attention.decoding.steps import STAY, count_departures
from keras_attention.translation.buckets import Buckets

COUNT, LONGEST, WIDTH = 110, 64, 40
TOKEN, FILLED, EDGE = "#3b6ea5", "#dbe3ec", "#5a5a5a"


def main(path: Path) -> None:
    """Draw sources on the left, and what is written for them on the right."""
    drawn = np.random.default_rng(7)
    sources = np.clip(drawn.gamma(6.0, 1.7, COUNT).round().astype(int), 3, LONGEST)
    outputs = np.maximum(2, (1.1 * sources + drawn.normal(0, 1.5, COUNT)).astype(int))
    figure = Figure(figsize=(9, 6))
    left, right = figure.subplots(1, 2, sharey=True)
    top = 0
    batches = Buckets(Greedy(128), 64, LONGEST).batches(sources.tolist())
    for chosen, (rows, length), room in batches:
        draw(left, top, sources[chosen], rows, length)
        written = np.sort(outputs[chosen])[::-1]
        steps, stay = int(written[0]), rows
        if count_departures(rows, 1):
            stay = rows // STAY
            leave = int(written[stay]) if len(written) > stay else 1
            draw(right, top, written[:stay], stay, steps)
            draw(right, top, written, rows, leave)
        else:
            draw(right, top, written, rows, steps)
        is_seen = room < WIDTH
        if is_seen:
            right.plot([room, room], [top, top + rows], color=EDGE, ls=":", lw=1.2)
        at, middle = (room if is_seen else WIDTH) - 0.4, top + rows / 2
        label = (
            f"room for {room}" if is_seen else f"room for {room} \N{RIGHTWARDS ARROW}"
        )
        right.text(at, middle, label, ha="right", va="center", size=8)
        left.text(
            length + 0.4, top + rows / 2, f"{rows} x {length}", va="center", size=8
        )
        top += rows + 1
    left.set_xlim(0, WIDTH)
    right.set_xlim(0, WIDTH)
    left.set_ylim(top, -1)
    left.set_title("sources, sorted and padded", fontsize=11, fontweight="bold")
    right.set_title("outputs, the last by themselves", fontsize=11, fontweight="bold")
    left.set_ylabel("rows", fontsize=9)
    for axes in (left, right):
        axes.set_xlabel("tokens", fontsize=9)
        axes.set_yticks([])
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
    figure.subplots_adjust(0.04, 0.12, 0.99, 0.92, wspace=0.06)
    figure.savefig(path, dpi=200, metadata={"Software": None})


def draw(axes, top, lengths, rows, width):
    """A batch: what its program computes, and the tokens that are there."""
    axes.add_patch(Rectangle((0, top), width, rows, facecolor=FILLED, edgecolor=EDGE))
    for row, length in enumerate(lengths):
        axes.add_patch(Rectangle((0, top + row + 0.12), length, 0.76, facecolor=TOKEN))


if __name__ == "__main__":
    main(Path(__file__).with_name("batches.png"))
