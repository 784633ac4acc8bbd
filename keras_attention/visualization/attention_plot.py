"""Attention weights as a picture."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_attention.optional_packages import needs
from keras_attention.visualization.files import check_path, write_figure
from keras_attention.visualization.labels import token_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Rounding in half precision, not scores that were never normalized.
_TOLERANCE = 0.02


def plot_attention(
    weights: Any,
    source_tokens: Sequence[str | bytes],
    target_tokens: Sequence[str | bytes],
    *,
    title: str | None = None,
    head_names: Sequence[str] | None = None,
    show_mean: bool = False,
    colormap: Any = "Blues",
    path: str | os.PathLike[str] | None = None,
    dpi: float = 150,
) -> "Figure":
    """Draw which source tokens each target token attended to (Bahdanau et al. 2015).

    Source tokens stand above the map, target tokens to its left; the darker a field,
    the larger its weight, from 0 to 1. The figure grows with the number of tokens.

    Args:
        weights: `(target, source)`, or `(heads, target, source)`, which gives a small
            map for each head. An array, or a tensor that NumPy can read.
        source_tokens: names of the columns, one a source position.
        target_tokens: names of the rows, one a target position.
        title: stands above the picture.
        head_names: stand below the small maps; `head 1`, `head 2`, ... when left out.
        show_mean: whether a last small map shows the mean of the heads.
        colormap: of matplotlib, by name or as an object.
        path: file to write; its ending says the format. It appears when it is complete.
        dpi: dots per inch of that file.

    Returns:
        A figure outside `pyplot`; the settings of matplotlib stay as they are.

    Raises:
        ValueError: for weights outside 0 to 1, names whose number differs from that of
            the positions, or a `path` that cannot be written.
        ImportError: without matplotlib, which `keras-attention-layers[plot]` installs.

    Example:
    >>> weights = np.array([[0.9, 0.1], [0.2, 0.8], [0.0, 1.0]])
    >>> figure = plot_attention(weights, ["name", "Dooli"], ["이름은", "둘리", "."])
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['이름은', '둘리', '.']
    """
    with needs("matplotlib", extra="plot", by="plot_attention"):
        from keras_attention.visualization import maps
    values = _check_weights(weights)
    count, rows, columns = values.shape
    has_heads = np.ndim(weights) == 3
    if not has_heads and (head_names is not None or show_mean):
        raise ValueError(
            "`head_names` and `show_mean` need `weights` with an axis for heads. "
            f"Received: weights of shape {(rows, columns)}, "
            f"head_names={head_names!r}, show_mean={show_mean}"
        )
    source = token_labels("source_tokens", source_tokens, columns, "column")
    target = token_labels("target_tokens", target_tokens, rows, "row")
    captions = _captions(head_names, count) if has_heads else [""]
    if show_mean:
        values = np.concatenate([values, values.mean(axis=0, keepdims=True)])
        captions.append("mean")
    file = None if path is None else check_path(path)
    figure = maps.draw_maps(values, source, target, captions, title, colormap)
    if file is not None:
        write_figure(figure, file, dpi)
    return figure


def _check_weights(weights: Any) -> np.ndarray:
    """The weights as `(maps, target, source)`, float32."""
    values = np.asarray(weights).astype("float32")
    if values.ndim not in (2, 3) or 0 in values.shape:
        raise ValueError(
            "`weights` must be of shape (target, source) or (heads, target, source). "
            f"Received: weights of shape {values.shape}"
        )
    if not (np.min(values) >= -_TOLERANCE and np.max(values) <= 1 + _TOLERANCE):
        raise ValueError(
            "`weights` must lie between 0 and 1, as attention weights do. Received: "
            f"weights from {np.min(values)} to {np.max(values)}"
        )
    return values.reshape((-1, *values.shape[-2:]))


def _captions(head_names: Sequence[str] | None, count: int) -> list[str]:
    if head_names is None:
        return [f"head {head}" for head in range(1, count + 1)]
    if isinstance(head_names, str) or len(head_names) != count:
        raise ValueError(
            "`head_names` must name each head of `weights`. "
            f"Received: head_names={head_names!r} for {count} heads"
        )
    return [str(name) for name in head_names]
