"""Weights by name out of the files in which models are published."""

import json
from collections.abc import Callable
from os import PathLike
from pathlib import Path

import numpy as np

from keras_attention.convert.torch_files import read_torch
from keras_attention.optional_packages import needs

# In the order in which they are looked for.
FILES = ("model.safetensors", "pytorch_model.bin")


def read_weights(folder: str | PathLike[str]) -> dict[str, np.ndarray]:
    """The weights of a model in the folder of a Hugging Face model.

    Args:
        folder: with a `model.safetensors` or a `pytorch_model.bin`, or several files
            that an index beside them names.

    Returns:
        Arrays by name.

    Raises:
        FileNotFoundError: when no such file is there, or one that an index names.
        ValueError: for a file that is truncated, altered or of something else.
        ImportError: for safetensors, without `keras-attention-layers[huggingface]`.
    """
    folder = Path(folder)
    for name in FILES:
        if (folder / name).exists():
            return _reader(name)(folder / name)
        index = folder / f"{name}.index.json"
        if index.exists():
            weights = {}
            for part in sorted(set(_read_index(index).values())):
                weights.update(_reader(name)(folder / part))
            return weights
    raise FileNotFoundError(
        f"{str(folder)!r} has no weights: neither {' nor '.join(FILES)}"
    )


def read_safetensors(path: str | PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file, by name; bfloat16 as float32.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: for a file that is truncated, altered or of something else.
        ImportError: without `keras-attention-layers[huggingface]`.
    """
    with needs("safetensors", extra="huggingface", by="read_safetensors"):
        from safetensors import SafetensorError, deserialize
    data = Path(path).read_bytes()
    try:
        return {name: _array(**part) for name, part in deserialize(data)}
    except (SafetensorError, ValueError, KeyError) as error:
        raise ValueError(
            f"{str(path)!r} is truncated, altered or no safetensors file: {error}"
        ) from error


def _reader(name: str) -> Callable[[Path], dict[str, np.ndarray]]:
    return read_safetensors if name.endswith(".safetensors") else read_torch


def _read_index(path: Path) -> dict[str, str]:
    try:
        names = json.loads(path.read_text("utf-8"))["weight_map"]
        if all(Path(name).name == name for name in names.values()):
            return dict(names)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ValueError(f"{str(path)!r} does not name the files of weights beside it")


_KINDS = {"F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4", "BOOL": "?"}


def _array(dtype, shape, data):
    if dtype == "BF16":
        bits = np.frombuffer(data, "<u2").astype("uint32") << 16
        return bits.view("float32").reshape(shape)
    return np.frombuffer(data, f"<{_KINDS[dtype]}").reshape(shape)
