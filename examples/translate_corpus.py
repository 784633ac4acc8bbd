"""The data of a training: files, their split into three parts, and tokenizers."""

import hashlib
import os
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import english_korean

from keras_attention import text

TOKENIZERS = {
    "sentencepiece": text.SentencePieceTokenizer,
    "word": text.WordTokenizer,
    "character": text.CharacterTokenizer,
}

Name = str | os.PathLike[str]
Lines = Sequence[str]
Part = tuple[Lines, Lines]


class Corpus(NamedTuple):
    """Three parts of a parallel text, each the source and the target lines."""

    train: Part
    validation: Part
    test: Part


def shipped_corpus() -> Corpus:
    """English and Korean sentences of a grammar."""
    shipped = english_korean.corpus()
    parts = (shipped.training, shipped.validation, shipped.held_out)
    return Corpus(*(tuple(zip(*part, strict=True)) for part in parts))


def read_part(pairs: Name | None, source: Name | None, target: Name | None) -> Part:
    """Sources and targets of one file of pairs, or of two files.

    Raises:
        OSError: when a file cannot be read.
        ValueError: for files that are not what they must be, or without a line, for
            one side alone, and for both kinds at once.
    """
    if pairs is None:
        if source is None or target is None:
            raise ValueError("--source and --target belong together")
        part = text.read_parallel(source, target)
    elif source is target is None:
        part = text.read_pairs(pairs)
    else:
        raise ValueError(
            "--pairs stands for both sides: leave out --source and --target"
        )
    if not part[0]:
        name = source if pairs is None else pairs
        raise ValueError(f"There is no line in {os.fspath(name)!r}")
    return part


def split(
    data: Part, name: Name, validation: Part | None, test: Part | None, seed: int
) -> Corpus:
    """Make three parts of a text, but for those that there are already.

    Args:
        data: the whole text.
        name: of its file, for the message.
        validation: what to validate with; when left out, a twentieth of the text and
            1,000 pairs at most.
        test: likewise.
        seed: which of the many splits.

    Raises:
        ValueError: when there are too few pairs.
    """
    size = min(1000, max(1, len(data[0]) // 20))
    try:
        parts = text.split_by_source(
            *data,
            validation=0 if validation else size,
            test=0 if test else size,
            seed=seed,
        )
    except ValueError as error:
        raise ValueError(f"{os.fspath(name)!r} is too small: {error}") from error
    return Corpus(parts.train, validation or parts.validation, test or parts.test)


def checksums(parts: Mapping[str, Part | None]) -> dict[str, str]:
    """What only equal lines have in common, for each side of some parts.

    Args:
        parts: by the beginning of their sides' names, such as `"validation_"`; what is
            `None` has no checksum.
    """
    return {
        f"{name}{side}": _checksum(lines)
        for name, part in parts.items()
        if part
        for side, lines in zip(("source", "target"), part, strict=True)
    }


def _checksum(lines: Lines) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def train_tokenizers(
    train: Part,
    kind: str,
    *,
    shared: bool = False,
    vocabulary_size: int | None = None,
    normalizations: tuple[str | None, str | None] = (None, None),
    **options: Any,
) -> list[text.Tokenizer]:
    """Train the tokenizers of both sides.

    Args:
        train: the training's lines.
        kind: a name of `TOKENIZERS`.
        shared: whether both sides have one tokenizer.
        vocabulary_size: by default by the size of the data.
        normalizations: of the sources and of the targets; for what is `None` see
            `choose_normalizations`.
        options: others of the tokenizer.

    Raises:
        ValueError: for options that do not go together.
    """
    sides = [list(train[0]), list(train[1])]
    if shared:
        sides = [sides[0] + sides[1]] * 2
    tokenizers = []
    for lines, normalization in zip(
        sides, choose_normalizations(*normalizations, kind, shared), strict=True
    ):
        size = vocabulary_size or default_vocabulary(
            train[1], characters_of(lines, normalization)
        )
        tokenizers.append(
            TOKENIZERS[kind].train(
                lines, vocabulary_size=size, normalization=normalization, **options
            )
        )
    return tokenizers


def choose_normalizations(
    source: str | None, target: str | None, kind: str, shared: bool
) -> tuple[str, str]:
    """How sources and targets are normalized before they are cut.

    By default, targets are kept as they are, so that translations come out as they
    were written; sources, too, but for what sentencepiece cuts, which gets its own
    rule. What has one tokenizer has one normalization.
    """
    if not shared:
        usual = "nmt_nfkc" if kind == "sentencepiece" else "identity"
        return source or usual, target or "identity"
    if source and target and source != target:
        raise ValueError(
            "--tie-embeddings has one tokenizer, so --source-normalization and "
            f"--target-normalization must be the same. Received: {source} and {target}"
        )
    both = source or target or "identity"
    return both, both


def default_vocabulary(lines: Lines, characters: int) -> int:
    """Half as many pieces as there are words, each to be met four times or more.

    There is room for every character too, of which some scripts have thousands.
    """
    words = len({word for line in lines for word in line.split()})
    return max(1000, min(8000, words // 2, len(lines) // 4), characters + 200)


def characters_of(lines: Lines, normalization: str) -> int:
    """How many characters there are, in the form in which they become pieces."""
    if normalization == "identity":
        return len({char for line in lines for char in line})
    return len({char for line in lines for char in unicodedata.normalize("NFKC", line)})
