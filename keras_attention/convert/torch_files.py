"""Reads what `torch.save` wrote, without PyTorch, and runs nothing that is in it.

Two forms are in use: a zip archive, since PyTorch 1.6, and before that a stream of
pickles with the numbers after them. A pickle names functions to be called; of these
only the few that put a tensor together are known here, and any other is refused.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
# How each storage lies in a file. NumPy has no bfloat16: its bits are widened later.
_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class _Storage(NamedTuple):
    """A run of numbers: where they are found, how many, and of which kind."""

    key: str
    size: int
    kind: str


class _Tensor(NamedTuple):
    """A view of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, data: bytes) -> np.ndarray:
        """The array, from the bytes of the storage."""
        numbers = np.frombuffer(data, _DTYPES[self.storage.kind])
        extent = [
            (size - 1) * stride
            for size, stride in zip(self.shape, self.strides, strict=True)
        ]
        if 0 in self.shape:
            array = np.zeros(self.shape, numbers.dtype)
        elif min([0, self.offset, *extent]) < 0 or (
            self.offset + sum(extent) >= min(len(numbers), self.storage.size)
        ):
            raise ValueError("a tensor reaches beyond its numbers")
        else:
            array = np.lib.stride_tricks.as_strided(
                numbers[self.offset :],
                self.shape,
                [stride * numbers.itemsize for stride in self.strides],
            ).copy()
        if self.storage.kind == "BFloat16Storage":
            return (array.astype("uint32") << 16).view("float32")
        return array


class _Unpickler(pickle.Unpickler):
    """Knows what tensors are made by, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """What a pickle may name."""
        if module == "torch" and name in _DTYPES:
            return name
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
            ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        }
        if (module, name) in known:
            return known[module, name]
        raise ValueError(f"it names {module}.{name}, which tensors do not need")

    def persistent_load(self, pid: Any) -> Any:
        """The storage that a pickle refers to."""
        what, kind, key, _, size, *_ = pid
        if what != "storage":
            raise ValueError(f"it refers to a {what!r}, not to a storage")
        return _Storage(key, size, kind)


def read_torch(path: str | PathLike[str]) -> dict[str, np.ndarray]:
    """The tensors of a file, such as `pytorch_model.bin`, by their names.

    Args:
        path: the file. It holds a dictionary of tensors; other entries are left out.

    Returns:
        Arrays by name; bfloat16 as float32.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: for a file that is truncated, altered or of something else, or that
            names anything to be run.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            read = _read_archive if zipfile.is_zipfile(file) else _read_stream
            file.seek(0)
            return read(file)
    except FileNotFoundError:
        raise
    # a damaged pickle may raise nearly anything
    except Exception as error:
        raise ValueError(
            f"{str(path)!r} holds no tensors that can be read: {error}"
        ) from error


def _read_archive(file: BinaryIO) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        (index,) = (name for name in names if name.endswith("/data.pkl"))
        folder = index.removesuffix("data.pkl")
        order = f"{folder}byteorder"
        if order in names and archive.read(order) != b"little":
            raise ValueError("its numbers are not little-endian")
        content = _Unpickler(io.BytesIO(archive.read(index))).load()
        return {
            name: tensor.read(archive.read(f"{folder}data/{tensor.storage.key}"))
            for name, tensor in _tensors(content).items()
        }


def _read_stream(file: BinaryIO) -> dict[str, np.ndarray]:
    if _Unpickler(file).load() != _MAGIC_NUMBER:
        raise ValueError("it was not written by torch.save")
    _, system, content = (_Unpickler(file).load() for _ in range(3))
    if not system.get("little_endian", True):
        raise ValueError("its numbers are not little-endian")
    tensors = _tensors(content)
    keys = _Unpickler(file).load()
    kinds = {tensor.storage.key: tensor.storage.kind for tensor in tensors.values()}
    data = {}
    for key in keys:
        size = int(np.frombuffer(file.read(8), "<i8")[0])
        if key not in kinds:
            raise ValueError("it has numbers that are of no tensor")
        data[key] = file.read(size * np.dtype(_DTYPES[kinds[key]]).itemsize)
    return {
        name: tensor.read(data[tensor.storage.key]) for name, tensor in tensors.items()
    }


def _tensors(content: Any) -> dict[str, _Tensor]:
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}, not tensors by name")
    return {name: part for name, part in content.items() if isinstance(part, _Tensor)}


def _rebuild_tensor(storage, offset, shape, strides, *_):
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _rebuild_parameter(tensor, *_):
    return tensor
