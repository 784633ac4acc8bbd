"""Draw docs/masks.png: what a query may attend to, under each kind of mask.

    python docs/draw_masks.py

Nothing is drawn by hand: every panel shows the weights of one `MultiHeadAttention`
with one head, called with the mask that is named below it.
"""

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from keras_attention.layers import MultiHeadAttention

WORDS = ["we", "saw", "the", "old", "dog", "pad", "pad"]
IDS = np.array([[5, 3, 2, 7, 4, 0, 0]])
WIDTH, WINDOW = 16, 3
MAY, MAY_NOT = "#3b6ea5", "#ececec"


def main(path: Path) -> None:
    """Draw all panels in a row."""
    figure = Figure(figsize=(9, 2.75))
    axes = figure.subplots(1, 5)
    for place, (title, caption, weights) in zip(axes, panels(), strict=True):
        draw(place, weights)
        place.set_title(title, fontsize=11, fontweight="bold", pad=6)
        place.set_xlabel(caption, fontsize=8.5, labelpad=5)
    axes[0].set_yticks(range(len(WORDS)), WORDS)
    axes[0].set_ylabel("query", fontsize=9)
    axes[0].text(-1, -1, "key", fontsize=9, ha="right", va="center")
    figure.subplots_adjust(0.075, 0.17, 0.995, 0.74, wspace=0.12)
    figure.savefig(path, dpi=200, metadata={"Software": None})


def panels() -> list[tuple[str, str, np.ndarray]]:
    """Title, caption and either weights `(target, source)` or where they are."""
    keras.utils.set_random_seed(2)
    embedding = keras.layers.Embedding(
        8, WIDTH, embeddings_initializer="random_normal", mask_zero=True
    )
    masked = embedding(IDS)
    unmasked = keras.ops.take(embedding.embeddings, IDS, axis=0)
    layer, window = (
        MultiHeadAttention(1, WIDTH, sliding_window=reach) for reach in (None, WINDOW)
    )
    for each in (layer, window):
        each.build(masked.shape, masked.shape)
    # Large enough for the weights to be seen to differ.
    layer.set_weights([np.random.normal(scale=3, size=w.shape) for w in layer.weights])
    window.set_weights(layer.get_weights())

    every = weigh(window, masked, use_causal_mask=True)
    causal = weigh(layer, unmasked, use_causal_mask=True)
    return [
        ("padding", "mask_zero=True", weigh(layer, masked) > 0),
        ("causal", "use_causal_mask=True", causal > 0),
        ("window", f"sliding_window={WINDOW}", weigh(window, unmasked) > 0),
        ("all three", "what they all allow", every > 0),
        ("weights", "rows sum to 1 or to 0", every),
    ]


def weigh(layer: MultiHeadAttention, vectors, **options) -> np.ndarray:
    """The weights of the only head for the only row of the batch."""
    _, weights = layer(vectors, vectors, return_attention_scores=True, **options)
    return keras.ops.convert_to_numpy(weights)[0, 0]


def draw(axes, weights: np.ndarray) -> None:
    """Fill a panel with fields, and with numbers where it shows weights."""
    for field in fields(weights):
        axes.add_patch(field)
    if weights.dtype != bool:
        for (row, column), weight in np.ndenumerate(weights):
            if weight > 0:
                color = "white" if weight > 0.55 else "black"
                number = f"{weight:.1f}".removeprefix("0")
                style = {"ha": "center", "va": "center", "fontsize": 7.5}
                axes.text(column, row, number, color=color, **style)
    end = len(WORDS) - 0.5
    axes.set(xlim=(-0.5, end), ylim=(end, -0.5), aspect="equal", yticks=[])
    axes.set_xticks(range(len(WORDS)), WORDS, rotation=90)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=8.5, pad=2)
    axes.spines[:].set_visible(False)


def fields(weights: np.ndarray) -> Iterator[Rectangle]:
    """A square for each pair: gray for none, the bluer the higher the weight."""
    for (row, column), weight in np.ndenumerate(weights.astype("float")):
        color = (MAY, max(weight, 0.05)) if weight else MAY_NOT
        yield Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, facecolor=color)


if __name__ == "__main__":
    main(Path(__file__).with_name("masks.png"))
