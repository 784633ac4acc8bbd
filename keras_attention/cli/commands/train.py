"""The command that trains a translator, measures it, saves it and exports it."""

import argparse
import importlib
import json
import shutil
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras

from keras_attention import text
from keras_attention.cli.building import (
    add_short_list,
    make_tokenizers,
    make_translator,
)
from keras_attention.cli.configuration import NOT_KEPT, write_options
from keras_attention.cli.files import (
    PARTS,
    checksums,
    file_names,
    languages,
    make_corpus,
    read_files,
)
from keras_attention.cli.options.train import PRESETS
from keras_attention.cli.process import clean_up_when_interrupted
from keras_attention.cli.results import (
    check_bleu,
    draw_confidence,
    measure_each,
    show_samples,
)
from keras_attention.cli.run_folder import (
    TOKENIZER_FILES,
    begin_run,
    check_begun,
    check_new,
    check_same,
    read_json,
)
from keras_attention.decoding import Greedy
from keras_attention.optional_packages import needs
from keras_attention.translation.fitting import (
    Batches,
    compile_model,
    fit_translator,
    make_batches,
)
from keras_attention.translation.language_tags import tag_of
from keras_attention.translation.translator import Translator
from keras_attention.visualization import plot_attention, plot_training

CALIBRATED = 1000  # validation sentences, of which confidence is learned
SHAPES = 12  # of batches, where each is compiled
CONFIG = "run.toml"  # the options of a run, for --config


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train, measure, draw, save and export; return the figures of the test."""
    clean_up_when_interrupted()
    check_options(options)
    folder, kept = Path(options.output), settings(options)
    if options.resume:
        check_begun(folder)
    else:
        check_new(folder, options.overwrite)
    files = read_files(options)
    data = checksums(files)
    complete = folder / "figures.json"
    if options.resume:
        check_same(folder, kept, data, file_names(options))
        if complete.exists():
            print(f"The run in {folder} is complete, and stays as it is")
            return read_json(complete)
    keras.utils.set_random_seed(options.seed)
    keras.config.set_dtype_policy(options.precision)
    corpus = make_corpus(options, files)
    if options.resume:
        source, target = (
            text.load_tokenizer(folder / file) for file in TOKENIZER_FILES
        )
    else:
        source, target = make_tokenizers(options, corpus)
    print(
        f"{len(corpus.train[0])} pairs to train, {len(corpus.validation[0])} to "
        f"validate, {len(corpus.test[0])} to test; {source} to {target}"
    )
    translator = make_translator(options, source, target)
    print(
        f"{translator.model.name} with {translator.model.count_params():,} parameters"
    )
    batches = prepare_training(options, translator, corpus)
    if not options.resume:  # what has failed before left no trace
        begin_run(folder, kept, data, (source, target), options.overwrite)
        write_options(folder / CONFIG, "train", vars(options), "resume", "overwrite")
    fit(options, translator, batches, corpus, folder)
    translator.search = Greedy(options.max_length, jit_compile=options.xla)
    translator = add_short_list(options, translator, corpus)
    show_samples(translator, corpus.test, options.samples)
    tags = {language: tag_of(language) for language in languages(options)}
    figures = measure_each(translator, corpus.test, options, tags)
    translator.calibrate(*(side[:CALIBRATED] for side in corpus.validation))
    figures |= draw_confidence(
        translator, corpus.test, options, folder / "confidence.png"
    )
    _draw(translator, corpus.test[0], folder / "attention.png")
    save(options, translator, corpus.test[0][:20], folder)
    whole = complete.with_suffix(".new")
    whole.write_text(json.dumps(figures, indent=2), "utf-8")
    whole.replace(complete)
    for left in ("backup", "best"):
        shutil.rmtree(folder / left, ignore_errors=True)
    return figures


def check_options(options: argparse.Namespace) -> None:
    """Raise `ValueError` for options that do not go together."""
    meant = PRESETS.get(options.preset, {}).get("architecture", options.architecture)
    if options.architecture != meant:
        raise ValueError(f"--preset {options.preset} is for --architecture {meant}")
    _check_backend()
    check_bleu(options.bleu_tokenize)
    with needs("matplotlib", extra="plot", by="the picture of a training"):
        import matplotlib  # noqa: F401
    if options.tensorboard and not find_spec("tensorboard"):
        raise ValueError("--tensorboard needs it: pip install tensorboard")
    if options.new_vocabularies and not options.start_from:
        raise ValueError("--new-vocabularies is for --start-from")
    given = [options.source_tokenizer, options.target_tokenizer]
    if any(given) and options.tie_embeddings and given[0] != given[1]:
        raise ValueError(
            "--tie-embeddings is for one tokenizer: --source-tokenizer and "
            f"--target-tokenizer must be the same. Received: {given[0]} and {given[1]}"
        )
    if any(given) and options.start_from:
        raise ValueError("--start-from has its own tokenizers, or --new-vocabularies")
    if options.segmentations and options.tokenizer != "sentencepiece":
        raise ValueError(
            "--segmentations, also a preset's, needs sentencepiece; 0 is none"
        )
    for part in PARTS[1:]:
        sides = [getattr(options, f"{part}{side}") for side in ("source", "target")]
        if sides.count(None) == 1:
            flag = part.replace("_", "-")
            raise ValueError(f"--{flag}source and --{flag}target belong together")
    if options.source is None and not (
        options.validation_source is options.test_source is None
    ):
        raise ValueError("--validation-* and --test-* need --source and --target")


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """What a run keeps of its command."""
    ours = ("resume", "overwrite", "output", *NOT_KEPT)
    return {name: value for name, value in vars(options).items() if name not in ours}


def _check_backend():
    with needs("tensorflow", extra="text", by="train"):
        importlib.import_module("tensorflow")
    if keras.config.backend() != "tensorflow":
        raise ValueError(
            "train reads its texts by TensorFlow: KERAS_BACKEND=tensorflow. On JAX, "
            "examples/distributed.py trains and exports a translator"
        )


def prepare_training(
    options: argparse.Namespace, translator: Translator, corpus: text.Split
) -> Batches:
    """Make the batches, and compile the model for them."""
    batches = make_batches(
        corpus.train,
        corpus.validation,
        (translator.source_tokenizer, translator.target_tokenizer),
        epochs=options.epochs,
        batch_tokens=options.batch_tokens,
        max_length=options.max_length,
        segmentations=options.segmentations,
        alpha=options.alpha,
        plain_share=options.plain_share,
        shapes=SHAPES if options.xla else None,
        seed=options.seed,
    )
    compile_model(
        translator.model,
        batches.steps,
        learning_rate=options.learning_rate,
        warmup_steps=options.warmup_steps,
        accumulate=options.accumulate,
        ema=options.ema,
        label_smoothing=options.label_smoothing,
        jit_compile=options.xla,
    )
    return batches


def fit(
    options: argparse.Namespace,
    translator: Translator,
    batches: Batches,
    corpus: text.Split,
    folder: Path,
) -> None:
    """Train, and draw the curves of the training."""
    started = time.monotonic()
    fit_translator(
        translator,
        batches,
        corpus.validation,
        folder,
        patience=options.patience,
        minutes=options.minutes,
        lowercase=options.lowercase,
        tokenize=options.bleu_tokenize,
        tensorboard=options.tensorboard,
    )
    print(f"Trained for {(time.monotonic() - started) / 60:.1f} minutes")
    plot_training(folder / "history.csv", path=folder / "training.png")


def _draw(translator, sources, path):
    """Draw the attention of a sentence of middling length."""
    source = min(sources, key=lambda line: abs(len(line.split()) - 9))
    best = translator.hypotheses([source])[0][0]
    if best.attention is None:
        print("No attention to draw")
        return
    plot_attention(best.attention, best.source_tokens, best.target_tokens, path=path)
    print(f"Attention picture in {path}")


def save(
    options: argparse.Namespace,
    translator: Translator,
    checked: Sequence[str],
    folder: Path,
) -> None:
    """Save the Translator, and its SavedModel unless it is left out."""
    translator.save(folder / "translator", overwrite=True)
    print(f"Translator in {folder / 'translator'}")
    if options.export:
        translator.export(folder / "saved_model", overwrite=True, check=checked)
        print(
            f"SavedModel in {folder / 'saved_model'}; in a fresh process without "
            f"keras_attention it gives the same for {len(checked)} of {len(checked)} "
            "sentences"
        )
