"""Strings in, strings out: a model, two tokenizers and a search as one `Translator`.

What trains and measures one, and what translates a stream of lines, is here too. Each
name is imported when it is asked for, since CTranslate2 needs no Keras.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_attention.translation.alignments import Alignment
    from keras_attention.translation.ctranslate2_translator import CTranslate2Translator
    from keras_attention.translation.evaluation import Evaluation, evaluate
    from keras_attention.translation.fitting import (
        Batches,
        compile_model,
        fit_translator,
        make_batches,
    )
    from keras_attention.translation.glossary import Glossary
    from keras_attention.translation.lines import translate_lines
    from keras_attention.translation.results import Hypothesis, Score
    from keras_attention.translation.short_list import ShortList
    from keras_attention.translation.tokenizers import train_tokenizers
    from keras_attention.translation.translator import Translator

__all__ = [
    "Alignment",
    "Batches",
    "CTranslate2Translator",
    "Evaluation",
    "Glossary",
    "Hypothesis",
    "Score",
    "ShortList",
    "Translator",
    "compile_model",
    "evaluate",
    "fit_translator",
    "make_batches",
    "train_tokenizers",
    "translate_lines",
]

_MODULES = {
    "Alignment": "alignments",
    "CTranslate2Translator": "ctranslate2_translator",
    **dict.fromkeys(("Evaluation", "evaluate"), "evaluation"),
    **dict.fromkeys(
        ("Batches", "compile_model", "fit_translator", "make_batches"), "fitting"
    ),
    "Glossary": "glossary",
    "translate_lines": "lines",
    **dict.fromkeys(("Hypothesis", "Score"), "results"),
    "ShortList": "short_list",
    "train_tokenizers": "tokenizers",
    "Translator": "translator",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
