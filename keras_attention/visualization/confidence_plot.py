"""Whether confidence comes true, and what it is good for, as a picture."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from keras_attention.optional_packages import needs
from keras_attention.visualization.files import check_path, write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Ranges = Sequence[tuple[float, float, int]]
"""Mean confidence of some words, share of right ones, and their number."""


def plot_confidence(
    reliability: Mapping[str, Ranges],
    withheld: Sequence[tuple[float, float]],
    *,
    title: str | None = None,
    path: str | os.PathLike[str] | None = None,
    dpi: float = 150,
) -> "Figure":
    """Draw how often words are right by confidence, and what withholding is worth.

    Left, a word of confidence 0.7 should be right in seven of ten cases: the nearer to
    the diagonal, the better. Right, BLEU of what is left when the translations of the
    least confidence are withheld.

    Args:
        reliability: by a name such as `"calibrated"`.
        withheld: shares of the translations that are withheld, and BLEU of the others.
        title: stands above the picture.
        path: file to write; its ending says the format. It appears when it is complete.
        dpi: dots per inch of that file.

    Returns:
        A figure outside `pyplot`; the settings of matplotlib stay as they are.

    Raises:
        ValueError: for a `path` that cannot be written.
        ImportError: without matplotlib, which `keras-attention-layers[plot]` installs.

    Example:
    >>> ranges = {"as it comes": [(0.4, 0.3, 9), (0.9, 0.8, 21)]}
    >>> figure = plot_confidence(ranges, [(0.0, 40.0), (0.5, 48.0)])
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['confidence of a word', 'translations withheld, %']
    """
    with needs("matplotlib", extra="plot", by="plot_confidence"):
        from matplotlib.figure import Figure

    file = None if path is None else check_path(path)
    figure = Figure(figsize=(8.0, 3.4), layout="constrained")
    words, texts = figure.subplots(1, 2)
    words.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for (name, ranges), style in zip(
        reliability.items(), ("C0--o", "C1-s", "C2-^"), strict=False
    ):
        said, right = [one for one, *_ in ranges], [share for _, share, _ in ranges]
        words.plot(said, right, style, markersize=4, label=name)
    words.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    words.set_xlabel("confidence of a word")
    words.set_ylabel("share of right words")
    words.legend(frameon=False, loc="upper left")
    texts.plot(
        [100 * share for share, _ in withheld],
        [bleu for _, bleu in withheld],
        "C1-s",
        markersize=4,
    )
    texts.axhline(withheld[0][1], color="0.7", linewidth=1)
    texts.annotate(
        "withheld by lot",
        (1, withheld[0][1]),
        (-4, -4),
        color="0.4",
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        horizontalalignment="right",
        verticalalignment="top",
    )
    texts.set_xlabel("translations withheld, %")
    texts.set_ylabel("BLEU of the others")
    texts.set_ylim(bottom=0)
    for axes in (words, texts):
        axes.grid(alpha=0.3)
    if title is not None:
        figure.suptitle(title)
    if file is not None:
        write_figure(figure, file, dpi)
    return figure
