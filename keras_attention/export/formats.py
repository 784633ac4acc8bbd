"""The formats that a `Translator` is written in, by name."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from keras_attention.argument_checks import check_choice
from keras_attention.export.ctranslate2 import write_ctranslate2
from keras_attention.export.saved_model import write_saved_model

FORMATS = ("saved_model", "ctranslate2")


def write_translator(
    translator: Any,
    path: str | PathLike[str],
    overwrite: bool,
    check: bool | Sequence[Any],
    format: str,
    quantization: str | None,
) -> None:
    """What `Translator.export` does.

    Raises:
        ValueError: for a format that there is not, or that cannot be quantized.
    """
    check_choice(FORMATS, format=format)
    if format == "ctranslate2":
        write_ctranslate2(translator, path, overwrite, check, quantization)
        return
    if quantization is not None:
        raise ValueError(
            "`quantization` is for format='ctranslate2'; a SavedModel holds what "
            f"`quantize` has made of the model. Received: quantization={quantization!r}"
        )
    write_saved_model(translator, path, overwrite, check)
