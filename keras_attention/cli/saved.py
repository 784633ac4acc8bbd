"""The saved Translator that a command works with."""

import argparse
import importlib
from typing import Any

import keras

from keras_attention.decoding import BeamSearch, Greedy, Search
from keras_attention.optional_packages import needs
from keras_attention.translation.translator import Translator


def check_backend() -> None:
    """Raise `ValueError` on a backend that the command does not train on.

    Raises:
        ImportError: without TensorFlow.
    """
    with needs("tensorflow", extra="text", by="train"):
        importlib.import_module("tensorflow")
    if keras.config.backend() != "tensorflow":
        raise ValueError(
            "train reads its texts by TensorFlow: KERAS_BACKEND=tensorflow. On JAX, "
            "examples/distributed.py trains and exports a translator"
        )


def load(options: argparse.Namespace) -> Any:
    """A saved Translator with what else was asked for."""
    engine = getattr(options, "engine", "tensorflow")
    for name in ("int8", "xla"):
        if engine == "ctranslate2" and getattr(options, name):
            raise ValueError(
                f"--{name} is not for --engine ctranslate2: export --format "
                "ctranslate2 --quantization int8 makes a model of 8 bits"
            )
    translator = load_with(options.folder, engine)
    translator.search = change_search(
        translator.search, options.beams, options.length_penalty, options.xla
    )
    if getattr(options, "precision", None):
        translator = translator.with_precision(options.precision)
    if options.int8:
        translator.quantize()
    return translator


def load_with(folder: str, engine: str) -> Any:
    """A saved Translator, or what an export of it for CTranslate2 holds."""
    return Translator.load(folder, engine=engine)


def change_search(
    search: Search, beams: int | None, length_penalty: float | None, xla: bool
) -> Search:
    """A search like another one but for what is given; 1 beam is greedy search.

    Raises:
        ValueError: for a length penalty without a beam search.
    """
    kind, config = type(search), search.get_config()
    if beams is not None:
        kind = Greedy if beams == 1 else BeamSearch
        known = kind(max_length=1).get_config()
        config = {name: value for name, value in config.items() if name in known}
    if beams is not None and beams > 1:
        config |= {"num_beams": beams, "num_hypotheses": None, "num_groups": 1}
    if length_penalty is not None:
        if kind is not BeamSearch:
            raise ValueError("--length-penalty needs a beam search, as by --beams 5")
        config["length_penalty"] = length_penalty
    if xla:
        config["jit_compile"] = True
    return kind.from_config(config)
