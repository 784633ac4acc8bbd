"""How a training went, as a picture."""

import csv
import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_attention.optional_packages import needs
from keras_attention.visualization.files import check_path, write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMES = {"loss": "loss in nats", "bleu": "BLEU"}


def plot_training(
    history: Mapping[str, Sequence[float]] | str | os.PathLike[str],
    *,
    names: Sequence[str] | None = None,
    title: str | None = None,
    path: str | os.PathLike[str] | None = None,
    dpi: float = 150,
) -> "Figure":
    """Draw what `fit` measured epoch by epoch: training and validation side by side.

    Each figure has a plot of its own, with a line for training and one for validation
    (`loss` and `val_loss`), as far as there are both. NaN is an epoch without it.

    Args:
        history: `fit(...).history`, or a file of Keras's `CSVLogger`.
        names: of the figures to draw, without `val_`; all but `learning_rate` when left
            out.
        title: stands above the picture.
        path: file to write; its ending says the format. It appears when it is complete.
        dpi: dots per inch of that file.

    Returns:
        A figure outside `pyplot`; the settings of matplotlib stay as they are.

    Raises:
        ValueError: for a history without a figure, names that are not in it, or a
            `path` that cannot be written.
        ImportError: without matplotlib, which `keras-attention-layers[plot]` installs.

    Example:
    >>> history = {"loss": [3.0, 2.0], "val_loss": [2.5, 2.2], "val_bleu": [1.0, 9.0]}
    >>> figure = plot_training(history)
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['loss in nats', 'BLEU']
    """
    with needs("matplotlib", extra="plot", by="plot_training"):
        from matplotlib.figure import Figure
        from matplotlib.ticker import LogFormatter, MaxNLocator

    file = None if path is None else check_path(path)
    columns = _read(history) if isinstance(history, str | os.PathLike) else history
    names = _choose(columns, names)
    figure = Figure(figsize=(4.0 * len(names), 3.0), layout="constrained")
    plots = figure.subplots(1, len(names), squeeze=False)[0]
    for name, axes in zip(names, plots, strict=True):
        for column, label, color in (
            (name, "training", "C0"),
            (f"val_{name}", "validation", "C1"),
        ):
            if column in columns:
                values = np.asarray(columns[column], "float64")
                (measured,) = np.nonzero(~np.isnan(values))
                points = measured + 1, values[measured]
                axes.plot(*points, color=color, marker=".", label=label)
        if name == "perplexity":
            axes.set_yscale("log")  # the first epochs would hide all others
            axes.yaxis.set_major_formatter(LogFormatter())
            axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.0, 0.5)))
        axes.set_xlabel("epoch")
        axes.set_ylabel(_NAMES.get(name, name.replace("_", " ")))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    if title is not None:
        figure.suptitle(title)
    if file is not None:
        write_figure(figure, file, dpi)
    return figure


def _read(path: str | os.PathLike[str]) -> dict[str, list[float]]:
    """The columns of a file of Keras's `CSVLogger`."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    if "epoch" not in header:
        raise ValueError(
            "`history` must be a file of a `CSVLogger`, with an epoch in each row. "
            f"Received: history={str(path)!r}, whose columns are {header}"
        )
    # A full disk may have cut a row, and what was written next went on in its line.
    whole = [
        dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)
    ]
    # A training that was gone on with has some epochs twice: the last counts. One that
    # was killed between its backup and this file lacks an epoch.
    by_epoch = {int(row["epoch"]): row for row in whole if row["epoch"].isdecimal()}
    epochs = range(max(by_epoch, default=-1) + 1)
    columns = {
        name: [_number(by_epoch.get(epoch, {}).get(name, "")) for epoch in epochs]
        for name in header
        if name != "epoch"
    }
    return {
        name: values
        for name, values in columns.items()
        if not all(map(math.isnan, values))
    }


def _number(cell: str) -> float:
    """NaN for what Keras writes where an epoch has no such figure."""
    return math.nan if cell in ("", "NA") else float(cell)


def _choose(
    columns: Mapping[str, Sequence[float]], names: Sequence[str] | None
) -> list[str]:
    """The figures to draw, without `val_`, each of which has an epoch."""
    lengths = {name: len(values) for name, values in columns.items()}
    if not all(lengths.values()) or not lengths:
        raise ValueError("`history` must hold a figure of at least one epoch")
    if len(set(lengths.values())) > 1:
        raise ValueError(
            "`history` must have a figure, or NaN, for each epoch, as the file of a "
            f"`CSVLogger` has beside a `validation_freq`. Received epochs: {lengths}"
        )
    known = list(dict.fromkeys(name.removeprefix("val_") for name in columns))
    if names is None:
        names = [name for name in known if name != "learning_rate"]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ValueError(
            f"`names` must be some of {known}. Received: names={list(names)}"
        )
    return list(names)
