"""The saved Translator that a command works with."""

import argparse
import json
from pathlib import Path
from typing import Any

from keras_attention.cli.messages import say
from keras_attention.cli.process import import_keras
from keras_attention.special_ids import UNKNOWN
from keras_attention.translation.ctranslate2_translator import (
    MODEL,
    CTranslate2Translator,
)
from keras_attention.translation.file_names import MARKER, SOURCE, TARGET
from keras_attention.translation.search_settings import SearchSettings

BEAMS = 4  # where a search with beams is needed, and no number is given

# Options of a search, and what its constructor calls them.
_OF_ALL = ("max_length", "min_length", "no_repeat_ngram_size", "repetition_penalty")
_OF_BEAMS = ("length_penalty", "coverage_penalty")
_OF_SAMPLING = ("temperature", "top_k", "top_p", "seed")
_OF_SEARCH = (
    *("beams", "sample", "n_best", "no_unknown", "xla"),
    *(*_OF_ALL, *_OF_BEAMS, *_OF_SAMPLING),
)
# What is of the model itself, which CTranslate2 holds in its own form.
_OF_MODEL = ("int8", "precision", "xla", "ensemble", "replace_unknown")


def load(options: argparse.Namespace) -> Any:
    """A saved Translator with what else was asked for.

    Raises:
        OSError, ValueError: for a folder that cannot be read, and options that do not
            go together.
        ImportError: without the engine that is asked for.
    """
    if getattr(options, "engine", "tensorflow") == "ctranslate2":
        translator = _load_ctranslate2(options)
    else:
        _check_saved(options)
        import_keras("the command")
        translator = _load_keras(options)
    if getattr(options, "batch_size", None) is not None:
        translator.batch_size = options.batch_size
    return _in_direction(translator, options)


def _in_direction(translator, options):
    """The same into the language that is asked for, if the model has several."""
    language = getattr(options, "to", None)
    if language is not None:
        if language not in translator.languages:
            known = ", ".join(translator.languages) or "one language alone"
            raise ValueError(
                f"--to: the model translates into {known}. Received: --to {language}"
            )
        return translator.to(language)
    if translator.languages and hasattr(options, "to"):
        say(
            f"warning: the model translates into {', '.join(translator.languages)}: "
            "--to says which, or each text begins with a tag"
        )
    return translator


def find_folder(name: str) -> Path:
    """The folder of a saved Translator, or of one that comes along."""
    path = Path(name)
    if path.exists() or path.name != name:
        return path
    from keras_attention.translation.shipped import find_preset

    try:
        return find_preset(name)
    except (FileNotFoundError, ValueError):
        return path  # which is not there, as will be said


def change_search(
    settings: SearchSettings, options: argparse.Namespace, unknown_id: int = UNKNOWN
) -> SearchSettings:
    """A search like another one but for what is given; 1 beam is greedy search.

    Args:
        settings: of the other one.
        options: what is given.
        unknown_id: of the target vocabulary.

    Raises:
        ValueError: for options that the search does not have.
    """
    given = _given(options)
    kind = settings.kind
    if "sample" in given:
        kind = "Sampling"
    elif "beams" in given:
        kind = "Greedy" if given["beams"] == 1 else "BeamSearch"
    if _is_given(options, "terms"):
        if kind == "Greedy" and "beams" not in given:
            kind, given["beams"] = "BeamSearch", BEAMS
        if kind != "BeamSearch":
            raise ValueError(f"--terms needs a beam search, as by --beams {BEAMS}")
    own = {
        "BeamSearch": (*_OF_ALL, *_OF_BEAMS),
        "Sampling": (*_OF_ALL, *_OF_SAMPLING),
    }.get(kind, _OF_ALL)
    needed = dict.fromkeys(_OF_BEAMS, "a beam search, as by --beams 5")
    needed |= dict.fromkeys(_OF_SAMPLING, "--sample")
    for name in given.keys() & needed.keys() - {*own}:
        raise ValueError(f"{_flag(name)} needs {needed[name]}")
    if given.get("top_p") == 0:
        raise ValueError("--top-p must be above 0. Received: --top-p 0")
    if "sample" in given and "beams" in given:
        raise ValueError("--sample and --beams are two searches: leave one out")
    config = {name: given[name] for name in own if name in given}
    settings = settings.changed(kind, **config)
    if kind == "BeamSearch" and "beams" in given:
        settings = settings.changed(
            num_beams=given["beams"], num_hypotheses=None, num_groups=1
        )
    if "n_best" in given:
        settings = _with_count(settings, given["n_best"])
    if "no_unknown" in given:
        suppressed = {*settings.config["suppressed_ids"], unknown_id}
        settings = settings.changed(suppressed_ids=sorted(suppressed))
    if "xla" in given:
        settings = settings.changed(jit_compile=given["xla"])
    return settings


