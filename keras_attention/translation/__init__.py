"""Strings in, strings out: a model, two tokenizers and a search as one `Translator`.

What trains and measures one, and what translates a stream of lines, is here too.
"""

from keras_attention.translation.ctranslate2_translator import CTranslate2Translator
from keras_attention.translation.evaluation import Evaluation, evaluate
from keras_attention.translation.fitting import (
    Batches,
    compile_model,
    fit_translator,
    make_batches,
)
from keras_attention.translation.lines import translate_lines
from keras_attention.translation.results import Hypothesis, Score
from keras_attention.translation.short_list import ShortList
from keras_attention.translation.tokenizers import train_tokenizers
from keras_attention.translation.translator import Translator

__all__ = [
    "Batches",
    "CTranslate2Translator",
    "Evaluation",
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
