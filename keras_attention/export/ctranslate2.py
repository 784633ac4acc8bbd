"""A `Translator` as a model of CTranslate2, which runs where C++ does."""

import shutil
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import keras

from keras_attention._version import __version__
from keras_attention.argument_checks import check_choice
from keras_attention.export.comparison import (
    LENGTH,
    ask,
    check_close,
    log_probabilities,
    pad_labels,
)
from keras_attention.export.ctranslate2_spec import make_spec
from keras_attention.export.transformer_parts import never_written
from keras_attention.models import LanguageModel
from keras_attention.optional_packages import needs
from keras_attention.saved_folders import check_free, new_folder, write_manifest
from keras_attention.translation.ctranslate2_options import to_options
from keras_attention.translation.ctranslate2_translator import (
    FORMAT,
    MODEL,
    SETTINGS,
    VERSION,
)
from keras_attention.translation.file_names import SOURCE, TARGET
from keras_attention.translation.folder import check_saved
from keras_attention.translation.piece_names import (
    END_NAME,
    START_NAME,
    UNKNOWN_NAME,
    is_sentencepiece,
    to_names,
)
from keras_attention.translation.search_settings import SearchSettings
from keras_attention.translation.sources import pad_rows

CLIENT = Path(__file__).with_name("ctranslate2_client.py")
SCRIPT = Path(__file__).with_name("ctranslate2_script.py")
_PAD_NAME = "<blank>"
# By how much a log-probability of a token may differ in the mean.
_TOLERANCE = {
    None: 1e-3,
    "float32": 1e-3,
    "int16": 0.1,
    "float16": 0.1,
    "int8": 0.5,
    "int8_float32": 0.5,
    "int8_float16": 0.5,
}


def write_ctranslate2(
    translator: Any,
    path: str | PathLike[str],
    overwrite: bool = False,
    check: bool | Sequence[str] = True,
    quantization: str | None = None,
) -> None:
    """Write a folder that `ctranslate2.Translator`, or `Generator`, loads.

    Beside the model lie the tokenizers and `keras_attention.json`; and, where they are
    of sentencepiece, their models and `translate.py`, which translates lines with
    `ctranslate2` and `sentencepiece` alone.

    Args:
        translator: a `Translator` of a Transformer.
        path: the folder to write; it appears when it is complete.
        overwrite: whether a model of CTranslate2 there may be replaced.
        check: texts whose translations in a fresh process must be as probable here as
            there; some short ones when `True`, none when `False`.
        quantization: of the weights: `None`, `"int8"`, `"int8_float32"`,
            `"int8_float16"`, `"int16"`, `"float16"` or `"float32"`. Any of them can be
            computed in bfloat16, by the `compute_type` with which it is loaded.

    Raises:
        ValueError: for what CTranslate2 lacks.
        FileExistsError: when something stands at `path` that may not be replaced.
        RuntimeError: when the fresh process fails or finds something else.
        ImportError: without the extra `ctranslate2`.
    """
    with needs("ctranslate2", extra="ctranslate2", by="export"):
        import ctranslate2  # noqa: F401  (before anything is computed)
    check_choice(_TOLERANCE, quantization=quantization)
    if not isinstance(check, bool):
        translator.source.check("check", check)
    check_free(path, MODEL, overwrite)
    longest = max(translator.source_limit, translator.search.max_length)
    spec = make_spec(translator.model, longest)
    sides = translator.source_tokenizer, translator.target_tokenizer
    for name, tokenizer in zip((SOURCE, TARGET), sides, strict=True):
        check_saved(name.removesuffix(".json"), tokenizer)
    if translator.replace_unknown:
        raise ValueError(
            "CTranslate2 replaces unknown words by another rule. "
            "Received: replace_unknown=True"
        )
    names = _set_vocabularies(spec, translator)
    spec.validate()
    settings = _settings(translator, quantization, names[1])
    spec.optimize(quantization)
    with new_folder(path, MODEL, overwrite) as folder:
        spec.save(str(folder))
        for name, tokenizer in zip((SOURCE, TARGET), sides, strict=True):
            tokenizer.save(folder / name)
        has_script = all(map(is_sentencepiece, sides))
        if has_script:
            for name, tokenizer in zip(
                ("source.spm", "target.spm"), sides, strict=True
            ):
                (folder / name).write_bytes(tokenizer.model)
            shutil.copyfile(SCRIPT, folder / "translate.py")
        write_manifest(folder, SETTINGS, FORMAT, VERSION, settings)
        if check:
            texts = translator.source.examples() if check is True else check
            texts = translator.source.as_json(texts)
            _compare(translator, folder, texts, names, _TOLERANCE[quantization])


def _settings(translator, quantization, names):
    source = translator.source_tokenizer
    return {
        "keras_attention": __version__,
        "kind": "generator" if _is_generator(translator.model) else "translator",
        "quantization": quantization,
        "search": keras.saving.serialize_keras_object(translator.search),
        "options": {
            **to_options(SearchSettings.of(translator.search), names),
            "max_input_length": translator.source_limit,
        },
        "max_source_length": translator.source_limit,
        "confidence_temperature": translator.confidence_temperature,
        "lowercase": source.lowercase,
        "has_languages": type(source).__name__ == "MarianTokenizer",
    }


def _is_generator(model: Any) -> bool:
    return isinstance(model, LanguageModel)


def _set_vocabularies(spec, translator):
    """Name the ids of both sides, special ones alike."""
    model = translator.model
    source, target = (
        to_names(tokenizer, embedding.vocabulary_size, _PAD_NAME)
        for tokenizer, embedding in (
            (translator.source_tokenizer, model.source_embedding),
            (translator.target_tokenizer, model.target_embedding),
        )
    )
    spec.config.unk_token = UNKNOWN_NAME
    spec.config.bos_token = START_NAME
    spec.config.eos_token = END_NAME
    if _is_generator(model):
        spec.register_vocabulary(target)
    else:
        spec.register_source_vocabulary(source)
        spec.register_target_vocabulary(target)
        spec.config.decoder_start_token = START_NAME
        spec.config.add_source_eos = True
    return source, target


def _compare(translator, folder, texts, names, tolerance):
    """Raise unless a fresh process gives what is as probable here."""
    source, target = names
    read = translator.source.rows(texts)
    rows = [[source[index] for index in row[:-1]] for row in read]
    length = min(LENGTH, translator.search.max_length)
    if _is_generator(translator.model):  # which counts what it continues
        longest = max(map(len, rows), default=0)
        length = max(1, min(LENGTH, translator.search.max_length - longest))
    found = ask(CLIENT, folder, {"texts": texts, "rows": rows, "length": length})
    known = {*source}
    for text, own, cut in zip(texts, rows, found["cut"], strict=False):
        # As CTranslate2 looks them up.
        other = [token if token in known else UNKNOWN_NAME for token in cut]
        if own != other[: len(own)]:
            raise RuntimeError(
                f"translate.py cuts {text!r} into {other} in a fresh process in place "
                f"of {own}"
            )
    places = {name: index for index, name in enumerate(target)}
    written = [[places[token] for token in tokens] for tokens in found["tokens"]]
    model = translator.model
    expected = log_probabilities(
        model, pad_rows(read), pad_labels(written), never_written(model)
    )
    lengths = [*map(len, written)]
    check_close("CTranslate2", texts, expected, found["log_probs"], lengths, tolerance)
