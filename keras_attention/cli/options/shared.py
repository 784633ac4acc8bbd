"""Options that several commands have."""

import argparse

from keras_attention.cli.parser import (
    above_zero,
    named,
    natural,
    not_negative,
    positive,
    share,
)

YES_OR_NO = argparse.BooleanOptionalAction
PRECISIONS = ("float32", "mixed_bfloat16")


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Add the saved Translator that a command works with."""
    parser.add_argument(
        "folder",
        type=named,
        help="a saved Translator, or the name of a bundled one, such as tatoeba_en_fr",
    )


def add_language(parser: argparse._ActionsContainer) -> None:
    """Add the language that a model of several is to write."""
    parser.add_argument(
        "--to",
        metavar="LANGUAGE",
        help="to translate into, by a model of several languages",
    )


def add_pairs(parser: argparse.ArgumentParser) -> None:
    """Add files of sentences and their translations."""
    group = parser.add_argument_group("text, by --pairs or by --source and --target")
    sources = group.add_mutually_exclusive_group(required=True)
    sources.add_argument(
        "--pairs",
        type=named,
        help="file of pairs, a line each: source TAB target",
    )
    sources.add_argument("--source", type=named, help="file of source lines")
    group.add_argument(
        "--target",
        type=named,
        help="their translations, in the same order",
    )


def add_bleu(parser: argparse._ActionsContainer) -> None:
    """Add how BLEU is counted."""
    parser.add_argument(
        "--bleu-tokenize",
        metavar="NAME",
        default="13a",
        help="of sacrebleu: char for Korean, none for tokens between spaces "
        "(default: 13a)",
    )


def add_comet(parser: argparse._ActionsContainer) -> None:
    """Add COMET, and where it is."""
    parser.add_argument(
        "--comet",
        nargs="?",
        const="Unbabel/wmt22-comet-da",
        metavar="MODEL",
        help="measure COMET too, by a model of the Hugging Face Hub or a checkpoint "
        "(default: Unbabel/wmt22-comet-da)",
    )
    parser.add_argument(
        "--comet-python",
        type=named,
        metavar="FILE",
        help="Python of an environment with unbabel-comet, which needs other versions "
        "of packages than TensorFlow",
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add what computes, and how."""
    group = parser.add_argument_group("engine")
    group.add_argument(
        "--engine",
        choices=["tensorflow", "ctranslate2"],
        default="tensorflow",
        help="what translates: the model itself on Keras's backend (default), or "
        "CTranslate2, from a folder that export wrote for it or from a saved "
        "Transformer",
    )
    group.add_argument(
        "--ensemble",
        type=named,
        nargs="+",
        metavar="FOLDER",
        help="more saved Translators of the same vocabularies, whose probabilities "
        "are averaged",
    )
    group.add_argument(
        "--batch-size",
        type=positive,
        help="the most texts that are translated at once",
    )
    add_computation(group)


def add_computation(group: argparse._ActionsContainer) -> None:
    """Add how the model computes."""
    add_precision(group)
    group.add_argument(
        "--int8",
        action="store_true",
        help="8-bit kernels: smaller, faster in batches, slower for single texts",
    )


def add_precision(group: argparse._ActionsContainer) -> None:
    """Add the precision of the model."""
    group.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="to compute in; by default that of the training",
    )


def add_search(parser: argparse.ArgumentParser) -> None:
    """Add what changes the search of a saved Translator."""
    group = parser.add_argument_group(
        "search", "Options not given keep the settings of the saved Translator."
    )
    add = group.add_argument
    add(
        "--beams",
        type=positive,
        help="number of beams; 1 is greedy search",
    )
    add(
        "--length-penalty",
        type=not_negative,
        help="exponent of the length by which beam search divides log-probabilities; "
        "0 for none",
    )
    add(
        "--coverage-penalty",
        type=not_negative,
        help="of beam search, for source words that nothing attends to",
    )
    add("--max-length", type=positive, help="most tokens of a translation")
    add("--min-length", type=natural, help="fewest tokens of a translation")
    add(
        "--no-repeat-ngram-size",
        type=natural,
        help="no run of so many tokens comes twice; 0 allows all",
    )
    add(
        "--repetition-penalty",
        type=above_zero,
        help="factor of the log-probability of tokens that are there already",
    )
    add(
        "--no-unknown",
        action="store_true",
        help="never write the unknown token",
    )
    add(
        "--replace-unknown",
        action="store_true",
        help="write the source word that an unknown token attends to in its place",
    )
    add(
        "--sample",
        action="store_true",
        help="draw translations by their probabilities",
    )
    add("--temperature", type=above_zero, help="of --sample, 1 as trained")
    add("--top-k", type=positive, help="of --sample, from the best tokens")
    add("--top-p", type=share, help="of --sample, from the likely tokens")
    add("--seed", type=natural, help="of --sample, to draw the same again")
    add(
        "--xla",
        action=YES_OR_NO,
        help="whether XLA compiles the search, once for each of few shapes; by default "
        "where it can",
    )
