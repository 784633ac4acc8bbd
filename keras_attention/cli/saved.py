"""The saved Translator that a command works with."""

import argparse

import keras

from keras_attention.decoding import BeamSearch, Greedy, Search
from keras_attention.translation.translator import Translator


def check_backend() -> None:
    """Raise `ValueError` on a backend that cannot translate."""
    if keras.config.backend() != "tensorflow":
        raise ValueError(
            "a translator translates on TensorFlow: KERAS_BACKEND=tensorflow. On JAX, "
            "examples/distributed.py trains and exports one"
        )


def load(options: argparse.Namespace) -> Translator:
    """A saved Translator, with other beams, compilation or kernels if asked for."""
    translator = Translator.load(options.folder)
    translator.search = change_search(
        translator.search, options.beams, options.length_penalty, options.xla
    )
    if options.int8:
        translator.quantize()
    return translator


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
