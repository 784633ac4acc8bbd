"""Train a translator, measure it, save it, and export it: the whole path.

    python examples/translate.py                          # English to Korean, shipped
    python examples/translate.py --pairs FILE.tsv         # source TAB target
    python examples/translate.py --source FILE --target FILE
    python examples/translate.py translate FOLDER < lines
    python examples/translate.py evaluate FOLDER --source FILE --target FILE
    python examples/translate.py score FOLDER --source FILE --target FILE
    python examples/translate.py export FOLDER --output FOLDER --beams 4 --int8

`--help` behind any of them lists its options. A run that was killed goes on with the
same command and `--resume`.
"""

import argparse
import json
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import english_korean
import keras
from translate_options import (
    PRESETS,
    evaluate_parser,
    export_parser,
    score_parser,
    train_parser,
    translate_parser,
)
from translate_results import draw, measure, show_samples
from translate_training import fit

from keras_attention import Translator, text
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.folders import check_free, new_folder
from keras_attention.models import Seq2Seq, rnn_seq2seq, transformer

TOKENIZERS = {
    "sentencepiece": text.SentencePieceTokenizer,
    "word": text.WordTokenizer,
    "character": text.CharacterTokenizer,
}

SETTINGS = "settings.json"
TOKENIZER_FILES = ("source_tokenizer.json", "target_tokenizer.json")

Lines = Sequence[str]


class Corpus(NamedTuple):
    """Three parts of a parallel text, each the source and the target lines."""

    train: tuple[Lines, Lines]
    validation: tuple[Lines, Lines]
    test: tuple[Lines, Lines]


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run the command that the arguments name; training is the default."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    commands = {
        "translate": (translate_parser, translate),
        "evaluate": (evaluate_parser, evaluate),
        "score": (score_parser, score),
        "export": (export_parser, export),
    }
    if arguments and arguments[0] in commands:
        make_parser, command = commands[arguments[0]]
        return command(make_parser().parse_args(arguments[1:]))
    parser = train_parser(__doc__)
    preset = PRESETS.get(parser.parse_args(arguments).preset, {})
    parser.set_defaults(**preset)
    return train(parser, parser.parse_args(arguments))


# --- training ---------------------------------------------------------------------


def train(parser: argparse.ArgumentParser, options: argparse.Namespace) -> dict:
    """Train, measure, draw, save and export; return the figures of the test."""
    check_inputs(parser, options)
    if options.epochs is None:
        options.epochs = 20 if options.pairs or options.source else 8
    folder = Path(options.output)
    check_folder(parser, options, folder)
    complete = folder / "figures.json"
    if options.resume and complete.exists():
        print(f"The run in {folder} is complete, and stays as it is")
        return json.loads(complete.read_text("utf-8"))
    keras.utils.set_random_seed(options.seed)
    keras.config.set_dtype_policy(options.precision)
    corpus = read_corpus(options)
    for name, (sources, _) in corpus._asdict().items():
        if not sources:
            parser.error(f"there is no pair for the {name}")
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
    if not options.resume:
        make_folder(options, tokenizers, folder)  # what has failed before left no trace
    fit(options, model, corpus.train, corpus.validation, tokenizers, folder)
    search = Greedy(options.max_length, jit_compile=options.xla)
    translator = Translator(model, *tokenizers, search=search)
    show_samples(translator, corpus.test, options.samples)
    figures = measure(translator, corpus.test, options.lowercase, options.bleu_tokenize)
    draw(translator, corpus.test[0], folder / "attention.png")
    translator.save(folder / "translator", overwrite=True)
    checked = corpus.test[0][:20]
    translator.export(folder / "saved_model", overwrite=True, check=checked)
    print(
        f"Translator in {folder / 'translator'}, SavedModel in "
        f"{folder / 'saved_model'}; in a fresh process without keras_attention it "
        f"gives the same for {len(checked)} of {len(checked)} sentences"
    )
    whole = complete.with_suffix(".new")
    whole.write_text(json.dumps(figures, indent=2), "utf-8")
    whole.replace(complete)
    for kept in ("backup", "best"):
        shutil.rmtree(folder / kept, ignore_errors=True)
    return figures


