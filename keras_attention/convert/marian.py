"""Translators of Marian: the folders of Hugging Face's `MarianMTModel`, as of OPUS-MT.

A further family of models takes one more file like this one: its names of weights, its
configuration and its vocabulary.
"""

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from keras_attention.convert.hub import find_folder
from keras_attention.convert.marian_model import (
    Vocabulary,
    build_model,
    choose_batch_size,
    is_shared,
    order_vocabulary,
    read_tokenizer,
    set_weights,
)
from keras_attention.convert.marian_npz import read_npz_folder
from keras_attention.convert.weight_files import read_weights
from keras_attention.decoding import BeamSearch, Greedy, Search
from keras_attention.special_ids import PAD, START

_FILES = ("*.json", "*.spm", "*.safetensors", "pytorch_model*.bin")
# What a configuration may ask for that changes the model, and what it must say.
_FIXED = {
    "model_type": "marian",
    "normalize_before": False,
    "normalize_embedding": False,
    "add_final_layer_norm": False,
    "static_position_embeddings": True,
}
# Ours of Hugging Face's `early_stopping`.
_STOPPING = {False: "current_length", True: "count", "never": "exact"}
# What the generation may ask for that changes the translations, likewise.
_SEARCHED = {
    "do_sample": False,
    "num_beam_groups": 1,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "repetition_penalty": 1.0,
    "min_length": 0,
    "min_new_tokens": 0,
    "diversity_penalty": 0.0,
    "encoder_repetition_penalty": 1.0,
    "exponential_decay_length_penalty": None,
    "sequence_bias": None,
    "guidance_scale": 1.0,
    "forced_bos_token_id": None,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
    "force_words_ids": None,
    "constraints": None,
    "penalty_alpha": None,
}


def read_marian(folder: str | PathLike[str]) -> dict[str, Any]:
    """Read a `MarianMTModel`, as the arguments of a `Translator`.

    Args:
        folder: or the name of a model of the Hugging Face Hub, which is downloaded;
            with `config.json`, `generation_config.json` where there is one, the
            weights as `model.safetensors` or `pytorch_model.bin`, `source.spm`,
            `target.spm`, `vocab.json`, and `target_vocab.json` where both sides have a
            vocabulary of their own; or as Marian itself wrote it, see
            `read_npz_folder`.

    Raises:
        FileNotFoundError: when a file is missing, or a model cannot be downloaded.
        ValueError: for a file that is truncated, altered or of something else, and for
            what a configuration asks for that cannot be had here.
        ImportError: without the extras `text` and `huggingface`.
    """
    folder = find_folder(folder, "Helsinki-NLP", _FILES)
    if not (folder / "config.json").exists() and [*folder.glob("*.npz")]:
        return read_npz_folder(folder)
    config = _read_config(folder)
    source, target = _read_vocabularies(folder, config)
    source_tokenizer = read_tokenizer(folder / "source.spm", source)
    target_tokenizer = read_tokenizer(folder / "target.spm", target)
    search = _read_search(folder, config, target)
    model = build_model(config, source, target)
    set_weights(model, read_weights(folder), source, target, str(folder))
    return {
        "model": model,
        "source_tokenizer": source_tokenizer,
        "target_tokenizer": target_tokenizer,
        "search": search,
        "max_source_length": config["max_position_embeddings"],
        "batch_size": choose_batch_size(config, search),
    }


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{str(path)!r} is truncated or not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(
            f"{str(path)!r} holds a {type(content).__name__}, not an object"
        )
    return content


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    config = _read_json(path)
    _check(path, config, _FIXED)
    needed = ["d_model", "vocab_size", "pad_token_id", "eos_token_id"]
    for side in ("encoder", "decoder"):
        needed += [
            f"{side}_{name}" for name in ("layers", "attention_heads", "ffn_dim")
        ]
    missing = [name for name in needed if not isinstance(config.get(name), int)]
    if missing:
        raise ValueError(f"{str(path)!r} lacks {missing}")
    if is_shared(config):
        _check(path, config, {"decoder_vocab_size": config["vocab_size"]})
    return {
        "max_position_embeddings": 1024,
        "activation_function": "gelu",
        "scale_embedding": False,
        "decoder_start_token_id": config["pad_token_id"],
        "decoder_vocab_size": config["vocab_size"],
        **{name: value for name, value in config.items() if value is not None},
    }


def _check(path, config, expected):
    for name, value in expected.items():
        if name in config and config[name] not in (value, None):
            raise ValueError(
                f"{str(path)!r} asks for {name}={config[name]!r}, and only "
                f"{name}={value!r} can be had here"
            )


def _read_vocabularies(
    folder: Path, config: Mapping[str, Any]
) -> tuple[Vocabulary, Vocabulary]:
    path = folder / "tokenizer_config.json"
    unknown = _read_json(path).get("unk_token", "<unk>") if path.exists() else "<unk>"
    if isinstance(unknown, dict):
        unknown = unknown["content"]
    start = config["decoder_start_token_id"]
    of_source = "vocab.json", config["vocab_size"], None
    of_target = "target_vocab.json", config["decoder_vocab_size"], start
    if is_shared(config):
        of_source = of_target = "vocab.json", config["vocab_size"], start
    sides = []
    for name, size, first in (of_source, of_target):
        path, end = folder / name, config["eos_token_id"]
        try:
            ids = _read_json(path)
            sides.append(order_vocabulary(ids, size, unknown, end, first))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{str(path)!r}: {error}") from error
    return sides[0], sides[1]


def _read_search(folder: Path, config: Mapping[str, Any], target: Vocabulary) -> Search:
    path = folder / "generation_config.json"
    options = _read_json(path) if path.exists() else {**config}
    if not path.exists():
        path = folder / "config.json"
    _check(path, options, _SEARCHED)
    words = options.get("bad_words_ids") or []
    if any(len(word) != 1 or word[0] not in target.rows for word in words):
        raise ValueError(
            f"{str(path)!r} forbids bad_words_ids that are not single ids of the "
            f"vocabulary: {words[:5]}"
        )
    if [config["eos_token_id"]] in words:
        raise ValueError(
            f"{str(path)!r} forbids the end of every output by its bad_words_ids: "
            f"{words[:5]}"
        )
    found = [int(np.argmax(target.rows == word[0])) for word in words]
    common: dict[str, Any] = {
        "suppressed_ids": [index for index in found if index not in (PAD, START)],
        "renormalize": bool(options.get("renormalize_logits")),
    }
    length = _read_length(path, options, config["max_position_embeddings"])
    if (options.get("num_beams") or 1) == 1:
        return Greedy(length, **common)
    stopping = options.get("early_stopping") or False
    if stopping not in [*_STOPPING]:
        raise ValueError(
            f"{str(path)!r} asks for early_stopping={stopping!r}, which must be one of "
            f"{[*_STOPPING]}"
        )
    return BeamSearch(
        options["num_beams"],
        length,
        options.get("length_penalty", 1.0),
        normalization="length",
        finished="replace",
        stopping=_STOPPING[stopping],
        force_end=_forces_end(options),
        **common,
    )


def _read_length(path, options, positions):
    """The most ids of an output.

    Theirs counts the start, and often forces an end where it is reached.
    """
    length = options.get("max_length") or positions
    if options.get("max_new_tokens"):
        length = options["max_new_tokens"] + 1
    if length < 3:
        raise ValueError(f"{str(path)!r} asks for outputs of no more than {length} ids")
    return length - 2 if _forces_end(options) else length - 1


def _forces_end(options):
    return options.get("forced_eos_token_id", 0) is not None
