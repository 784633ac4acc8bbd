"""The options of a training, and presets of them."""

import argparse
from typing import Any

from keras_attention.cli.options.shared import PRECISIONS, YES_OR_NO, add_bleu
from keras_attention.cli.parser import above_zero, named, natural, positive, share
from keras_attention.text.cleaning_rules import NORMALIZATIONS

HELP = "train a translator of your own text"
DESCRIPTION = """\
Train a translator of parallel text, measure it, save it and export it, all into one
folder. A training that was killed continues with the same command and --resume, as long
as its options and the lines of its files are the same."""
EXAMPLES = """\
examples:
  keras-attention train --pairs pairs.tsv --output run
  keras-attention train --source train.en --target train.de --preset transformer-30k
  keras-attention train --pairs more.tsv --output run2 --start-from run/translator
  keras-attention train --pairs fr=en-fr.tsv en=fr-en.tsv --output both"""

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


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a parser."""
    parser.add_argument("--preset", choices=PRESETS, help="settings for so many pairs")
    _add_files(parser.add_argument_group("files"))
    _add_model(parser.add_argument_group("model"))
    _add_text(parser.add_argument_group("text"))
    _add_training(parser.add_argument_group("training"))
    _add_results(parser.add_argument_group("results"))


def _add_files(group):
    add = group.add_argument
    files = {"type": named, "nargs": "+", "metavar": "FILE"}
    add(
        "--pairs",
        **files,
        help="pairs, a line each: source TAB target. Files of several directions name "
        "the language that each is translated into: fr=en-fr.tsv ko=en-ko.tsv",
    )
    for side in ("", "validation-", "test-"):
        add(
            f"--{side}source",
            **files,
            help=f"{side or 'training '}source lines, likewise",
        )
        add(f"--{side}target", **files, help="their translations, in order")
    add(
        "--limit",
        type=positive,
        help="use only so many of the first pairs of each file of the training",
    )
    add(
        "--output",
        type=named,
        metavar="FOLDER",
        default="translation-run",
        help="to write into",
    )
    add("--resume", action="store_true", help="continue a killed run")
    add("--overwrite", action="store_true", help="replace the run in --output")
    add(
        "--start-from",
        type=named,
        metavar="FOLDER",
        help="a saved Translator to train further, or the name of a bundled "
        "one: its model and tokenizers, whatever the options of these say",
    )
    add(
        "--new-vocabularies",
        action="store_true",
        help="of --start-from, with tokenizers of your text: pieces that its "
        "vocabularies have too keep their vectors",
    )


def _add_model(group):
    add = group.add_argument
    add(
        "--architecture",
        choices=("transformer", "rnn"),
        default="transformer",
        help="of the model",
    )
    add("--num-layers", type=positive, help="on each side; transformer 3, rnn 1")
    add("--embedding-dim", type=positive, help="transformer 128, rnn 256")
    add("--num-heads", type=positive, default=4, help="of the transformer")
    add("--intermediate-dim", type=positive, default=512, help="of the transformer")
    add("--post-norm", action="store_true", help="of the transformer, as published")
    add(
        "--positions",
        choices=("sinusoidal", "rotary", "relative", "alibi"),
        default="rotary",
        help="of the transformer",
    )
    add("--units", type=positive, default=256, help="width of the rnn")
    add(
        "--cell",
        choices=("lstm", "gru", "simple"),
        default="gru",
        help="cell of the rnn",
    )
    scores = ("dot", "scaled_dot", "general", "additive", "cosine", "none")
    add("--attention", choices=scores, default="additive", help="of the rnn")
    add("--order", choices=("luong", "bahdanau"), default="luong", help="of the rnn")
    add("--peeky", action="store_true", help="the rnn's last state joins every step")
    add("--bidirectional", action=YES_OR_NO, default=True, help="encoder of the rnn")
    add("--input-feeding", action=YES_OR_NO, default=True, help="of the rnn")
    add("--recurrent-dropout", type=share, default=0.0, help="of the rnn")
    add("--tie-embeddings", action="store_true", help="one table and one tokenizer")
    add("--dropout", type=share, default=0.1, help="share of vectors")
    add("--attention-dropout", type=share, help="of weights; as --dropout by default")
    add("--precision", choices=PRECISIONS, default="float32", help="to compute in")


def _add_text(group):
    add = group.add_argument
    add(
        "--tokenizer",
        choices=("sentencepiece", "word", "character"),
        default="sentencepiece",
        help="kind of the vocabularies",
    )
    for side in ("source", "target"):
        add(
            f"--{side}-tokenizer",
            type=named,
            help=f"of {side}s, as a tokenizer's `save` wrote it, in place of one that "
            "is trained",
        )
    add(
        "--model-type",
        choices=("bpe", "unigram"),
        default="bpe",
        help="of sentencepiece",
    )
    add(
        "--user-symbols",
        nargs="+",
        metavar="SYMBOL",
        help="that stay whole, such as <b> and </b>",
    )
    add(
        "--vocabulary-size",
        type=positive,
        help="of each side; by default by the size of the data",
    )
    add("--lowercase", action="store_true", help="read and write lower case alone")
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
    add("--max-length", type=positive, default=100, help="most tokens on each side")


def _add_training(group):
    add = group.add_argument
    add("--epochs", type=positive, default=20, help="times through the data")
    add(
        "--minutes",
        type=above_zero,
        help="end with the epoch that passes them, from the last start on; another "
        "number may follow --resume",
    )
    add(
        "--batch-tokens",
        type=positive,
        default=1024,
        help="rows times length of a batch",
    )
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
    add("--label-smoothing", type=share, default=0.1, help="of the loss")
    add(
        "--patience",
        type=positive,
        help="measure BLEU of 200 validation sentences each epoch, stop after so many "
        "without a better one, and keep the best weights",
    )
    add(
        "--xla",
        action="store_true",
        help="compile training and search, once for each of few shapes",
    )
    add("--seed", type=natural, default=0, help="of all random draws")


def _add_results(group):
    add = group.add_argument
    add_bleu(group)
    add(
        "--short-list",
        action=YES_OR_NO,
        help="choose each translation from the pieces that its source asks for, which "
        "is faster; when left out, where it is as good on validation sentences",
    )
    add("--samples", type=natural, default=5, help="test sentences to show")
    add("--tensorboard", action="store_true", help="log to OUTPUT/tensorboard")
    add("--export", action=YES_OR_NO, default=True, help="make a SavedModel in the end")
