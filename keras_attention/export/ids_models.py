"""A `Translator` as one file from ids to ids, for ONNX Runtime and for LiteRT."""

import shutil
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_attention._version import __version__
from keras_attention.decoding import Greedy
from keras_attention.export.comparison import ask
from keras_attention.export.fresh_process import export_in_fresh_process
from keras_attention.models import LanguageModel
from keras_attention.optional_packages import needs
from keras_attention.saved_folders import check_free, new_folder, write_manifest
from keras_attention.special_ids import UNKNOWN, SpecialIds
from keras_attention.translation.file_names import SOURCE, TARGET
from keras_attention.translation.folder import check_saved
from keras_attention.translation.piece_names import is_sentencepiece, to_names
from keras_attention.translation.sources import pad_rows

CLIENT = Path(__file__).with_name("ids_client.py")
SCRIPT = Path(__file__).with_name("ids_script.py")
SETTINGS, KIND, VERSION = "keras_attention.json", "keras_attention.ids", 1
_TOLERANCE = 1e-3  # of a score


class Format(NamedTuple):
    """One of the two.

    Attributes:
        name: as `export` calls it.
        file: of the model.
        needs: the packages that write and run it.
        convert: from a Translator to the content of the file.
    """

    name: str
    file: str
    needs: tuple[str, ...]
    convert: Callable[[Any], bytes]


def _to_onnx(translator: Any) -> bytes:
    from keras_attention.export.ids_graph import make_graph
    from keras_attention.export.onnx_graph import to_onnx

    content: bytes = to_onnx(make_graph(translator)).SerializeToString()
    return content


def _to_litert(translator: Any) -> bytes:
    from keras_attention.export.ids_graph import make_graph
    from keras_attention.export.litert_graph import to_litert

    try:
        return to_litert(make_graph(translator))
    except ValueError:  # what a recurrent layer collects must be of a known size
        return to_litert(make_graph(translator, rows=1))


ONNX = Format("onnx", "model.onnx", ("onnx", "onnxruntime", "tf2onnx"), _to_onnx)
LITERT = Format("litert", "model.tflite", ("ai_edge_litert",), _to_litert)


def write_onnx(
    translator: Any,
    path: str | PathLike[str],
    overwrite: bool = False,
    check: bool | Sequence[Any] = True,
) -> None:
    """Write a folder with `model.onnx`: the model and its search, from ids to ids.

    It takes `source`, int32 ids `(batch, source)` with their ends, padded with 0, and
    gives `ids (batch, hypotheses, length)`, `lengths` and `scores (batch, hypotheses)`,
    best first; a model that reads vectors takes `source (batch, source, dim)` and
    boolean `source_mask`. Beside it lie the tokenizers and `keras_attention.json`; and,
    where they are of sentencepiece, their models and `translate.py`, which translates
    lines with `numpy`, `sentencepiece` and `onnxruntime` alone. What computes in
    another precision, such as mixed_bfloat16, is written in float32.

    Args:
        translator: a `Translator` that searches greedily or by beams.
        path: the folder to write; it appears when it is complete.
        overwrite: whether such a model there may be replaced.
        check: sources whose translations in a fresh process must be those of here; some
            short ones when `True`, none when `False`.

    Raises:
        ValueError: for what ONNX lacks.
        FileExistsError: when something stands at `path` that may not be replaced.
        RuntimeError: when the fresh process fails or finds something else.
        ImportError: without the extra `formats`.
    """
    _write(translator, path, overwrite, check, ONNX)


def write_litert(
    translator: Any,
    path: str | PathLike[str],
    overwrite: bool = False,
    check: bool | Sequence[Any] = True,
) -> None:
    """Write a folder with `model.tflite`, likewise, for greedy searches.

    It holds operations of LiteRT alone. Its outputs, in the order of their names, are
    `ids`, `lengths` and `scores`. Recurrent models take one row at a time.

    Args:
        translator: a `Translator` that searches greedily.
        path: the folder to write; it appears when it is complete.
        overwrite: whether such a model there may be replaced.
        check: as of `write_onnx`.

    Raises:
        ValueError: for beams, language models, and what else LiteRT lacks.
        FileExistsError: when something stands at `path` that may not be replaced.
        RuntimeError: when the fresh process fails or finds something else.
        ImportError: without the extra `formats`.
    """
    if type(translator.search) is not Greedy:
        raise ValueError(
            "LiteRT searches greedily: set `translator.search` to a `Greedy`, or write "
            f"ONNX. Received: search={translator.search!r}"
        )
    if isinstance(translator.model, LanguageModel):
        raise ValueError(
            "LiteRT holds no language models, whose prompts have any length. "
            f"Received: model={translator.model!r}"
        )
    _write(translator, path, overwrite, check, LITERT)


