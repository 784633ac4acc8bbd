"""Tokenizers on disk: one JSON file with a checksum.

The file holds `format`, `version`, `type` (the class), `content` (what the class
needs to be rebuilt) and `sha256` of type and content.
"""

import hashlib
import json
import os
import uuid
from pathlib import Path
from typing import Any

FORMAT = "keras_attention.text.Tokenizer"
VERSION = 1


def write_tokenizer(
    path: str | os.PathLike[str], kind: str, content: dict[str, Any]
) -> None:
    """Writes a tokenizer's file, or leaves what stands there as it was.

    Args:
        path: The file to write; its folder must exist.
        kind: The tokenizer's class.
        content: What JSON can hold.

    Raises:
        ValueError: If the folder does not exist, or `path` is a folder.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise ValueError(
            f"`path` must lie in a folder that exists. Received: path={str(path)!r}, "
            f"and there is no folder {str(target.parent)!r}"
        )
    if target.is_dir():
        raise ValueError(
            f"`path` must name a file, not a folder. Received: path={str(path)!r}"
        )
    document = {
        "format": FORMAT,
        "version": VERSION,
        "type": kind,
        "content": content,
        "sha256": checksum(kind, content),
    }
    # written beside the target and moved, so that no reader sees half a file
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with open(beside, "x", encoding="utf-8", newline="\n") as file:
            json.dump(document, file, ensure_ascii=False, indent=0)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def read_tokenizer(path: str | os.PathLike[str]) -> tuple[str, dict[str, Any]]:
    """Reads a tokenizer's file.

    Args:
        path: A file that `write_tokenizer` wrote.

    Returns:
        The tokenizer's class and its content.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is truncated, altered, of a later version, or
            something else altogether.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise damaged(path, "it is not UTF-8 text") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise damaged(path, f"it is truncated or not JSON ({error})") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise damaged(path, f"its `format` is not {FORMAT!r}")
    if document.get("version") != VERSION:
        raise damaged(
            path,
            f"its `version` is {document.get('version')!r}, and this release of "
            f"keras_attention reads version {VERSION}",
        )
    kind, content = document.get("type"), document.get("content")
    if not isinstance(kind, str) or not isinstance(content, dict):
        raise damaged(path, "its `type` or `content` is missing")
    if document.get("sha256") != checksum(kind, content):
        raise damaged(path, "its content was altered: the checksum does not match")
    return kind, content


def damaged(path: str | os.PathLike[str], reason: str) -> ValueError:
    """Returns the error for a file that holds no usable tokenizer.

    Args:
        path: The file.
        reason: What is wrong with it.

    Example:
    >>> damaged("a.json", "it is empty")
    ValueError("'a.json' is not a tokenizer file: it is empty")
    """
    return ValueError(f"{os.fspath(path)!r} is not a tokenizer file: {reason}")


def checksum(kind: str, content: dict[str, Any]) -> str:
    """Returns the SHA-256 of a tokenizer's class and content, as hexadecimal digits."""
    canonical = json.dumps(
        [kind, content], ensure_ascii=True, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
