"""The drawing: maps side by side, in a figure that is just large enough.

Lengths are in inches. All maps are of one size, and names stand only at the left and
upper edges of the grid; so what is measured on the first map holds for all.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, Bbox

from keras_attention.visualization.fonts import label_font

EDGE = 0.12
GAP = 0.16
BAR_WIDTH, BAR_NUMBERS, TALLEST_BAR = 0.12, 0.3, 3.0
CAPTION_POINTS, TITLE_POINTS, NUMBER_POINTS = 10, 13, 9
LANDSCAPE = 1.6
"""Width of a pleasant grid, by its height."""


class Measure(NamedTuple):
    """The size of a map, and how far its text reaches beyond it."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    caption: float
    """Width of the widest caption."""


def draw_maps(
    weights: np.ndarray,
    source: Sequence[str],
    target: Sequence[str],
    captions: Sequence[str],
    title: str | None,
    colormap: Any,
) -> Figure:
    """Draw weights from 0 to 1 as a grid of maps.

    Args:
        weights: `(maps, target, source)`.
        source: names of the columns.
        target: names of the rows.
        captions: what stands below each map.
        title: what stands above all, or `None`.
        colormap: of matplotlib.
    """
    count, rows, columns = weights.shape
    field = field_size(max(rows, columns), is_grid=count > 1)
    width, height = columns * field, rows * field
    across = grid_columns(count, width / height)
    figure = Figure(figsize=(width, height))
    # Settings of the user must not move the maps from where they are put.
    figure.set_layout_engine("none")
    colors = ScalarMappable(Normalize(0, 1), colormap)
    maps = [_draw_map(figure, values, colors, field) for values in weights]
    for index, (axes, caption) in enumerate(zip(maps, captions, strict=True)):
        axes.set_label(f"map {index}")
        axes.set_xlabel(caption, labelpad=4, **_plain(CAPTION_POINTS))
        if index < across:
            _name_columns(axes, source, field)
        if index % across == 0:
            _name_rows(axes, target, field)
    bar = _arrange(figure, maps, across, _measure(figure, maps), title or "")
    _fill_color_bar(bar, colors)
    return figure


def field_size(count: int, is_grid: bool) -> float:
    """Return the side of one weight of a map with `count` rows or columns."""
    whole, smallest, largest = (2.8, 0.14, 0.4) if is_grid else (7.0, 0.17, 0.5)
    return min(max(whole / count, smallest), largest)


def grid_columns(count: int, aspect: float) -> int:
    """Return how many maps stand side by side, for few gaps and a pleasant shape.

    Args:
        count: number of maps.
        aspect: width of a map by its height.
    """

    def cost(across):
        down = math.ceil(count / across)
        shape = abs(math.log(across * aspect / down / LANDSCAPE))
        return 3 * (across * down - count) / count + shape

    return min(range(1, count + 1), key=cost)


def _draw_map(
    figure: Figure, weights: np.ndarray, colors: ScalarMappable, field: float
) -> Axes:
    rows, columns = weights.shape
    axes = figure.add_axes((0, 0, 1, 1))
    axes.grid(False)
    axes.pcolormesh(
        weights,
        cmap=colors.cmap,
        vmin=0,
        vmax=1,
        edgecolors=axes.get_facecolor(),
        linewidth=min(1, 2 * field),
    )
    axes.set(xlim=(0, columns), ylim=(rows, 0), xticks=[], yticks=[])
    axes.tick_params(length=0, pad=3, labeltop=True, labelbottom=False)
    for spine in axes.spines.values():
        spine.set(visible=True, color="0.75", linewidth=0.6)
    return axes


def _name_columns(axes: Axes, names: Sequence[str], field: float) -> None:
    """Write names above the columns, tilted where one is wider than its column."""
    positions = np.arange(len(names)) + 0.5
    axes.set_xticks(positions, names, **_plain(_name_points(field)))
    labels = axes.get_xticklabels()
    widest = max(_size(label)[0] for label in labels)
    if widest < 0.95 * field:
        return
    steep = field < 0.25
    axes.tick_params("x", pad=3 if steep else 7)
    for label in labels:
        label.set(rotation=90 if steep else 45, rotation_mode="anchor")
        label.set(horizontalalignment="left", verticalalignment="center")


