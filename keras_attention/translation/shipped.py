"""Translators that come along: in a checkout, or as a distribution of their own."""

import importlib.util
from pathlib import Path

from keras_attention.translation.file_names import MARKER

DISTRIBUTION = "keras-attention-models"
MODULE = "keras_attention_models"
CHECKOUT = Path(__file__).parents[2] / "models" / MODULE


def find_preset(name: str) -> Path:
    """The folder of a translator that comes along.

    Raises:
        FileNotFoundError: where none are installed.
        ValueError: for a name that none of them has.
    """
    presets = {path.parent.name: path.parent for path in _markers()}
    if not presets:
        raise FileNotFoundError(
            f"`name` must be that of a model that comes with {DISTRIBUTION}, which is "
            f"not installed: pip install {DISTRIBUTION}, or pip install ./models in a "
            f"checkout. Received: name={name!r}"
        )
    if name not in presets:
        raise ValueError(
            f"`name` must be one of {sorted(presets)}. Received: name={name!r}"
        )
    return presets[name]


def _markers():
    spec = importlib.util.find_spec(MODULE)
    installed = spec.submodule_search_locations if spec else None
    for folder in (*map(Path, installed or ()), CHECKOUT):  # the checkout's come first
        yield from folder.glob(f"*/{MARKER}")
