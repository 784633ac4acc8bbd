"""Train a translator, measure it, save it, and export it: the whole path.

    python examples/translate.py                          # English to Korean, shipped
    python examples/translate.py --pairs FILE.tsv         # source TAB target
    python examples/translate.py --source FILE --target FILE
    python examples/translate.py translate FOLDER < lines
    python examples/translate.py evaluate FOLDER --source FILE --target FILE
    python examples/translate.py score FOLDER --source FILE --target FILE
    python examples/translate.py export FOLDER --output FOLDER --beams 4 --int8

`--help` after any of them lists its options. A run that was killed continues with the
same command and `--resume`, as long as its options and the lines of its files are the
same.

`translate` writes a line for each line, in UTF-8, as soon as it is translated: it may
stand between two pipes or be kept open by a program. A mistake in files or options is
one line on standard error, and exit status 2. What is cut or left out is said there
too, with its number.
"""

import os
import signal
import sys

if __name__ == "__main__":
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # Closed: else its number would be that of the next file.
            os.open(os.devnull, os.O_RDWR)
    # While TensorFlow is imported, too, Ctrl-C ends all without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # standard error is for the user

    try:
        import keras_attention.text  # noqa: F401
    except ImportError as error:
        print(f"translate.py: error: {error}", file=sys.stderr)
        sys.exit(2)

import argparse
import json
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
from translate_corpus import (
    Corpus,
    Part,
    checksums,
    read_part,
    shipped_corpus,
    split,
    train_tokenizers,
)
from translate_lines import translate_lines
from translate_messages import (
    BROKEN_PIPE,
    INTERRUPTED,
    MISTAKES,
    describe,
    discard_output,
    is_without_reader,
    say,
    say_counts,
    say_cut,
    wait_for_readers,
)
from translate_options import (
    PRESETS,
    SHIPPED,
    evaluate_parser,
    export_parser,
    score_parser,
    train_parser,
    translate_parser,
)
from translate_results import count_cut, draw, folds_case, measure, show_samples
from translate_run import TOKENIZER_FILES, begin_run, check_new, check_same, read_json
from translate_training import build_model, fit, make_batches

from keras_attention import Translator, text
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.optional_packages import needs

PARTS = ("", "validation_", "test_")  # beginnings of their options' names


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run the command that the arguments name; training is the default.

    Raises:
        SystemExit: after a line on standard error, for what is wrong with the user's
            files or options; and without one when whoever reads the output has left.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    wait_for_readers()
    for stream in sys.stdout, sys.stderr:
        if hasattr(stream, "reconfigure"):  # whatever the locale
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: say(f"warning: {message}")
        try:
            return run(arguments)
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        except MISTAKES as error:
            discard_output()
            if is_without_reader(error):
                raise SystemExit(BROKEN_PIPE) from None
            say(f"error: {describe(error)}")
            raise SystemExit(2) from error


def run(arguments: Sequence[str]) -> Any:
    """Run the command that the arguments name."""
    commands: dict[str, tuple[Callable, Callable]] = {
        "translate": (translate_parser, translate),
        "evaluate": (evaluate_parser, evaluate),
        "score": (score_parser, score),
        "export": (export_parser, export),
    }
    if arguments and arguments[0] in commands:
        make_parser, command = commands[arguments[0]]
        options = make_parser().parse_args(arguments[1:])
    else:
        parser, command = train_parser(__doc__), train
        asked = parser.parse_args(arguments)
        if asked.preset:
            parser.set_defaults(**PRESETS[asked.preset])
        elif not has_files(asked) and asked.architecture != "rnn":
            parser.set_defaults(**SHIPPED)
        options = parser.parse_args(arguments)
    try:
        result = command(options)
        if sys.stdout is not None:
            sys.stdout.flush()
        return result
    except OSError as error:
        if error.strerror and error.filename is None:  # of a full disk, for one
            error.filename = getattr(options, "output", "standard output")
        raise