def _write(translator, path, overwrite, check, to):
    for package in to.needs:
        with needs(package, extra="formats", by=f'format="{to.name}"'):
            __import__(package)
    check_free(path, to.file, overwrite)
    if not isinstance(check, bool):
        translator.source.check("check", check)
        check = translator.source.as_json(check)
    if keras.config.backend() != "tensorflow":
        export_in_fresh_process(translator, path, overwrite, check, to.name, to.file)
        return
    if translator.replace_unknown:
        raise ValueError(
            "A graph of ids replaces no unknown words. Received: replace_unknown=True"
        )
    sides = translator.source_tokenizer, translator.target_tokenizer
    tokenizers = [
        (name, tokenizer)
        for name, tokenizer in zip((SOURCE, TARGET), sides, strict=True)
        if tokenizer is not None
    ]
    for name, tokenizer in tokenizers:
        check_saved(name.removesuffix(".json"), tokenizer)
    translator = _in_single_precision(translator)
    content = to.convert(translator)
    with new_folder(path, to.file, overwrite) as folder:
        (folder / to.file).write_bytes(content)
        for name, tokenizer in tokenizers:
            tokenizer.save(folder / name)
        if all(map(is_sentencepiece, sides)):
            for name, tokenizer in tokenizers:
                model = name.replace("_tokenizer.json", ".spm")
                (folder / model).write_bytes(tokenizer.model)
            shutil.copyfile(SCRIPT, folder / "translate.py")
        write_manifest(folder, SETTINGS, KIND, VERSION, _settings(translator))
        if check:
            some = translator.source.examples() if check is True else check
            _compare(translator, folder, translator.source.as_json(some), to)


def _in_single_precision(translator):
    """Itself, or the same in float32: in another, operations are missing there."""
    kinds = {layer.compute_dtype for layer in translator.model._flatten_layers()}
    return translator if kinds <= {"float32"} else translator.with_precision("float32")


def _settings(translator):
    settings = {
        "keras_attention": __version__,
        "search": keras.saving.serialize_keras_object(translator.search),
        "max_source_length": translator.source_limit,
        "end": SpecialIds.of(translator.model).end,
        "target_pieces": _pieces(translator.target_tokenizer),
    }
    source = translator.source_tokenizer
    if source is None:
        return {**settings, "reads": "vectors"}
    return {
        **settings,
        "reads": "texts",
        "source_pieces": _pieces(source),
        "source_end": SpecialIds.of(source).end,
        "unknown": getattr(source, "unknown_id", UNKNOWN),
        "lowercase": getattr(source, "lowercase", False),
        "has_languages": type(source).__name__ == "MarianTokenizer",
    }


def _pieces(tokenizer):
    return to_names(tokenizer, tokenizer.vocabulary_size, "<pad>")


def _compare(translator, folder, texts, to):
    """Raise unless a fresh process finds what is found here, or what scores as much."""
    if translator.source_tokenizer is None:  # no vectors have no output
        texts = [vectors for vectors in texts if len(vectors)]
    inputs = [_inputs(translator, text) for text in texts]
    dtypes = {name: part.dtype.name for one in inputs for name, part in one.items()}
    question = {
        "texts": texts,
        "inputs": [{k: v.tolist() for k, v in one.items()} for one in inputs],
        "dtypes": dtypes,
    }
    answer = ask(CLIENT, folder, question)
    for text, given, cut in zip(texts, inputs, answer["cut"], strict=False):
        if given["source"][0].tolist() != cut:
            raise RuntimeError(
                f"translate.py cuts {text!r} into {cut} in a fresh process in place of "
                f"{given['source'][0].tolist()}"
            )
    for text, given, found in zip(texts, inputs, answer["found"], strict=True):
        source = given if "source_mask" in given else given["source"]
        own = translator.search(translator.model, source)
        best, score = own.ids[0, 0, : own.lengths[0, 0]].tolist(), own.scores[0, 0]
        if best != found["ids"] and not abs(score - found["score"]) <= _TOLERANCE:
            raise RuntimeError(
                f"{to.file} finds something else in a fresh process. For {text!r} it "
                f"gives {found['ids']} in place of {best}"
            )


def _inputs(translator, text):
    if translator.source_tokenizer is None:
        source, mask = translator.source.batch([np.array(text)])
        return {"source": source, "source_mask": mask}
    return {"source": pad_rows(translator.source.rows([text]))}
