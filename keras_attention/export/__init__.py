"""What other programs run: one module for each format.

A `Translator` writes itself by its `export`; what is named here may be imported to
write other functions likewise.
"""

import importlib
from typing import Any

from keras_attention.export.ctranslate2 import write_ctranslate2
from keras_attention.export.formats import write_translator
from keras_attention.export.huggingface import write_huggingface
from keras_attention.optional_packages import needs

# What needs TensorFlow, and where it stands.
_OF_TENSORFLOW = {
    **dict.fromkeys(
        ("export_in_fresh_process", "translate_in_fresh_process"), "fresh_process"
    ),
    **dict.fromkeys(
        ("custom_operations", "export_saved_model", "write_metadata"), "functions"
    ),
    **dict.fromkeys(("write_litert", "write_onnx"), "ids_models"),
    "write_saved_model": "saved_model",
    "write_warm_up": "warm_up",
}

__all__ = [
    "custom_operations",
    "export_in_fresh_process",
    "export_saved_model",
    "translate_in_fresh_process",
    "write_ctranslate2",
    "write_huggingface",
    "write_litert",
    "write_metadata",
    "write_onnx",
    "write_saved_model",
    "write_translator",
    "write_warm_up",
]


def __getattr__(name: str) -> Any:
    if name not in _OF_TENSORFLOW:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with needs("tensorflow", extra="text", by=f"{__name__}.{name}"):
        module = importlib.import_module(f"{__name__}.{_OF_TENSORFLOW[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_OF_TENSORFLOW})
