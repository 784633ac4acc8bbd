"""Parallel text in files of UTF-8, one sentence a line."""

import os
import warnings

from keras_attention.whole_files import unpacked

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PACKED = {b"\x1f\x8b": ".gz", b"\xfd7zXZ\x00": ".xz"}  # by how the bytes begin
_SAMPLE = 1024  # bytes


def read_lines(path: str | os.PathLike[str]) -> list[str]:
    """Reads the lines of a text file.

    Only a line feed ends a line; a carriage return before it and a byte order
    mark at the start are dropped. Blank lines are kept.

    Args:
        path: The file, in UTF-8; unpacked where its name ends in `.gz` or `.xz`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not UTF-8; the message names the line. Or if much
            of its beginning is U+0000, as in UTF-16; and if it is damaged.
    """
    with open(path, "rb") as file:
        data = unpacked(file, path).read().removeprefix(_BYTE_ORDER_MARK)
    for beginning, suffix in _PACKED.items():
        if data.startswith(beginning):
            raise ValueError(
                f"{os.fspath(path)!r} must be text. Received: what is packed; only "
                f"a file whose name ends in {suffix!r} is unpacked"
            )
    sample = data[:_SAMPLE]
    if sample.count(0) > max(4, len(sample) // 5):
        raise ValueError(
            f"{os.fspath(path)!r} must be UTF-8. Received: {sample.count(0)} times "
            f"U+0000 in {len(sample)} bytes, which may be UTF-16"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{os.fspath(path)!r} must be UTF-8. Received: byte "
            f"0x{data[error.start]:02x} in line {line}"
        ) from error
    if not text:
        return []
    # not splitlines, which also splits at U+2028 and other characters
    lines = text.removesuffix("\n").split("\n")
    return [line.removesuffix("\r") for line in lines]


def read_parallel(
    source_path: str | os.PathLike[str], target_path: str | os.PathLike[str]
) -> tuple[list[str], list[str]]:
    """Reads two files of which line N of one translates line N of the other.

    Args:
        source_path: The source sentences, in UTF-8.
        target_path: Their translations, in UTF-8.

    Returns:
        The source lines and the target lines. Blank lines at the end of the
        longer file are dropped.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file is not UTF-8, or the files differ in length.
    """
    sources, targets = read_lines(source_path), read_lines(target_path)
    counts = len(sources), len(targets)
    for longer, shorter in ((sources, targets), (targets, sources)):
        while len(longer) > len(shorter) and not longer[-1].strip():
            longer.pop()
    if len(sources) != len(targets):
        raise ValueError(
            "Parallel files must have one number of lines. "
            f"Received: {os.fspath(source_path)!r} with {counts[0]} lines, "
            f"{os.fspath(target_path)!r} with {counts[1]} lines"
        )
    return sources, targets


def read_pairs(path: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """Reads a file of which each line holds a sentence, a tab, its translation.

    Args:
        path: The file, in UTF-8. Columns after the second are ignored, with a
            warning that says in how many lines.

    Returns:
        The first column and the second column. Blank lines at the end are
        dropped.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not UTF-8, or a line has no second column.
    """
    lines = read_lines(path)
    while lines and not lines[-1].strip():
        lines.pop()
    rows = [line.split("\t", 2) for line in lines]
    for number, row in enumerate(rows, 1):
        if len(row) < 2:
            raise ValueError(
                f"{os.fspath(path)!r} must have two columns with a tab between them "
                f"in each line. Received: line {number}, {_shown(row[0])}"
            )
    ignored = sum(len(row) > 2 for row in rows)
    if ignored:
        warnings.warn(
            f"{os.fspath(path)!r} has more than two columns in {ignored} of "
            f"{len(rows)} lines: those after the second are ignored",
            stacklevel=2,
        )
    return [row[0] for row in rows], [row[1] for row in rows]


def _shown(line: str, longest: int = 60) -> str:
    return repr(line if len(line) <= longest else f"{line[:longest]}...")
