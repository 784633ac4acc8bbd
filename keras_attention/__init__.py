"""Attention, sequence-to-sequence and Transformer translation for Keras 3."""

import importlib
from typing import TYPE_CHECKING, Any

from keras_attention._version import __version__
from keras_attention.cli import process
from keras_attention.optional_packages import is_installed, warn_of_namesake

# A command answers `--help` and mistakes before Keras is imported, which takes seconds,
# and then imports what it needs.
if process.is_command():
    process.prepare()
if TYPE_CHECKING or not process.is_command():
    # Importing them registers the layers, so that saved models load.
    from keras_attention import (
        decoding,
        functional,
        inspection,
        layers,
        models,
        training,
    )

# These take their time, or need TensorFlow or matplotlib, which the others do without.
_LAZY = ("convert", "export", "text", "translation", "visualization")

__all__ = [
    "__version__",
    "decoding",
    "functional",
    "inspection",
    "layers",
    "models",
    "training",
]
# `import *` brings what this installation has.
if is_installed("tensorflow"):
    __all__ += ["Translator", "export", "text"]
if is_installed("matplotlib"):
    __all__ += ["visualization"]

warn_of_namesake()


def __getattr__(name: str) -> Any:
    if name == "Translator":
        return importlib.import_module("keras_attention.translation").Translator
    if name in _LAZY or name in __all__:
        return importlib.import_module(f"keras_attention.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
