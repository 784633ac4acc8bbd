"""The engines that `sentences.py` measures: a function from texts to texts for each.

Those that do not form batches themselves get 32 texts at a time, sorted by length.
"""

import re
import runpy
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 32  # of CTranslate2's `translate_file`, and of the usual examples of the others
BEAMS = {"greedy": 1, "beam 4": 4}
ALL = "_of_all"  # without a short list
Translate = Callable[[list[str]], list[str]]

# What each export is called, and how it is written.
EXPORTS: dict[str, dict[str, str]] = {
    "saved_model": {},
    "ctranslate2": {},
    "ctranslate2_int8": {"format": "ctranslate2", "quantization": "int8"},
    "huggingface": {},
    "onnx": {},
    "litert": {},
}


def prepare(path: str, folder: Path, search: str, engines: Sequence[str]) -> None:
    """Save and export a translator for some engines, as far as the formats hold it."""
    from keras_attention import Translator
    from keras_attention.decoding import BeamSearch, Greedy

    translator = Translator.load(path)
    longest = translator.search.max_length
    translator.search = Greedy(longest)
    if BEAMS[search] > 1:
        rule = {"finished": "replace", "stopping": "count", "normalization": "length"}
        translator.search = BeamSearch(BEAMS[search], longest, **rule)
    for name in {FOLDERS[engine]: None for engine in engines}:
        one, kind = translator, name.removesuffix(ALL)
        if kind != name:
            if translator.short_list is None:
                continue  # the same
            one = translator.without_short_list()
        if kind == "translator":
            one.save(folder / name)
            continue
        options = {"format": kind, **EXPORTS[kind]}
        try:
            one.export(folder / name, check=False, **options)
        except ValueError as reason:
            print(f"{search}: {name} is left out: {reason}", flush=True)


def in_batches(translate: Translate, size: int = BATCH) -> Translate:
    """Texts of about the same length together, and their answers in the old order."""

    def run(texts):
        order = sorted(range(len(texts)), key=lambda index: len(texts[index].split()))
        answers = [""] * len(texts)
        for begin in range(0, len(order), size):
            places = order[begin : begin + size]
            found = translate([texts[place] for place in places])
            for place, answer in zip(places, found, strict=True):
                answers[place] = answer
        return answers

    return run


def translator(folder: Path, search: str, engine: str = "tensorflow") -> Translate:
    """`Translator`, or the same on CTranslate2."""
    from keras_attention import Translator

    loaded = Translator.load(folder, engine=engine)
    return lambda texts: list(loaded(texts))


def saved_model(folder: Path, search: str) -> Translate:
    """The SavedModel, by TensorFlow alone."""
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  (registers the tokenizers' operations)

    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]

    def translate(texts):
        found = serve(text=tf.constant(texts))["translation"].numpy()
        return [text.decode() for text in found.reshape(len(texts), -1)[:, 0]]

    return translate


def ctranslate2(folder: Path, search: str, inter: int, intra: int) -> Translate:
    """CTranslate2 and sentencepiece by hand, as its documentation shows."""
    import ctranslate2

    script = runpy.run_path(str(folder / "translate.py"))
    options = {**script["load"]()[0]["options"], "max_batch_size": BATCH}
    threads = {"inter_threads": inter, "intra_threads": intra}
    model = ctranslate2.Translator(str(folder), **threads)

    def translate(texts):
        # It sorts by length what it gets at once.
        rows = [script["cut"](text) for text in texts]
        found = model.translate_batch(rows, **options)
        return [script["join"](one.hypotheses[0]) for one in found]

    return translate


def hugging_face(folder: Path, search: str) -> Translate:
    """`generate` of `transformers`, on PyTorch."""
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()

    @torch.inference_mode()
    def translate(texts):
        rows = tokenizer(texts, return_tensors="pt", padding=True, truncation=True)
        found = model.generate(**rows)
        return tokenizer.batch_decode(found, skip_special_tokens=True)

    return in_batches(translate)


def ids(folder: Path, search: str) -> Translate:
    """A graph from ids to ids on ONNX Runtime or LiteRT, and sentencepiece."""
    script = runpy.run_path(str(folder / "translate.py"))
    model = script["load_model"]()

    def translate(texts):
        rows = [script["cut"](text) for text in texts]
        source = np.zeros((len(rows), max(map(len, rows))), "int32")
        for line, row in zip(source, rows, strict=True):
            line[: len(row)] = row
        written, lengths, _ = model({"source": source})
        pairs = zip(written[:, 0], lengths[:, 0], strict=True)
        return [script["join"](row[:length].tolist()) for row, length in pairs]

    return in_batches(translate)


# Of each engine the folder that it reads, and how.
_ENGINES: dict[str, tuple[str, Any]] = {
    "Translator": ("translator", translator),
    "SavedModel": ("saved_model", saved_model),
    "Translator, all ids": (f"translator{ALL}", translator),
    "SavedModel, all ids": (f"saved_model{ALL}", saved_model),
    "ours on CTranslate2": ("ctranslate2", partial(translator, engine="ctranslate2")),
    "ours on CTranslate2, int8": (
        "ctranslate2_int8",
        partial(translator, engine="ctranslate2"),
    ),
    "CTranslate2, float32": ("ctranslate2", ctranslate2),
    "CTranslate2, int8": ("ctranslate2_int8", ctranslate2),
    "Hugging Face": ("huggingface", hugging_face),
    "ONNX Runtime": ("onnx", ids),
    "LiteRT": ("litert", ids),
}
FOLDERS = {name: folder for name, (folder, _) in _ENGINES.items()}


def on_cores(
    engines: Sequence[str], threads: int
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each engine in each way to use some cores: its name, the engine, its settings."""
    for engine in engines:
        if _ENGINES[engine][1] is not ctranslate2:
            yield engine, engine, {}
            continue
        for inter in sorted({1, threads}):
            for policy in ("active", "passive"):
                name = f"{engine}, {inter} x {threads // inter} threads, {policy}"
                yield name, engine, {"OMP_WAIT_POLICY": policy.upper()}


def make(name: str, folder: Path, search: str) -> Translate:
    """An engine by a name of `on_cores`."""
    if name in _ENGINES:
        return _ENGINES[name][1](folder, search)
    inter, intra = re.search(r"(\d+) x (\d+) threads", name).groups()
    return ctranslate2(folder, search, int(inter), int(intra))
