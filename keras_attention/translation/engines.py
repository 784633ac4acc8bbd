"""What translates, by its name."""

import tempfile
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from keras_attention.optional_packages import is_installed
from keras_attention.translation.base_translator import Engine
from keras_attention.translation.ctranslate2_translator import (
    MODEL,
    CTranslate2Translator,
)
from keras_attention.translation.keras_engine import KerasEngine
from keras_attention.translation.parts import check_search, check_short_list

ENGINES = ("tensorflow", "ctranslate2")


def as_tokenizer(value: Any) -> Any:
    """A tokenizer as it is, and that of a `keras.layers.TextVectorization`."""
    if not is_installed("tensorflow"):
        return value
    from keras_attention.text.vectorization import as_tokenizer

    return as_tokenizer(value)


def make_engine(
    model: Any,
    source_tokenizer: Any,
    target_tokenizer: Any,
    search: Any,
    *settings: Any,
) -> Engine:
    """The engine of a Translator on this backend.

    Raises:
        ValueError: for a search that writes more than the model has positions for, and
            a short list of other vocabularies.
    """
    *_, short_list = settings
    check_search(search, model.target_embedding.max_length)
    check_short_list(short_list, model)
    return KerasEngine(model, source_tokenizer, target_tokenizer, search, *settings)


def load_ctranslate2(
    path: str | PathLike[str], load: Callable[[], Any]
) -> CTranslate2Translator:
    """The translator of a folder of CTranslate2, or of one that is made for now.

    Args:
        path: what `export` wrote, or `save`.
        load: reads what `save` wrote.
    """
    if (Path(path) / MODEL).exists():
        return CTranslate2Translator.load(path)
    from keras_attention.export import write_ctranslate2

    translator = load()
    with tempfile.TemporaryDirectory() as beside:
        folder = Path(beside) / "model"
        write_ctranslate2(translator, folder, check=False)
        return CTranslate2Translator.load(folder)