def _given(options):
    """What is asked of the search, by the names of the options."""
    return {
        name: getattr(options, name) for name in _OF_SEARCH if _is_given(options, name)
    }


def _is_given(options, name):
    value = getattr(options, name, None)
    return value is not None and (value is not False or name == "xla")


def _with_count(settings, count):
    """The search for so many hypotheses of a text."""
    if settings.kind == "Sampling":
        return settings.changed(num_samples=count)
    if settings.kind == "Greedy":
        if count == 1:
            return settings
        raise ValueError(f"--n-best {count} needs a beam search, as by --beams {count}")
    beams = settings.config["num_beams"]
    if count > beams:
        raise ValueError(
            "--n-best must not be above the number of beams. "
            f"Received: --n-best {count} of {beams} beams"
        )
    return settings.changed(num_hypotheses=count)


def _load_ctranslate2(options):
    for name in _OF_MODEL:
        if _is_given(options, name):
            instead = ""
            if name == "int8":
                instead = ": export --format ctranslate2 --quantization int8 makes one"
            raise ValueError(f"{_flag(name)} is not for --engine ctranslate2{instead}")
    folder = find_folder(options.folder)
    if (folder / MODEL).is_file():
        translator = CTranslate2Translator.load(folder)
    else:  # it is made of a saved one
        import_keras("the command")
        from keras_attention import Translator

        translator = Translator.load(folder, engine="ctranslate2")
    translator.search = change_search(
        translator.search_settings, options, _unknown_id(translator)
    )
    return translator


def _check_saved(options):
    """Raise now what would be raised later, but for what only Keras knows."""
    folder = find_folder(options.folder)
    if not (folder / MARKER).is_file():
        raise FileNotFoundError(
            f"{str(folder)!r} is not a saved Translator: there is no {MARKER} in it"
        )
    try:
        document = json.loads((folder / MARKER).read_text("utf-8"))
        settings = SearchSettings.read(document["search"], folder / MARKER)
    except (ValueError, KeyError, TypeError):
        return  # what is damaged, or a search of another package
    change_search(settings, options)


def _load_keras(options):
    folder = find_folder(options.folder)
    translator = _read(folder, options)
    if getattr(options, "ensemble", None):
        translator = _join(translator, folder, options)
    if getattr(options, "int8", False):
        translator.quantize()
    if getattr(options, "replace_unknown", False):
        translator.replace_unknown = True
    if _given(options) or _is_given(options, "terms"):
        settings = SearchSettings.of(translator.search)
        unknown_id = _unknown_id(translator)
        translator.search = change_search(settings, options, unknown_id).make()
    return translator


def _read(folder, options):
    """A saved Translator, in the precision that is asked for."""
    from keras_attention import Translator

    translator = Translator.load(folder)
    precision = getattr(options, "precision", None)
    return translator.with_precision(precision) if precision else translator


def _join(translator, folder, options):
    """The same Translator with a model that is an ensemble."""
    from keras_attention import Translator
    from keras_attention.models import Ensemble

    models = [translator.model]
    for other in map(find_folder, options.ensemble):
        models.append(_read(other, options).model)
        for name in (SOURCE, TARGET):
            if (other / name).read_bytes() != (folder / name).read_bytes():
                raise ValueError(
                    "--ensemble needs Translators of the same vocabularies: the "
                    f"{name} of {str(other)!r} is not that of {str(folder)!r}"
                )
    return Translator(
        Ensemble(models),
        translator.source_tokenizer,
        translator.target_tokenizer,
        translator.search,
        translator.max_source_length,
        translator.batch_size,
        translator.replace_unknown,
        translator.short_list,
    )


def _unknown_id(translator):
    return getattr(translator.target_tokenizer, "unknown_id", UNKNOWN)


def _flag(name):
    return f"--{name.replace('_', '-')}"
