"""A `Translator` as a model of CTranslate2, which runs where C++ does."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_attention._version import __version__
from keras_attention.argument_checks import check_choice
from keras_attention.export.ctranslate2_spec import make_spec
from keras_attention.models import LanguageModel
from keras_attention.optional_packages import needs
from keras_attention.saved_folders import check_free, new_folder, write_manifest
from keras_attention.special_ids import PAD, UNKNOWN, SpecialIds
from keras_attention.translation.ctranslate2_options import to_options
from keras_attention.translation.ctranslate2_translator import (
    FORMAT,
    MODEL,
    SETTINGS,
    VERSION,
)
from keras_attention.translation.folder import SOURCE, TARGET, check_saved
from keras_attention.translation.list_tokenizer import as_lists
from keras_attention.translation.sources import pad_rows

CLIENT = Path(__file__).with_name("ctranslate2_client.py")
SCRIPT = Path(__file__).with_name("ctranslate2_script.py")
NAMES = {"pad": "<blank>", "unknown": "<unk>", "start": "<s>", "end": "</s>"}

# Tokenizers of which SCRIPT does the same.
_SCRIPTED = ("SentencePieceTokenizer", "MarianTokenizer")
_LENGTH = 32  # of what is written to be compared
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
        has_script = all(type(side).__name__ in _SCRIPTED for side in sides)
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
            **to_options(translator.search, names),
            "max_input_length": translator.source_limit,
        },
        "max_source_length": translator.source_limit,
        "lowercase": source.lowercase,
        "has_languages": type(source).__name__ == "MarianTokenizer",
    }


def _is_generator(model: Any) -> bool:
    return isinstance(model, LanguageModel)


def _set_vocabularies(spec, translator):
    """Name the ids of both sides, special ones alike."""
    model = translator.model
    source = to_names(
        translator.source_tokenizer, model.source_embedding.vocabulary_size
    )
    target = to_names(
        translator.target_tokenizer, model.target_embedding.vocabulary_size
    )
    spec.config.unk_token = NAMES["unknown"]
    spec.config.bos_token = NAMES["start"]
    spec.config.eos_token = NAMES["end"]
    if _is_generator(model):
        spec.register_vocabulary(target)
    else:
        spec.register_source_vocabulary(source)
        spec.register_target_vocabulary(target)
        spec.config.decoder_start_token = NAMES["start"]
        spec.config.add_source_eos = True
    return source, target


def to_names(tokenizer: Any, size: int) -> list[str]:
    """A name for each id, all different; those of special ids are those of `NAMES`."""
    special = SpecialIds.of(tokenizer)
    unknown = getattr(tokenizer, "unknown_id", UNKNOWN)
    names = {
        PAD: NAMES["pad"],
        unknown: NAMES["unknown"],
        special.start: NAMES["start"],
        special.end: NAMES["end"],
    }
    (pieces,) = as_lists(tokenizer).tokens([[*range(tokenizer.vocabulary_size)]])
    taken = {*names.values()}
    for index in range(size):
        if index in names:
            continue
        piece = pieces[index] if index < len(pieces) else ""
        if not piece or piece in taken:  # a mark with blanks beside it, and without
            piece = f"{piece}#{index}"
        taken.add(piece)
        names[index] = piece
    return [names[index] for index in range(size)]


def _compare(translator, folder, texts, names, tolerance):
    """Raise unless a fresh process gives what is as probable here."""
    source, target = names
    read = translator.source.rows(texts)
    rows = [[source[index] for index in row[:-1]] for row in read]
    length = min(_LENGTH, translator.search.max_length)
    if _is_generator(translator.model):  # which counts what it continues
        longest = max(map(len, rows), default=0)
        length = max(1, min(_LENGTH, translator.search.max_length - longest))
    client = subprocess.run(
        [sys.executable, "-P", str(CLIENT), str(folder)],  # no file here is a module
        input=json.dumps({"texts": texts, "rows": rows, "length": length}),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if client.returncode:
        raise RuntimeError(
            f"The model does not work in a fresh process:\n{client.stderr}"
        )
    found = json.loads(client.stdout.splitlines()[-1])
    known = {*source}
    for text, own, cut in zip(texts, rows, found["cut"], strict=False):
        # As CTranslate2 looks them up.
        other = [token if token in known else NAMES["unknown"] for token in cut]
        if own != other[: len(own)]:
            raise RuntimeError(
                f"translate.py cuts {text!r} into {other} in a fresh process in place "
                f"of {own}"
            )
    places = {name: index for index, name in enumerate(target)}
    labels = np.zeros((len(rows), max(map(len, found["tokens"]), default=0)), "int32")
    for row, tokens in zip(labels, found["tokens"], strict=True):
        row[: len(tokens)] = [places[token] for token in tokens]
    expected = _log_probabilities(translator.model, pad_rows(read), labels)
    for text, row, tokens, scores in zip(
        texts, expected, found["tokens"], found["log_probs"], strict=True
    ):
        here, there = row[: len(tokens)], np.array(scores[: len(tokens)])
        if tokens and not np.abs(here - there).mean() <= tolerance:
            raise RuntimeError(
                "CTranslate2 computes otherwise in a fresh process. For "
                f"{text!r} its log-probabilities are {there} in place of {here}"
            )


def _log_probabilities(model, source, labels):
    """Of each label, where padding and starts are never written."""
    special = SpecialIds.of(model)
    begin = np.full((len(labels), 1), special.start, "int32")
    read = np.concatenate([begin, labels[:, :-1]], axis=1)
    read[read == special.end] = PAD
    inputs = read if _is_generator(model) else {"source": source, "target": read}
    logits = keras.ops.convert_to_numpy(model(inputs)).astype("float64")
    logits[..., [PAD, special.start]] = -np.inf
    logits -= logits.max(-1, keepdims=True, initial=-np.inf)
    logits -= np.log(np.exp(logits).sum(-1, keepdims=True))
    return np.take_along_axis(logits, labels[..., None], axis=-1)[..., 0]
