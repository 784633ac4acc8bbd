"""The formats that a `Translator` is written in, by name."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from keras_attention.argument_checks import check_choice
from keras_attention.export.ctranslate2 import write_ctranslate2
from keras_attention.export.huggingface import write_huggingface
from keras_attention.optional_packages import needs

# What takes `quantization`.
_QUANTIZED = {"ctranslate2": write_ctranslate2, "huggingface": write_huggingface}
FORMATS = ("saved_model", *_QUANTIZED, "onnx", "litert")


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
    if format != "saved_model":  # the others choose from all ids
        translator = translator.without_short_list()
    if format in _QUANTIZED:
        _QUANTIZED[format](translator, path, overwrite, check, quantization)
        return
    if quantization is not None:
        raise ValueError(
            f"`quantization` is for format={' and format='.join(map(repr, _QUANTIZED))}"
            "; the others hold what `quantize` has made of the model. "
            f"Received: format={format!r}, quantization={quantization!r}"
        )
    with needs("tensorflow", extra="text", by=f"format={format!r}"):
        from keras_attention.export.ids_models import write_litert, write_onnx
        from keras_attention.export.saved_model import write_saved_model
    write = {
        "saved_model": write_saved_model,
        "onnx": write_onnx,
        "litert": write_litert,
    }[format]
    write(translator, path, overwrite, check)
