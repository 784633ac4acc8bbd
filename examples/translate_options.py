"""The command lines of `translate.py`."""

import argparse
from contextlib import suppress
from typing import Any, NoReturn

from keras_attention.optional_packages import needs
from keras_attention.text.cleaning import NORMALIZATIONS

# Settings that did well on so many pairs; benchmarks/README.md says what each does.
PRESETS: dict[str, dict[str, Any]] = {
    "transformer-30k": {
        "architecture": "transformer",
        "num_layers": 4,
        "embedding_dim": 128,
        "intermediate_dim": 256,
        "positions": "rotary",
        "tie_embeddings": True,
        "vocabulary_size": 10_000,
        "dropout": 0.3,
        "attention_dropout": 0.0,
        "batch_tokens": 4096,
        "learning_rate": 5e-3,
        "ema": 0.999,
        "segmentations": 20,
        "epochs": 64,
    },
    "transformer-4k": {
        "architecture": "transformer",
        "num_layers": 2,
        "embedding_dim": 128,
        "intermediate_dim": 512,
        "positions": "rotary",
        "dropout": 0.3,
        "attention_dropout": 0.0,
        "max_length": 60,
        "learning_rate": 3e-3,
        "ema": 0.99,
        "epochs": 80,
        "patience": 12,
    },
    "rnn-30k": {
        "architecture": "rnn",
        "attention": "general",
        "tie_embeddings": True,
        "vocabulary_size": 5000,
        "dropout": 0.3,
        "batch_tokens": 2048,
        "ema": 0.998,
        "epochs": 40,
    },
}


# Settings for the corpus that comes along, which has no noise: nothing is dropped, and
# a few epochs of small batches teach it.
SHIPPED: dict[str, Any] = {
    "dropout": 0.0,
    "learning_rate": 3e-3,
    "batch_tokens": 512,
    "epochs": 3,
}


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (--help lists the options)\n")


def train_parser(description: str) -> argparse.ArgumentParser:
    """The options of a training."""
    parser = Parser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--preset", choices=PRESETS, help="settings for so many pairs")
    add("--pairs", type=named, help="file of pairs, a line each: source TAB target")
    for side in ("", "validation-", "test-"):
        add(
            f"--{side}source",
            type=named,
            help=f"file of {side or 'training '}source lines",
        )
        add(f"--{side}target", type=named, help="their translations, in order")
    add(
        "--limit",
        type=positive,
        help="use only so many of the first pairs of your files",
    )
    add("--output", type=named, default="translation-run", help="folder to write")
    add("--resume", action="store_true", help="continue a killed run")
    add("--overwrite", action="store_true", help="replace the run in --output")
    add("--architecture", choices=("transformer", "rnn"), default="transformer")
    add("--num-layers", type=positive, help="transformer 3, rnn 1")
    add("--embedding-dim", type=positive, help="transformer 128, rnn 256")
    add("--num-heads", type=positive, default=4, help="of the transformer")
    add("--intermediate-dim", type=positive, default=512, help="of the transformer")
    add("--post-norm", action="store_true", help="of the transformer, as published")
    positions = ("sinusoidal", "rotary", "relative", "alibi")
    add(
        "--positions",
        choices=positions,
        default="rotary",
        help="of the transformer",
    )
    add("--units", type=positive, default=256, help="of the rnn")
    add("--cell", choices=("lstm", "gru", "simple"), default="gru", help="of the rnn")
    scores = ("dot", "scaled_dot", "general", "additive", "cosine", "none")
    add("--attention", choices=scores, default="additive", help="of the rnn")
    add("--order", choices=("luong", "bahdanau"), default="luong", help="of the rnn")
    add("--peeky", action="store_true", help="the rnn's last state joins every step")
    yes_or_no = argparse.BooleanOptionalAction
    add("--bidirectional", action=yes_or_no, default=True, help="encoder of the rnn")
    add("--input-feeding", action=yes_or_no, default=True, help="of the rnn")
    add("--recurrent-dropout", type=share, default=0.0, help="of the rnn")
    add("--tie-embeddings", action="store_true", help="one table and one tokenizer")
    add("--dropout", type=share, default=0.1)
    add("--attention-dropout", type=share, help="of weights; as --dropout by default")
    add(
        "--tokenizer",
        choices=("sentencepiece", "word", "character"),
        default="sentencepiece",
    )
    add("--model-type", choices=("bpe", "unigram"), default="bpe")
    add("--vocabulary-size", type=positive, help="by default by the size of the data")
    add("--lowercase", action="store_true")
    for side, default in (
        ("source", "nmt_nfkc for two sentencepiece tokenizers, else identity"),
        ("target", "identity"),
    ):
        add(
            f"--{side}-normalization",
            choices=NORMALIZATIONS,
            help=f"of {side}s; by default {default}",
        )
    add(
        "--segmentations",
        type=natural,
        help="of each pair, drawn at random; 0 for none",
    )
    add("--alpha", type=share, default=0.1, help="share of bpe's merges left out")
    add("--plain-share", type=share, default=0.5, help="of the epochs, without any")
    add("--max-length", type=positive, default=100, help="tokens a side")
    add("--epochs", type=positive, default=20)
    add(
        "--minutes",
        type=above_zero,
        help="end with the epoch that passes them, from the last start on; another "
        "number may follow --resume",
    )
    add("--batch-tokens", type=positive, default=1024, help="rows times length")
    add(
        "--accumulate",
        type=positive,
        default=1,
        help="batches for one update, by their mean gradient",
    )
    add("--learning-rate", type=above_zero, default=2e-3, help="at the peak")
    add(
        "--warmup-steps",
        type=positive,
        help="updates; 1,000, or a tenth of all if it is less",
    )
    add("--ema", type=share, default=0.99, help="momentum of the averaged weights")
    add("--label-smoothing", type=share, default=0.1)
    add(
        "--patience",
        type=positive,
        help="measure BLEU of 200 validation sentences each epoch, stop after so many "
        "without a better one, and keep the best weights",
    )
    _add_bleu(parser)
    add("--tensorboard", action="store_true", help="log to OUTPUT/tensorboard")
    add("--precision", choices=("float32", "mixed_bfloat16"), default="float32")
    add(
        "--xla",
        action="store_true",
        help="compile training and search, once for each of few shapes",
    )
    add("--samples", type=natural, default=5, help="test sentences to show")
    add(
        "--export",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="make a SavedModel in the end",
    )
    add("--seed", type=natural, default=0)
    return parser


