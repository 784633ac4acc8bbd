"""What the command lines of several commands have in common."""

import argparse
import math
from contextlib import suppress
from typing import Any, NoReturn

from keras_attention.cli.messages import say
from keras_attention.optional_packages import needs


class Parser(argparse.ArgumentParser):
    """A parser of one command, whose errors are one line.

    Args:
        command: its name.
        kwargs: as of `argparse.ArgumentParser`.
    """

    def __init__(self, command: str, **kwargs: Any) -> None:
        super().__init__(prog=f"python -m keras_attention {command}", **kwargs)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and exit."""
        say(f"error: {message} (--help lists the options)")
        self.exit(2)


def add_test(parser: argparse.ArgumentParser) -> None:
    """Add a saved Translator, and the files of a test set."""
    parser.add_argument("folder", type=named, help="a saved Translator")
    sources = parser.add_mutually_exclusive_group(required=True)
    sources.add_argument("--pairs", type=named, help="file of pairs: source TAB target")
    sources.add_argument("--source", type=named, help="file of source lines")
    parser.add_argument(
        "--target", type=named, help="their translations, in the same order"
    )


def add_bleu(parser: argparse._ActionsContainer) -> None:
    """Add how BLEU is counted."""
    parser.add_argument(
        "--bleu-tokenize",
        type=bleu_tokenizer,
        default="13a",
        help="of sacrebleu: char for Korean, none for tokens between spaces",
    )


def add_search(parser: argparse.ArgumentParser) -> None:
    """Add what changes the search of a saved Translator."""
    add = parser.add_argument
    add("--beams", type=positive, help="of beam search; 1 is greedy search")
    add("--length-penalty", type=float, help="exponent of beam search, 1 for the mean")
    add("--xla", action="store_true", help="compile the search, once for each shape")
    add("--int8", action="store_true", help="8-bit kernels: smaller, faster in batches")


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add what translates."""
    parser.add_argument(
        "--engine",
        choices=["tensorflow", "ctranslate2"],
        default="tensorflow",
        help="what translates: the model itself, or CTranslate2, from a folder that "
        "export wrote for it or from a saved Transformer",
    )


def positive(text: str) -> int:
    """A positive integer of the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def natural(text: str) -> int:
    """A non-negative integer of the command line."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a non-negative integer")
    return int(text)


def above_zero(text: str) -> float:
    """A number of the command line above 0."""
    with suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")


def named(text: str) -> str:
    """A path given on the command line, which must not be empty."""
    if text:
        return text
    raise argparse.ArgumentTypeError("the name is empty")


def bleu_tokenizer(name: str) -> str:
    """One of sacrebleu's tokenizers whose requirements are installed."""
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
