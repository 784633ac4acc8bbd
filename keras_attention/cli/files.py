"""The files that a command names, and the parts of a text that lie in them."""

import argparse
import hashlib
import os
from collections.abc import Mapping

from keras_attention import text

PARTS = ("", "validation_", "test_")  # beginnings of their options' names
SIDES = ("source", "target")

Part = tuple[list[str], list[str]]


def read_part(pairs: str | None, source: str | None, target: str | None) -> Part:
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
        raise ValueError(f"There is no line in {name!r}")
    return part


def file_names(options: argparse.Namespace) -> dict[str, str | None]:
    """The file of each side of each part; one of pairs holds both."""
    sides = [f"{part}{side}" for part in PARTS for side in SIDES]
    names = {side: getattr(options, side) for side in sides}
    if options.pairs is not None:
        names |= {"source": options.pairs, "target": options.pairs}
    return names


def check_readable(options: argparse.Namespace) -> None:
    """Raise `OSError` now for files of text that could not be read later."""
    for name in ("pairs", *(f"{part}{side}" for part in PARTS for side in SIDES)):
        path = getattr(options, name, None)
        if path is not None and os.path.isfile(path):
            with open(path, "rb"):
                pass
        elif path is not None:
            os.stat(path)


def read_files(options: argparse.Namespace) -> dict[str, Part]:
    """The parts of a text that lie in files of their own; the first is always there.

    Raises:
        OSError, ValueError: as `read_part`, and when no file is named.
    """
    if options.pairs is options.source is options.target is None:
        raise ValueError(
            "there is no text to train with: --pairs, or --source and --target, name it"
        )
    return {
        part: read_part(
            None if part else options.pairs,
            getattr(options, f"{part}source"),
            getattr(options, f"{part}target"),
        )
        for part in PARTS
        if not part or getattr(options, f"{part}source") is not None
    }


def make_corpus(options: argparse.Namespace, files: Mapping[str, Part]) -> text.Split:
    """Three parts of a text: those that lie in files, and the others split off.

    What is split off is a twentieth of the text, and 1,000 pairs at most.

    Raises:
        ValueError: when there are too few pairs.
    """
    sources, targets = (side[: options.limit] for side in files[""])
    size = min(1000, max(1, len(sources) // 20))
    try:
        parts = text.split_by_source(
            sources,
            targets,
            validation=0 if "validation_" in files else size,
            test=0 if "test_" in files else size,
            seed=options.seed,
        )
    except ValueError as error:
        name = options.source if options.pairs is None else options.pairs
        raise ValueError(f"{name!r} is too small: {error}") from error
    return text.Split(
        parts.train,
        files.get("validation_", parts.validation),
        files.get("test_", parts.test),
    )


def checksums(files: Mapping[str, Part]) -> dict[str, str]:
    """A checksum of the lines of each side of some parts.

    Args:
        files: by the beginning of their sides' names, such as `"validation_"`.
    """
    return {
        f"{name}{side}": _checksum(lines)
        for name, part in files.items()
        for side, lines in zip(SIDES, part, strict=True)
    }


def _checksum(lines: list[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()
