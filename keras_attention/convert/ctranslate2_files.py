"""The files of CTranslate2: arrays by name, settings and vocabularies."""

import json
import struct
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

# Versions of the file that are read, and its types of numbers by their place.
_VERSIONS = range(2, 7)
_TYPES = ("<f4", "i1", "<i2", "<i4", "<f2", "bfloat16")
# Before version 4 it gave the bytes of a number in place of its type.
_TYPES_BY_SIZE = {4: "<f4", 1: "i1", 2: "<i2"}


class CTranslate2Files(NamedTuple):
    """What a folder of CTranslate2 holds.

    Attributes:
        kind: the name of the specification, such as `"TransformerSpec"`.
        variables: weights and settings by name, float32 where they are numbers that a
            model computes with; what has two names is there twice.
        config: `config.json`, or nothing in older folders.
        source: the source tokens in the order of their ids.
        target: the target tokens, likewise.
    """

    kind: str
    variables: dict[str, np.ndarray]
    config: dict[str, Any]
    source: list[str]
    target: list[str]


def read_ctranslate2_files(folder: str | PathLike[str]) -> CTranslate2Files:
    """Read a folder that CTranslate2 loads.

    Raises:
        FileNotFoundError: when a file is missing.
        ValueError: for a file that is truncated, altered or of something else.
    """
    folder = Path(folder)
    kind, variables = _read_variables(folder / "model.bin")
    path, config = folder / "config.json", {}
    if path.exists():
        config = _read_json(path, dict)
    unknown = config.get("unk_token", "<unk>")
    sides = [_read_vocabulary(folder, side, unknown) for side in ("source", "target")]
    return CTranslate2Files(kind, variables, config, *sides)


def _read_variables(path):
    data = memoryview(path.read_bytes())
    try:
        reader = _Reader(data)
        version = reader.number("I")
        if version not in _VERSIONS:
            raise ValueError(f"its version is {version}, not {_VERSIONS}")
        kind = reader.text()
        reader.number("I")  # revision of the specification
        found = {}
        for _ in range(reader.number("I")):
            name = reader.text()
            found[name] = reader.array(version)
        aliases = range(reader.number("I") if version >= 3 else 0)
        for _ in aliases:
            alias, name = reader.text(), reader.text()
            found[alias] = found[name]
    except (
        struct.error,
        UnicodeDecodeError,
        KeyError,
        IndexError,
        ValueError,
    ) as error:
        raise ValueError(
            f"{str(path)!r} is truncated, altered or no model of CTranslate2: {error}"
        ) from error
    return kind, {
        name: _dequantized(array, found.get(f"{name}_scale"))
        for name, array in found.items()
        if not name.endswith("_scale") or name.removesuffix("_scale") not in found
    }


class _Reader:
    """Reads one thing after the other."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._place = 0

    def number(self, kind: str) -> int:
        """An unsigned integer, by its letter in `struct`."""
        size = struct.calcsize(kind)
        (value,) = struct.unpack(f"<{kind}", self._take(size))
        return int(value)

    def text(self) -> str:
        """A string, which ends with a NUL."""
        return bytes(self._take(self.number("H"))[:-1]).decode("utf-8")

    def array(self, version: int) -> np.ndarray:
        """Axes, type and content of an array."""
        shape = [self.number("I") for _ in range(self.number("B"))]
        kind, size = self.number("B"), self.number("I")
        if version >= 4:
            name = _TYPES[kind]
        else:
            name, size = _TYPES_BY_SIZE[kind], size * kind
        data = self._take(size)
        if name == "bfloat16":
            bits = np.frombuffer(data, "<u2").astype("uint32") << 16
            return bits.view("float32").reshape(shape)
        return np.frombuffer(data, name).reshape(shape)

    def _take(self, size):
        part = self._data[self._place : self._place + size]
        if len(part) < size:
            raise ValueError("it ends too early")
        self._place += size
        return part


def _dequantized(array, scale):
    if scale is None:
        return array.astype("float32") if array.dtype.kind == "f" else array
    scale = scale.astype("float32")
    return array.astype("float32") / scale.reshape(-1, *[1] * (array.ndim - 1))


def _read_json(path, kind):
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{str(path)!r} is truncated or not JSON: {error}") from error
    if not isinstance(content, kind):
        raise ValueError(f"{str(path)!r} must hold a JSON {kind.__name__}")
    return content


def _read_vocabulary(folder, side, unknown):
    for name in (side, "shared"):
        path = folder / f"{name}_vocabulary.json"
        if path.exists():
            tokens = _read_json(path, list)
        elif path.with_suffix(".txt").exists():
            text = path.with_suffix(".txt").read_text("utf-8")
            tokens = text.removesuffix("\n").split("\n")
        else:
            continue
        # It adds the unknown token where there is none.
        return tokens if unknown in tokens else [*tokens, unknown]
    raise FileNotFoundError(
        f"{str(folder)!r} has no vocabulary of the {side}: no {side}_vocabulary.json, "
        "none that is shared, and none as .txt"
    )
