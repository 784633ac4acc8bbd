"""The command that trains a translator, measures it, saves it and exports it."""

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras

from keras_attention import text
from keras_attention.cli.files import (
    PARTS,
    checksums,
    file_names,
    make_corpus,
    read_files,
)
from keras_attention.cli.process import clean_up_when_interrupted
from keras_attention.cli.results import draw, measure, show_samples
from keras_attention.cli.run_folder import (
    TOKENIZER_FILES,
    begin_run,
    check_begun,
    check_new,
    check_same,
    read_json,
)
from keras_attention.cli.saved import check_backend
from keras_attention.cli.train_options import PRESETS, parse
from keras_attention.decoding import Greedy
from keras_attention.models import Seq2Seq, rnn_seq2seq, transformer
from keras_attention.optional_packages import needs
from keras_attention.translation.evaluation import evaluate
from keras_attention.translation.fitting import (
    Batches,
    compile_model,
    fit_translator,
    make_batches,
)
from keras_attention.translation.tokenizers import train_tokenizers
from keras_attention.translation.translator import Translator
from keras_attention.visualization import plot_training

__all__ = ["parse", "run"]

SHAPES = 12  # of batches, where each is compiled
# A short list is worth a try of so many target ids, by so many validation sentences,
# and kept if it loses no more BLEU.
LARGE, COMPARED, TOLERANCE = 2000, 1000, 0.1


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
    fit(options, translator, batches, corpus, folder)
    translator.search = Greedy(options.max_length, jit_compile=options.xla)
    translator = add_short_list(options, translator, corpus)
    show_samples(translator, corpus.test, options.samples)
    figures = measure(translator, corpus.test, options)
    draw(translator, corpus.test[0], folder / "attention.png")
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
    check_backend()
    with needs("matplotlib", extra="plot", by="the picture of a training"):
        import matplotlib  # noqa: F401
    if options.tensorboard and not find_spec("tensorboard"):
        raise ValueError("--tensorboard needs it: pip install tensorboard")
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
    ours = ("resume", "overwrite", "output")
    return {name: value for name, value in vars(options).items() if name not in ours}


def make_tokenizers(
    options: argparse.Namespace, corpus: text.Split
) -> tuple[text.Tokenizer, text.Tokenizer]:
    """Train the tokenizers of both sides as the options say."""
    choices = {"lowercase": options.lowercase}
    if options.tokenizer == "sentencepiece":
        choices["model_type"] = options.model_type
    return train_tokenizers(
        corpus.train,
        options.tokenizer,
        shared=options.tie_embeddings,
        vocabulary_size=options.vocabulary_size,
        normalizations=(options.source_normalization, options.target_normalization),
        **choices,
    )


def make_translator(
    options: argparse.Namespace, source: text.Tokenizer, target: text.Tokenizer
) -> Translator:
    """A Translator whose model is still to be trained."""
    return Translator(
        build_model(options, source.vocabulary_size, target.vocabulary_size),
        source,
        target,
        Greedy(options.max_length),
        max_source_length=max(256, options.max_length),
    )


def build_model(options: argparse.Namespace, *vocabulary_sizes: int) -> Seq2Seq:
    """The architecture that was asked for, in the sizes that were asked for."""
    attention_dropout = options.attention_dropout
    if attention_dropout is None:
        attention_dropout = options.dropout
    if options.architecture == "transformer":
        return transformer(
            *vocabulary_sizes,
            num_layers=options.num_layers or 3,
            num_heads=options.num_heads,
            embedding_dim=options.embedding_dim or 128,
            intermediate_dim=options.intermediate_dim,
            normalize_first=not options.post_norm,
            positions=options.positions,
            dropout=options.dropout,
            attention_options={"dropout": attention_dropout},
            tie_embeddings=options.tie_embeddings,
        )
    return rnn_seq2seq(
        *vocabulary_sizes,
        num_layers=options.num_layers or 1,
        embedding_dim=options.embedding_dim or 256,
        units=options.units,
        cell=options.cell,
        attention=None if options.attention == "none" else options.attention,
        order=options.order,
        peeky=options.peeky,
        bidirectional=options.bidirectional,
        input_feeding=options.input_feeding,
        dropout=options.dropout,
        recurrent_dropout=options.recurrent_dropout,
        tie_embeddings=options.tie_embeddings,
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


def add_short_list(
    options: argparse.Namespace, translator: Translator, corpus: text.Split
) -> Translator:
    """The same with a short list, if asked for, or where that is as good."""
    vocabulary_size = translator.target_tokenizer.vocabulary_size
    if options.short_list is None and vocabulary_size < LARGE:
        return translator
    if options.short_list is False:
        return translator
    listed = translator.with_short_list(*corpus.train)
    if options.short_list:
        return listed
    validation = [side[:COMPARED] for side in corpus.validation]
    whole_bleu, listed_bleu = (
        evaluate(
            one,
            *validation,
            lowercase=options.lowercase or None,
            tokenize=options.bleu_tokenize,
        ).bleu
        for one in (translator, listed)
    )
    is_kept = listed_bleu >= whole_bleu - TOLERANCE
    print(
        f"BLEU of {len(validation[0])} validation sentences with a short list for each "
        f"{listed_bleu:.2f}, with the whole vocabulary {whole_bleu:.2f}: the "
        f"{'list is kept' if is_kept else 'vocabulary stays'}"
    )
    return listed if is_kept else translator


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