def check_inputs(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Stop at options that do not go together."""
    meant = PRESETS.get(options.preset, {}).get("architecture", options.architecture)
    if options.architecture != meant:
        parser.error(f"--preset {options.preset} is for --architecture {meant}")
    if options.pairs and (options.source or options.target):
        parser.error("--pairs stands for both sides: leave out --source and --target")
    if keras.config.backend() != "tensorflow":
        parser.error(
            "a translator is measured on TensorFlow: KERAS_BACKEND=tensorflow. On "
            "JAX, distributed.py trains and exports one"
        )
    if not find_spec("matplotlib"):
        parser.error("the pictures need it: pip install matplotlib")
    if options.tensorboard and not find_spec("tensorboard"):
        parser.error("--tensorboard needs it: pip install tensorboard")
    if options.segmentations and options.tokenizer != "sentencepiece":
        parser.error("--segmentations, also a preset's, needs sentencepiece; 0 is none")
    for side in ("", "validation_", "test_"):
        given = [getattr(options, f"{side}{end}") for end in ("source", "target")]
        if any(given) and not all(given):
            flag = side.replace("_", "-")
            parser.error(f"--{flag}source and --{flag}target belong together")
    if (options.validation_source or options.test_source) and not options.source:
        parser.error("--validation-* and --test-* need --source and --target")


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """What a run keeps of its command."""
    ours = ("resume", "overwrite", "output")
    return {name: value for name, value in vars(options).items() if name not in ours}


def check_folder(
    parser: argparse.ArgumentParser, options: argparse.Namespace, folder: Path
) -> None:
    """Stop at an earlier run that was not asked for, or is another one."""
    record = folder / SETTINGS
    if not options.resume:
        if record.is_file() and not options.overwrite:
            parser.error(
                f"{folder} holds a run: --resume goes on with it, --overwrite replaces "
                "it, --output names another folder"
            )
        check_free(folder, SETTINGS, options.overwrite)
        return
    if not record.is_file():
        parser.error(f"--resume: there is no run to go on with in {folder}")
    now, before = settings(options), json.loads(record.read_text("utf-8"))
    same = now.keys() - {"minutes", "samples"}  # free to change on the way
    changed = sorted(name for name in same if before.get(name) != now[name])
    if changed:
        parser.error(f"--resume: the run in {folder} had another {changed}")


def make_folder(
    options: argparse.Namespace, tokenizers: Sequence[text.Tokenizer], folder: Path
) -> None:
    """Write what a run begins with, in place of an earlier one if asked for."""
    with new_folder(folder, SETTINGS, options.overwrite) as fresh:
        content = json.dumps(settings(options), indent=2)
        (fresh / SETTINGS).write_text(content, "utf-8")
        for tokenizer, file in zip(tokenizers, TOKENIZER_FILES, strict=True):
            tokenizer.save(fresh / file)


def read_corpus(options: argparse.Namespace) -> Corpus:
    """The shipped corpus, or files; what has no test or validation is split."""
    if not (options.pairs or options.source):
        shipped = english_korean.corpus()
        parts = (shipped.training, shipped.validation, shipped.held_out)
        return Corpus(*(tuple(zip(*part, strict=True)) for part in parts))
    if options.pairs:
        lines = text.read_pairs(options.pairs)
    else:
        lines = text.read_parallel(options.source, options.target)
    if options.limit:
        lines = tuple(side[: options.limit] for side in lines)
    size = min(1000, max(1, len(lines[0]) // 20))
    split = text.split_by_source(
        *lines,
        validation=0 if options.validation_source else size,
        test=0 if options.test_source else size,
        seed=options.seed,
    )
    validation, test = split.validation, split.test
    if options.validation_source:
        validation = text.read_parallel(
            options.validation_source, options.validation_target
        )
    if options.test_source:
        test = text.read_parallel(options.test_source, options.test_target)
    return Corpus(split.train, validation, test)


def make_tokenizers(
    options: argparse.Namespace, corpus: Corpus
) -> list[text.Tokenizer]:
    """Train the tokenizers of both sides."""
    make = TOKENIZERS[options.tokenizer]
    choices = {"lowercase": options.lowercase}
    if options.tokenizer == "sentencepiece":
        choices["model_type"] = options.model_type
    sides = [list(corpus.train[0]), list(corpus.train[1])]
    if options.tie_embeddings:
        sides = [sides[0] + sides[1]] * 2
    sizes = [
        options.vocabulary_size
        or default_vocabulary(corpus.train[1], characters_of(lines))
        for lines in sides
    ]
    return [
        make.train(lines, **choices, vocabulary_size=size)
        for lines, size in zip(sides, sizes, strict=True)
    ]


def default_vocabulary(lines: Lines, characters: int) -> int:
    """Half as many pieces as there are words, each to be met four times or more.

    There is room for every character too, of which some scripts have thousands.
    """
    words = len({word for line in lines for word in line.split()})
    return max(1000, min(8000, words // 2, len(lines) // 4), characters + 200)


def characters_of(lines: Lines) -> int:
    """How many characters there are, in the form in which they become pieces."""
    return len({char for line in lines for char in unicodedata.normalize("NFKC", line)})


def build_model(
    options: argparse.Namespace, tokenizers: Sequence[text.Tokenizer]
) -> Seq2Seq:
    """The architecture that was asked for, in the sizes that were asked for."""
    sizes = [tokenizer.vocabulary_size for tokenizer in tokenizers]
    attention_dropout = options.attention_dropout
    if attention_dropout is None:
        attention_dropout = options.dropout
    if options.architecture == "transformer":
        return transformer(
            *sizes,
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
        *sizes,
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


# --- the other commands -----------------------------------------------------------


def translate(options: argparse.Namespace) -> None:
    """Translate standard input, a line at a time."""
    translator = load(options)
    # As `text.read_lines` does, but of what is no UTF-8, and line by line.
    sys.stdin.reconfigure(encoding="utf-8-sig", errors="replace", newline="\n")
    lines = (line.removesuffix("\n").removesuffix("\r") for line in sys.stdin)
    if not options.alignments:
        for output in translator.stream(lines):
            print(output)
        return
    while some := list(islice(lines, translator.batch_size)):
        for best, *_ in translator.hypotheses(some):
            if best.attention is None:
                sys.exit("--alignments needs a model with attention")
            pairs = [f"{source}-{target}" for source, target in best.alignment()]
            sides = visible(best.source_tokens), visible(best.target_tokens), pairs
            print(" ||| ".join(" ".join(side) for side in sides))


def visible(tokens: Sequence[str]) -> list[str]:
    """Tokens without the end, and with a sign in place of spaces."""
    return [token.replace(" ", "\u2581") for token in tokens if token != "</s>"]


def evaluate(options: argparse.Namespace) -> dict[str, float]:
    """Measure a saved Translator on a test set."""
    test, translator = read_test(options), load(options)
    show_samples(translator, test, options.samples)
    return measure(translator, test, options.lowercase, options.bleu_tokenize)


def score(options: argparse.Namespace) -> None:
    """Print how probable each translation is: its log-probability and its tokens."""
    test = read_test(options)
    for found in Translator.load(options.folder).score(*test):
        print(f"{found.log_probability:.4f}\t{len(found.tokens)}")


def export(options: argparse.Namespace) -> None:
    """Write the SavedModel of a saved Translator."""
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
            sys.exit("--length-penalty needs a beam search, as by --beams 5")
        config["length_penalty"] = options.length_penalty
    if options.xla:
        config["jit_compile"] = True
    translator = Translator(
        translator.model,
        translator.source_tokenizer,
        translator.target_tokenizer,
        kind.from_config(config),
        translator.max_source_length,
        translator.batch_size,
        translator.replace_unknown,
    )
    if options.int8:
        translator.quantize()
    return translator


def read_test(options: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Sources and references of one file of pairs, or of two files."""
    if bool(options.source) != bool(options.target):
        sys.exit("--source and --target belong together, and --pairs stands for both")
    if options.pairs:
        test = text.read_pairs(options.pairs)
    else:
        test = text.read_parallel(options.source, options.target)
    if not test[0]:
        sys.exit(f"there is no pair in {options.pairs or options.source}")
    return test


if __name__ == "__main__":
    main()
