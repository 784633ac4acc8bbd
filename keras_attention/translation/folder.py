"""A `Translator` as a folder: a model, two tokenizers, and a manifest."""

import io
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from keras_attention.argument_checks import check_choice
from keras_attention.saved_folders import new_folder, read_manifest, write_manifest
from keras_attention.text import load_tokenizer
from keras_attention.text.plain.loading import TOKENIZERS
from keras_attention.translation.file_names import MARKER, SOURCE, TARGET
from keras_attention.translation.short_list import ShortList

FORMAT = "keras_attention.Translator"
VERSION = 1
QUANTIZATIONS = (None, "float16")
MODEL = "model.keras"
SHORT_LIST = "short_list.npz"


def write_translator(
    translator: Any,
    path: str | PathLike[str],
    overwrite: bool,
    include_optimizer: bool,
    quantization: str | None = None,
) -> None:
    """What `Translator.save` does."""
    check_choice(QUANTIZATIONS, quantization=quantization)
    tokenizers = {SOURCE: translator.source_tokenizer}
    if translator.source_tokenizer is None:  # it reads vectors
        tokenizers = {}
    tokenizers[TARGET] = translator.target_tokenizer
    for name, tokenizer in tokenizers.items():
        check_saved(name.removesuffix(".json"), tokenizer)
    with new_folder(path, MARKER, overwrite) as folder:
        _save_model(translator.model, folder / MODEL, include_optimizer)
        if quantization == "float16":
            _store_halves(folder / MODEL)
        for name, tokenizer in tokenizers.items():
            tokenizer.save(folder / name)
        if translator.short_list is not None:
            translator.short_list.save(folder / SHORT_LIST)
        settings = {
            "search": keras.saving.serialize_keras_object(translator.search),
            "max_source_length": translator.max_source_length,
            "batch_size": translator.batch_size,
            "replace_unknown": translator.replace_unknown,
            "reads": "texts" if SOURCE in tokenizers else "vectors",
            "compiles": translator.search.jit_compile,
            "confidence_temperature": translator.confidence_temperature,
            "has_short_list": translator.short_list is not None,
        }
        write_manifest(folder, MARKER, FORMAT, VERSION, settings)


def read_translator(path: str | PathLike[str]) -> dict[str, Any]:
    """The arguments of a `Translator` that was saved; as in `Translator.load`."""
    folder = Path(path)
    settings = read_manifest(folder, MARKER, FORMAT, VERSION, (MODEL, TARGET))
    # Earlier versions read texts alone, replaced no words, and compiled when asked to.
    if "compiles" not in settings and not settings["search"]["config"]["jit_compile"]:
        settings["search"]["config"]["jit_compile"] = None
    reads_texts = settings.get("reads", "texts") == "texts"
    return {
        "model": _load_model(folder / MODEL),
        "source_tokenizer": load_tokenizer(folder / SOURCE) if reads_texts else None,
        "target_tokenizer": load_tokenizer(folder / TARGET),
        "search": _load_search(folder / MARKER, settings["search"]),
        "max_source_length": settings["max_source_length"],
        "batch_size": settings["batch_size"],
        "replace_unknown": settings.get("replace_unknown", False),
        "confidence_temperature": settings.get("confidence_temperature", 1.0),
        "short_list": (
            ShortList.load(folder / SHORT_LIST)
            if settings.get("has_short_list", False)
            else None
        ),
    }


def check_saved(name: str, tokenizer: Any) -> None:
    """Raise for a tokenizer that could not be loaded again."""
    kinds = [kind.__name__ for kind in TOKENIZERS]
    kind = type(tokenizer)
    is_ours = kind.__module__.startswith("keras_attention.text.")
    if not is_ours or kind.__name__ not in kinds:
        raise ValueError(
            f"`{name}` must be one of {kinds} for a `Translator` to be saved and "
            f"loaded. Received: {name}={tokenizer!r}"
        )


def _load_search(path, config):
    """The search of a configuration that was read from `path`."""
    try:
        return keras.saving.deserialize_keras_object(config)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{str(path)!r} names an unknown search: {error}") from error


def _save_model(model: Any, path: Path, include_optimizer: bool) -> None:
    """Write a `.keras` file, with what the model was compiled with only if asked."""
    training = {} if include_optimizer else {"optimizer": None, "compiled": False}
    # Those of an ensemble may be compiled too. Keras has no argument for this: what it
    # looks at is set aside, past its tracking of attributes, and put back.
    kept = [
        (
            vars(part),
            {name: vars(part)[name] for name in training if name in vars(part)},
        )
        for part in model._flatten_layers()
    ]
    try:
        for attributes, compiled in kept:
            attributes.update({name: training[name] for name in compiled})
        model.save(path)
    finally:
        for attributes, compiled in kept:
            attributes.update(compiled)


def _store_halves(path: Path) -> None:
    """Store the floats of a `.keras` file as float16, which Keras reads as its own."""
    with zipfile.ZipFile(path) as archive:
        parts = [(part, archive.read(part)) for part in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts:
            is_weights = part.filename.endswith(".weights.h5")
            archive.writestr(part, _as_halves(content) if is_weights else content)


def _as_halves(weights: bytes) -> bytes:
    halves = io.BytesIO()
    with h5py.File(io.BytesIO(weights)) as old, h5py.File(halves, "w") as new:

        def copy(name, item):
            if isinstance(item, h5py.Group):
                part = new.require_group(name)
            else:
                value = item[()]
                if value.dtype == np.float32 and not item.attrs:
                    value = _as_half(value)
                part = new.create_dataset(name, data=value)
            part.attrs.update(item.attrs)

        old.visititems(copy)
        new.attrs.update(old.attrs)
    return halves.getvalue()


def _as_half(value):
    largest = np.finfo(np.float16).max
    if np.any(np.abs(value[np.isfinite(value)]) > largest):
        raise ValueError(
            f"float16 holds numbers up to {largest:g} alone, and a weight is as large "
            f"as {np.abs(value).max():g}"
        )
    return value.astype(np.float16)


def _load_model(path: Path) -> Any:
    """The model of a `.keras` file, without its optimizer and loss.

    Its loss may be a function that only its training knew.
    """
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever its readers raise.
        raise ValueError(
            f"{str(path)!r} is not a usable Keras model: {error}"
        ) from error