def translate_parser() -> argparse.ArgumentParser:
    """The options of `translate`."""
    parser = Parser(prog="translate.py translate")
    parser.add_argument("folder", type=named, help="a saved Translator")
    _add_search(parser)
    parser.add_argument(
        "--alignments",
        action="store_true",
        help="print source tokens ||| target tokens ||| which belong together: 0-0 1-2",
    )
    return parser


def evaluate_parser() -> argparse.ArgumentParser:
    """The options of `evaluate`."""
    parser = Parser(prog="translate.py evaluate")
    _add_test(parser)
    _add_search(parser)
    parser.add_argument(
        "--lowercase",
        action="store_true",
        help="compare without case; what was trained so is compared so",
    )
    _add_bleu(parser)
    parser.add_argument("--samples", type=natural, default=5)
    return parser


def score_parser() -> argparse.ArgumentParser:
    """The options of `score`."""
    parser = Parser(prog="translate.py score")
    _add_test(parser)
    return parser


def export_parser() -> argparse.ArgumentParser:
    """The options of `export`."""
    parser = Parser(prog="translate.py export")
    parser.add_argument("folder", type=named, help="a saved Translator")
    parser.add_argument("--output", type=named, required=True, help="folder to write")
    parser.add_argument("--overwrite", action="store_true", help="a SavedModel there")
    _add_search(parser)
    return parser


def _add_test(parser):
    parser.add_argument("folder", type=named, help="a saved Translator")
    sources = parser.add_mutually_exclusive_group(required=True)
    sources.add_argument("--pairs", type=named, help="file of pairs: source TAB target")
    sources.add_argument("--source", type=named, help="file of source lines")
    parser.add_argument(
        "--target", type=named, help="their translations, in the same order"
    )


def _add_bleu(parser):
    parser.add_argument(
        "--bleu-tokenize",
        type=bleu_tokenizer,
        default="13a",
        help="of sacrebleu: char for Korean, none for tokens between spaces",
    )


def positive(text: str) -> int:
    """A number of the command line, from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def natural(text: str) -> int:
    """A number of the command line, from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return int(text)


def above_zero(text: str) -> float:
    """A number of the command line above 0."""
    with suppress(ValueError):
        if float(text) > 0:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")


def named(text: str) -> str:
    """A path of the command line, which an empty variable is not."""
    if text:
        return text
    raise argparse.ArgumentTypeError("the name is empty")


def bleu_tokenizer(name: str) -> str:
    """One of sacrebleu's tokenizers, which has what it needs."""
    with needs("sacrebleu", extra="bleu", by="--bleu-tokenize"):
        import sacrebleu  # `translate` does without it

    known = sacrebleu.BLEU.TOKENIZERS
    if name not in known:
        raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(known)}")
    try:
        sacrebleu.BLEU(tokenize=name)
    except (RuntimeError, ImportError, OSError) as error:
        raise argparse.ArgumentTypeError(f"{name!r} cannot be used: {error}") from error
    return name


def share(text: str) -> float:
    """A number of the command line, from 0 to 1."""
    with suppress(ValueError):
        if 0 <= float(text) <= 1:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")


def _add_search(parser):
    add = parser.add_argument
    add("--beams", type=positive, help="of beam search; 1 is greedy search")
    add("--length-penalty", type=float, help="exponent of beam search, 1 for the mean")
    add("--xla", action="store_true", help="compile the search, once for each shape")
    add("--int8", action="store_true", help="8-bit kernels: smaller, faster in batches")
