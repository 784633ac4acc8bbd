"""A `Translator` as a SavedModel."""

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_attention._version import __version__
from keras_attention.export.fresh_process import (
    export_in_fresh_process,
    translate_in_fresh_process,
)
from keras_attention.export.functions import (
    custom_operations,
    export_saved_model,
    write_metadata,
)
from keras_attention.export.warm_up import write_warm_up
from keras_attention.optional_packages import is_installed
from keras_attention.text.plain import Tokenizer
from keras_attention.translation.graphs import Serving

HELP = {
    "serving_default": "The best translation of each text, and its score.",
    "nbest": "The best translations of each text, best first, and their scores. Where "
    "there are fewer, the last are empty, with a score of -inf.",
    "attend": "The best translation of each text, the tokens of both sides, and how "
    "much each target token attended to each source token. Behind an end tokens are "
    "empty, and attention is 0.",
    "score": "The log-probability of a reference of each text, its end included, and "
    "its length in tokens.",
    "search": "As nbest, with options of the search, which need not be given.",
}


def write_saved_model(
    translator: Any,
    path: str | PathLike[str],
    overwrite: bool,
    check: bool | Sequence[Any],
) -> None:
    """Write a SavedModel that takes strings and returns strings.

    It loads with `tensorflow` and `tensorflow_text` alone. Signatures, all of any
    number of texts:

    - `serving_default`: `text` to `translation` and `score`.
    - `nbest`: `text` to `translation (batch, hypotheses)` and `score`, best first.
    - `attend`, of a model with attention: `text` to `translation`, `source_tokens`,
      `target_tokens` and `attention (batch, target, source)`; tokens after the end are
      empty strings.
    - `score`: `text` and `reference` to the `log_probability` of the reference with its
      end, and its `length` in tokens.
    - `search`: `text` and `search.options()`, such as `num_beams`, to what `nbest`
      gives and each `length` in tokens. TensorFlow Serving fills in options that are
      not given; in Python, `loaded.translate(texts, num_beams=2)` does so, and takes
      texts of any number of axes. After an error about something else than strings,
      TensorFlow lets other threads wait for ever.

    Each worker loads it by itself: in a process that is forked after loading it, the
    first call waits for ever, as with all of TensorFlow.

    Beside the model lie `assets.extra/metadata.json`, which says all this, sizes and
    versions, and, where tensorflow-serving-api is installed, requests with which
    TensorFlow Serving warms up.

    Args:
        translator: the `Translator` to write; off TensorFlow, by a process of its own.
        path: the folder to write; it appears when it is complete.
        overwrite: whether a SavedModel there may be replaced.
        check: sources that must be translated in a fresh process as they are here; some
            short ones when `True`, none when `False`.

    Raises:
        FileExistsError: when something stands at `path` that may not be replaced.
        RuntimeError: when the fresh process fails or translates otherwise.
    """
    if not isinstance(check, bool):
        translator.source.check("check", check)
        check = translator.source.as_json(check)
    sides = translator.source_tokenizer, translator.target_tokenizer
    is_plain = any(isinstance(side, Tokenizer) for side in sides)
    if keras.config.backend() != "tensorflow" or is_plain:
        export_in_fresh_process(translator, path, overwrite, check)
        return
    serving = Serving(
        translator.model,
        *sides,
        translator.search,
        translator.source_limit,
        translator.batch_size,
        translator.replace_unknown,
        translator.engine.is_compiled(),
        translator.short_list,
    )
    signatures = serving.signatures()

    def finish(folder: Path) -> None:
        write_metadata(folder, _describe(serving, signatures, folder))
        if is_installed("tensorflow_serving"):
            write_warm_up(folder, _requests(serving, signatures))
        if check:
            some = serving.source.examples() if check is True else check
            _compare(translator, folder, some)

    export_saved_model(
        path,
        signatures,
        serving.resources(),
        overwrite,
        {"translate": serving.search_all},
        finish,
    )


def _describe(serving, signatures, folder):
    defaults = {name: value.numpy().item() for name, value in serving.options.items()}
    described: dict[str, Any] = {}
    for name, function in signatures.items():
        concrete = function.get_concrete_function()
        takes = {spec.name: spec for spec in concrete.structured_input_signature[0]}
        described[name] = {
            "help": HELP[name],
            "inputs": {key: _describe_spec(spec) for key, spec in takes.items()},
            "outputs": {
                key: _describe_spec(spec)
                for key, spec in sorted(concrete.structured_outputs.items())
            },
        }
        for key in takes.keys() & defaults.keys():
            described[name]["inputs"][key]["default"] = defaults[key]
    return {
        "keras_attention": __version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        **serving.source.describe(),
        "target_vocabulary_size": serving.target_tokenizer.vocabulary_size,
        "max_source_length": serving.source_limit,
        "compiled_shapes": [list(shape) for shape in serving.shapes()],
        "signatures": described,
        "custom_operations": custom_operations(folder),
    }


def _describe_spec(spec):
    return {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}


def _requests(serving: Serving, signatures: Any) -> Iterator[tuple[str, Any]]:
    """Each signature once, and the search in each shape that it is compiled for."""
    for name in signatures:
        inputs = serving.request()
        yield name, {**inputs, "reference": [""]} if name == "score" else inputs
    for rows, length in serving.shapes():
        yield "serving_default", serving.request(rows, length)


def _compare(translator: Any, folder: Path, texts: Sequence[Any]) -> None:
    found = translate_in_fresh_process(folder, translator.source.as_json(texts))
    if translator.search.is_random:
        return
    for text, one, other in zip(texts, found, translator(texts), strict=True):
        if one != other:
            raise RuntimeError(
                "The SavedModel translates otherwise in a fresh process. For "
                f"{text!r} it gives {one!r} in place of {other!r}"
            )
