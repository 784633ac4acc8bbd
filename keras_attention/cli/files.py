"""The files that a command names, and the parts of a text that lie in them."""

import argparse
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

from keras_attention import text
from keras_attention.translation.language_tags import add_tag, tag_of, without_tag

PARTS = ("", "validation_", "test_")  # beginnings of their options' names
SIDES = ("source", "target")

Part = tuple[list[str], list[str]]

_LANGUAGE = re.compile(r"([A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*)=(.+)", re.DOTALL)


class _Files(NamedTuple):
    """A file of pairs, or one of each side, and what language they are translated into.

    Attributes:
        language: if one is named.
        source: or both sides, without a target.
        target: in the order of the source.
    """

    language: str | None
    source: str
    target: str | None


def read_part(
    pairs: str | Sequence[str] | None,
    source: str | Sequence[str] | None,
    target: str | Sequence[str] | None,
    limit: int | None = None,
) -> Part:
    """Sources and targets of files of pairs, or of as many files of either side.

    Sources of a file whose language is named, as in `fr=pairs.tsv`, begin with its tag.
    Of several files there is a line of each in turn.

    Args:
        pairs: one name or several.
        source: likewise.
        target: likewise.
        limit: the most pairs of a file.

    Raises:
        OSError: when a file cannot be read.
        ValueError: for files that are not what they must be, or without a line, for
            one side alone, for both kinds at once, and where some languages are named.
    """
    files = _pair_up(pairs, source, target)
    if len({one.language is None for one in files}) > 1:
        lacking = next(one.source for one in files if one.language is None)
        raise ValueError(
            f"each file needs its language, as in fr={lacking}, or none does"
        )
    parts = [_read_pairs(one, limit) for one in files]
    sources, lines = (_in_turn([part[side] for part in parts]) for side in (0, 1))
    return sources, lines


def languages(options: argparse.Namespace) -> list[str]:
    """Those that files of the training text name, in their order."""
    files = _pair_up(options.pairs, options.source, options.target)
    return [*dict.fromkeys(one.language for one in files if one.language)]


def _pair_up(pairs, source, target):
    """Which files belong together."""
    if pairs is not None:
        if not source is target is None:
            raise ValueError(
                "--pairs stands for both sides: leave out --source and --target"
            )
        named = map(_with_language, _as_list(pairs))
        return [_Files(language, path, None) for language, path in named]
    if source is None or target is None:
        raise ValueError("--source and --target belong together")
    sources, targets = _as_list(source), _as_list(target)
    if len(sources) != len(targets):
        raise ValueError(
            "--source and --target must name as many files. Received: "
            f"{len(sources)} and {len(targets)}"
        )
    files = []
    for names in zip(sources, targets, strict=True):
        (language, one), (other, translation) = map(_with_language, names)
        if language and other and language != other:
            raise ValueError(
                f"--source and --target name different languages: {' and '.join(names)}"
            )
        files.append(_Files(language or other, one, translation))
    return files


def _read_pairs(files, limit):
    if files.target is None:
        sources, targets = text.read_pairs(files.source)
    else:
        sources, targets = text.read_parallel(files.source, files.target)
    if not sources:
        raise ValueError(f"There is no line in {files.source!r}")
    if files.language:
        tag = tag_of(files.language)
        sources = [add_tag(line, tag) for line in sources]
    return sources[:limit], targets[:limit]


def _as_list(names):
    return [names] if isinstance(names, str) else [*names]


def _with_language(name):
    """The language that is named, or `None`, and the file."""
    match = _LANGUAGE.fullmatch(name)
    # A file may have such a name.
    if match is None or os.path.exists(name):
        return None, name
    return match.groups()


def _in_turn(lists):
    """One of each list in turn, as long as it has some."""
    nothing = object()
    merged = chain.from_iterable(zip_longest(*lists, fillvalue=nothing))
    return [one for one in merged if one is not nothing]


def file_names(options: argparse.Namespace) -> dict[str, str | None]:
    """The file of each side of each part; one of pairs holds both."""
    sides = [f"{part}{side}" for part in PARTS for side in SIDES]
    names = {side: getattr(options, side) for side in sides}
    if options.pairs is not None:
        names |= {"source": options.pairs, "target": options.pairs}
    return {
        side: None if given is None else " ".join(_as_list(given))
        for side, given in names.items()
    }


def check_readable(options: argparse.Namespace) -> None:
    """Raise `OSError` now for files of text that could not be read later."""
    for path in _paths(options):
        if os.path.isfile(path):
            with open(path, "rb"):
                pass
        else:
            os.stat(path)


def _paths(options) -> Iterator[str]:
    for name in ("pairs", *(f"{part}{side}" for part in PARTS for side in SIDES)):
        given = getattr(options, name, None)
        if given is not None:
            yield from (_with_language(one)[1] for one in _as_list(given))


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
            None if part else options.limit,
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
    sources, targets = files[""]
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
        name = file_names(options)["source"]
        raise ValueError(f"{name!r} is too small: {error}") from error
    validation = files.get("validation_", parts.validation)
    test = files.get("test_", parts.test)
    train = parts.train
    if languages(options):
        train = _without_reversed(train, validation, test)
    return text.Split(train, validation, test)


def _without_reversed(train, *others):
    """Pairs to train with, but for those that others are the other way round."""
    held = {
        (target, without_tag(source))
        for part in others
        for source, target in zip(*part, strict=True)
    }
    kept = [
        (source, target)
        for source, target in zip(*train, strict=True)
        if (without_tag(source), target) not in held
    ]
    return [source for source, _ in kept], [target for _, target in kept]


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
