"""A `Translator` as a folder of Hugging Face, to share and to run by `transformers`."""

import json
import warnings
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from keras_attention._version import __version__
from keras_attention.argument_checks import check_choice
from keras_attention.export.comparison import (
    LENGTH,
    ask,
    check_close,
    log_probabilities,
    pad_labels,
)
from keras_attention.export.huggingface_card import CARD
from keras_attention.export.huggingface_generation import make_generation
from keras_attention.export.huggingface_model import HUGGING_FACE, make_huggingface
from keras_attention.optional_packages import is_installed, needs
from keras_attention.saved_folders import check_free, new_folder
from keras_attention.translation.piece_names import (
    END_NAME,
    START_NAME,
    UNKNOWN_NAME,
    is_sentencepiece,
    to_names,
)
from keras_attention.translation.sources import pad_rows

MARKER = "model.safetensors"
CLIENT = Path(__file__).with_name("huggingface_client.py")

_PAD_NAME = "<pad>"
# By how much a log-probability of a token may differ in the mean.
_TOLERANCE = {None: 1e-3, "float32": 1e-3, "float16": 0.1}


def write_huggingface(
    translator: Any,
    path: str | PathLike[str],
    overwrite: bool = False,
    check: bool | Sequence[str] = True,
    quantization: str | None = None,
) -> None:
    """Write a folder that `transformers` loads, and that can be put on the Hub.

    A post-norm model becomes a `MarianMTModel`, a pre-norm one a
    `PegasusForConditionalGeneration`, with a `MarianTokenizer` that gives our ids.
    Where a text holds a special piece such as `</s>`, or begins with `>>`, that
    tokenizer takes it for a token; and of a translation it leaves out unknown words,
    and blanks at both ends.

    Args:
        translator: a `Translator` of a Transformer between tokenizers of sentencepiece.
        path: the folder to write; it appears when it is complete.
        overwrite: whether a model of Hugging Face there may be replaced.
        check: texts whose translations in a fresh process must be as probable here as
            there; some short ones when `True`, none when `False`. It needs the
            packages `transformers`, from version 5 on, and `torch`.
        quantization: `"float16"`, for weights of half the size.

    Raises:
        ValueError: for what Hugging Face lacks.
        FileExistsError: when something stands at `path` that may not be replaced.
        RuntimeError: when the fresh process fails or finds something else.
        ImportError: without the extra `huggingface`; or without `transformers` and
            `torch`, where `check` is a list.
    """
    with needs("safetensors", extra="huggingface", by="export"):
        from safetensors.numpy import save_file
    check_choice(_TOLERANCE, quantization=quantization)
    if not isinstance(check, bool):
        translator.source.check("check", check)
    check_free(path, MARKER, overwrite)
    config, weights = make_huggingface(
        translator.model, max(translator.source_limit, translator.search.max_length + 1)
    )
    generation = make_generation(translator.search, translator.model)
    sides = translator.source_tokenizer, translator.target_tokenizer
    _check_translator(translator, sides)
    is_checked = _can_check(check)
    dtype = quantization or "float32"
    with new_folder(path, MARKER, overwrite) as folder:
        save_file(
            {name: array.astype(dtype) for name, array in weights.items()},
            folder / "model.safetensors",
            {"format": "pt"},
        )
        _write_json(folder / "config.json", {**config, "dtype": dtype})
        _write_json(folder / "generation_config.json", generation)
        _write_tokenizers(folder, translator, sides)
        count = sum(array.size for array in weights.values())
        card = CARD.format(
            version=__version__, architecture=config["architectures"][0], count=count
        )
        (folder / "README.md").write_text(card, "utf-8")
        if is_checked:
            texts = translator.source.examples() if check is True else check
            texts = translator.source.as_json(texts)
            _compare(translator, folder, texts, _TOLERANCE[quantization])


def _check_translator(translator, sides):
    for tokenizer in sides:
        if not is_sentencepiece(tokenizer):
            raise HUGGING_FACE.refusal(
                "only a SentencePieceTokenizer or MarianTokenizer of both sides",
                tokenizer,
            )
    if translator.source_tokenizer.lowercase:
        raise HUGGING_FACE.refusal("no `lowercase` of a source tokenizer", True)
    if translator.replace_unknown:
        raise HUGGING_FACE.refusal("no `replace_unknown`", True)


def _can_check(check):
    if check is False:
        return False
    missing = [name for name in ("transformers", "torch") if not is_installed(name)]
    if not missing:
        return True
    text = f"to compare translations, {' and '.join(missing)} must be installed"
    if check is not True:
        raise ImportError(f"{text}. Received: check={check!r}")
    warnings.warn(f"the export is not checked: {text}", stacklevel=4)
    return False


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True)
    path.write_text(f"{text}\n", "utf-8")


def _write_tokenizers(folder, translator, sides):
    model = translator.model
    for name, ids, tokenizer, embedding in (
        ("source.spm", "vocab.json", sides[0], model.source_embedding),
        ("target.spm", "target_vocab.json", sides[1], model.target_embedding),
    ):
        (folder / name).write_bytes(tokenizer.model)
        pieces = to_names(tokenizer, embedding.vocabulary_size, _PAD_NAME)
        vocabulary = {piece: index for index, piece in enumerate(pieces)}
        (folder / ids).write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "MarianTokenizer",
            "separate_vocabs": True,
            "model_max_length": translator.source_limit,
            "clean_up_tokenization_spaces": False,
            "pad_token": _PAD_NAME,
            "unk_token": UNKNOWN_NAME,
            "bos_token": START_NAME,
            "eos_token": END_NAME,
        },
    )


def _compare(translator, folder, texts, tolerance):
    """Raise unless a fresh process gives what is as probable here."""
    rows = translator.source.rows(texts)
    length = min(LENGTH, translator.search.max_length)
    found = ask(CLIENT, folder, {"texts": texts, "length": length})
    for text, row, other in zip(texts, rows, found["rows"], strict=True):
        if [*map(int, row)] != other:
            raise RuntimeError(
                f"MarianTokenizer cuts {text!r} into the ids {other} in a fresh "
                f"process in place of {row}"
            )
    labels = pad_labels(found["written"])
    check_close(
        "transformers",
        texts,
        log_probabilities(translator.model, pad_rows(rows), labels),
        found["log_probs"],
        [*map(len, found["written"])],
        tolerance,
    )
