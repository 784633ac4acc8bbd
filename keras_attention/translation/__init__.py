"""Strings in, strings out: a model, two tokenizers and a search as one `Translator`.

What trains and measures one, and what translates a stream of lines, is here too.
"""

import importlib
from typing import Any

from keras_attention.optional_packages import is_installed, needs

__all__ = [
    "Batches",
    "Evaluation",
    "Hypothesis",
    "Score",
    "Translator",
    "compile_model",
    "evaluate",
    "fit_translator",
    "make_batches",
    "train_tokenizers",
    "translate_lines",
]

if is_installed("tensorflow"):
    from keras_attention.translation.evaluation import Evaluation, evaluate
    from keras_attention.translation.fitting import (
        Batches,
        compile_model,
        fit_translator,
        make_batches,
    )
    from keras_attention.translation.lines import translate_lines
    from keras_attention.translation.results import Hypothesis, Score
    from keras_attention.translation.tokenizers import train_tokenizers
    from keras_attention.translation.translator import Translator


def __getattr__(name: str) -> Any:
    if name in __all__:
        with needs("tensorflow", extra="text", by=f"{__name__}.{name}"):
            importlib.import_module("tensorflow")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