def clean_up_when_interrupted() -> None:
    """Let Ctrl-C raise `KeyboardInterrupt`, where half a folder is to be removed."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# --- training ---------------------------------------------------------------------


def train(options: argparse.Namespace) -> dict:
    """Train, measure, draw, save and export; return the figures of the test."""
    clean_up_when_interrupted()
    check_inputs(options)
    folder, kept = Path(options.output), settings(options)
    if not options.resume:
        check_new(folder, options.overwrite)
    files = read_files(options)
    data = checksums(files)
    if options.resume:
        check_same(folder, kept, data, file_names(options))
    complete = folder / "figures.json"
    if options.resume and complete.exists():
        print(f"The run in {folder} is complete, and stays as it is")
        return read_json(complete)
    keras.utils.set_random_seed(options.seed)
    keras.config.set_dtype_policy(options.precision)
    corpus = make_corpus(options, files)
    if options.resume:
        tokenizers = [text.load_tokenizer(folder / file) for file in TOKENIZER_FILES]
    else:
        tokenizers = make_tokenizers(options, corpus)
    print(
        f"{len(corpus.train[0])} pairs to train, {len(corpus.validation[0])} to "
        f"validate, {len(corpus.test[0])} to test; {tokenizers[0]} to {tokenizers[1]}"
    )
    model = build_model(options, tokenizers)
    print(f"{model.name} with {model.count_params():,} parameters")
    batches = make_batches(options, corpus.train, corpus.validation, tokenizers)
    if not options.resume:  # what has failed before left no trace
        begin_run(folder, kept, data, tokenizers, options.overwrite)
    fit(options, model, batches, corpus.validation, tokenizers, folder)
    search = Greedy(options.max_length, jit_compile=options.xla)
    translator = Translator(
        model, *tokenizers, search, max_source_length=max(256, options.max_length)
    )
    show_samples(translator, corpus.test, options.samples)
    figures = measure_test(translator, corpus.test, options)
    draw(translator, corpus.test[0], folder / "attention.png")
    translator.save(folder / "translator", overwrite=True)
    print(f"Translator in {folder / 'translator'}")
    if options.export:
        checked = corpus.test[0][:20]
        translator.export(folder / "saved_model", overwrite=True, check=checked)
        print(
            f"SavedModel in {folder / 'saved_model'}; in a fresh process without "
            f"keras_attention it gives the same for {len(checked)} of {len(checked)} "
            "sentences"
        )
    whole = complete.with_suffix(".new")
    whole.write_text(json.dumps(figures, indent=2), "utf-8")
    whole.replace(complete)
    for left in ("backup", "best"):
        shutil.rmtree(folder / left, ignore_errors=True)
    return figures


def check_inputs(options: argparse.Namespace) -> None:
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


def check_backend() -> None:
    """Raise `ValueError` where nothing can be translated."""
    if keras.config.backend() != "tensorflow":
        raise ValueError(
            "a translator translates on TensorFlow: KERAS_BACKEND=tensorflow. On JAX, "
            "distributed.py trains and exports one"
        )


def has_files(options: argparse.Namespace) -> bool:
    """Whether there is any other text than the shipped one."""
    return options.pairs is not None or options.source is not None


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """What a run keeps of its command."""
    ours = ("resume", "overwrite", "output")
    return {name: value for name, value in vars(options).items() if name not in ours}


def file_names(options: argparse.Namespace) -> dict[str, str | None]:
    """The file of each side of each part; one of pairs holds both."""
    sides = [f"{part}{side}" for part in PARTS for side in ("source", "target")]
    names = {side: getattr(options, side) for side in sides}
    if options.pairs is not None:
        names |= {"source": options.pairs, "target": options.pairs}
    return names


def read_files(options: argparse.Namespace) -> dict[str, Part | None]:
    """The parts of a text that lie in files, and `None` for each other."""
    names = file_names(options)
    return {
        part: read_part(
            None if part else options.pairs,
            getattr(options, f"{part}source"),
            getattr(options, f"{part}target"),
        )
        if {names[f"{part}source"], names[f"{part}target"]} != {None}
        else None
        for part in PARTS
    }


def make_corpus(
    options: argparse.Namespace, files: Mapping[str, Part | None]
) -> Corpus:
    """The shipped corpus, or files; what has no test or validation is split."""
    whole, validation, test = (files[part] for part in PARTS)
    if whole is None:
        return shipped_corpus()
    whole = tuple(side[: options.limit] for side in whole)
    name = options.source if options.pairs is None else options.pairs
    return split(whole, name, validation, test, options.seed)


def read_corpus(options: argparse.Namespace) -> Corpus:
    """What `make_corpus` makes of the files that are there."""
    return make_corpus(options, read_files(options))


def make_tokenizers(
    options: argparse.Namespace, corpus: Corpus
) -> list[text.Tokenizer]:
    """Train the tokenizers of both sides."""
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


# --- the other commands -----------------------------------------------------------


def translate(options: argparse.Namespace) -> None:
    """Translate standard input, a line at a time."""
    check_backend()
    if sys.stdin is None or sys.stdout is None:
        raise ValueError("translate needs a standard input and a standard output")
    translator = load(options)
    counts = translate_lines(
        translator, sys.stdin.buffer, sys.stdout.buffer, options.alignments
    )
    say_counts(counts, translator, "lines")


def evaluate(options: argparse.Namespace) -> dict[str, float]:
    """Measure a saved Translator on a test set."""
    check_backend()
    test = read_part(options.pairs, options.source, options.target)
    translator = load(options)
    show_samples(translator, test, options.samples)
    return measure_test(translator, test, options)


def measure_test(
    translator: Translator, test: Part, options: argparse.Namespace
) -> dict[str, float]:
    """Measure as the training was, whatever is asked for."""
    lowercase = options.lowercase or folds_case(translator.target_tokenizer)
    return measure(translator, test, lowercase, options.bleu_tokenize)


def score(options: argparse.Namespace) -> None:
    """Print how probable each translation is: its log-probability and its tokens."""
    check_backend()
    sources, references = read_part(options.pairs, options.source, options.target)
    translator = Translator.load(options.folder)
    found = translator.score(sources, references)
    for one in found:
        print(f"{one.log_probability:.4f}\t{len(one.tokens)}")
    cut = count_cut(translator, sources)
    say_cut(cut, len(sources), "sources", translator.source_limit)
    lengths = translator.target_tokenizer.tokenize(references).row_lengths().numpy()
    read = [len(one.tokens) for one in found]
    say_cut(sum(lengths + 1 > read), len(found), "references", max(read))


def export(options: argparse.Namespace) -> None:
    """Write the SavedModel of a saved Translator."""
    clean_up_when_interrupted()
    folder = Path(options.output)
    if (folder / "saved_model.pb").is_file() and not options.overwrite:
        raise FileExistsError(
            f"{folder} holds a SavedModel: --overwrite replaces it, --output names "
            "another folder"
        )
    load(options).export(options.output, options.overwrite)
    print(f"SavedModel in {options.output}, tried in a fresh process")


def load(options: argparse.Namespace) -> Translator:
    """A saved Translator, with other beams, compilation or kernels if asked for."""
    translator = Translator.load(options.folder)
    kind, config = type(translator.search), translator.search.get_config()
    if options.beams is not None:
        kind = Greedy if options.beams == 1 else BeamSearch
        known = kind(max_length=1).get_config()
        config = {name: value for name, value in config.items() if name in known}
    if options.beams is not None and options.beams > 1:
        config |= {"num_beams": options.beams, "num_hypotheses": None, "num_groups": 1}
    if options.length_penalty is not None:
        if kind is not BeamSearch:
            raise ValueError("--length-penalty needs a beam search, as by --beams 5")
        config["length_penalty"] = options.length_penalty
    if options.xla:
        config["jit_compile"] = True
    translator.search = kind.from_config(config)
    if options.int8:
        translator.quantize()
    return translator


if __name__ == "__main__":
    main()