def _name_rows(axes: Axes, names: Sequence[str], field: float) -> None:
    axes.set_yticks(np.arange(len(names)) + 0.5, names, **_plain(_name_points(field)))


def _measure(figure: Figure, maps: Sequence[Axes]) -> Measure:
    """Measure maps that still lie on top of each other and fill the figure."""
    width, height = figure.get_size_inches()
    box = figure.get_tightbbox()
    return Measure(
        width,
        height,
        left=-box.x0,
        right=box.x1 - width,
        top=box.y1 - height,
        bottom=-box.y0,
        caption=max(_size(axes.xaxis.label)[0] for axes in maps),
    )


def _arrange(
    figure: Figure, maps: Sequence[Axes], across: int, measure: Measure, title: str
) -> Axes:
    """Give the figure its size, and the maps and the title a place.

    Returns:
        Empty axes to their right, for the color bar.
    """
    step_x = max(measure.width, measure.caption) + GAP
    step_y = measure.height + measure.bottom + GAP
    grid_x = across * step_x - GAP
    grid_y = math.ceil(len(maps) / across) * step_y - GAP
    bar_y = min(grid_y - measure.bottom, TALLEST_BAR)
    beyond = max(measure.right, GAP + BAR_WIDTH + BAR_NUMBERS)
    content = measure.left + grid_x + beyond
    style = _plain(TITLE_POINTS)
    heading = figure.suptitle(title, x=0.5, verticalalignment="top", **style)
    title_x, title_y = _size(heading)
    above = EDGE + (title_y + GAP if title else 0) + measure.top
    page = _Page(
        figure,
        max(content, title_x) + 2 * EDGE,
        above + grid_y + EDGE,
        left=max(0, title_x - content) / 2 + EDGE + measure.left,
        top=above,
    )
    heading.set_y(1 - EDGE / figure.get_figheight())
    for index, axes in enumerate(maps):
        row, column = divmod(index, across)
        page.place(axes, column * step_x, row * step_y, measure.width, measure.height)
    bar = figure.add_axes((0, 0, 1, 1), label="color bar")
    page.place(bar, grid_x + GAP, 0, BAR_WIDTH, bar_y)
    return bar


def _fill_color_bar(bar: Axes, colors: ScalarMappable) -> None:
    is_small = _size(bar.patch)[1] < 1
    color_bar = bar.figure.colorbar(
        colors, cax=bar, ticks=[0, 1] if is_small else [0, 0.5, 1]
    )
    color_bar.outline.set_visible(False)
    bar.grid(False)
    bar.tick_params(length=0)
    for number in bar.get_yticklabels():
        number.set(**_plain(NUMBER_POINTS))


class _Page:
    """A figure of a size in inches, with an origin from which places are counted."""

    def __init__(
        self, figure: Figure, width: float, height: float, left: float, top: float
    ) -> None:
        figure.set_size_inches(width, height)
        self._width, self._height = width, height
        self._left, self._bottom = left, height - top

    def place(
        self, axes: Axes, right: float, down: float, width: float, height: float
    ) -> None:
        """Put a frame so far to the right of the origin and so far below it."""
        box = Bbox.from_bounds(
            self._left + right, self._bottom - down - height, width, height
        )
        scale = Affine2D().scale(1 / self._width, 1 / self._height)
        axes.set_position(box.transformed(scale))


def _size(artist: Artist) -> tuple[float, float]:
    """Width and height of what is drawn, in inches."""
    box = artist.get_window_extent()
    return box.width / artist.figure.dpi, box.height / artist.figure.dpi


def _name_points(field: float) -> float:
    """Size of names that leaves a gap between one and the next."""
    return min(11, 52 * field)


def _plain(points: float) -> dict[str, Any]:
    """How text is drawn: any script, and no formula where a token has a `$`."""
    return {"fontproperties": label_font(points), "parse_math": False, "usetex": False}
