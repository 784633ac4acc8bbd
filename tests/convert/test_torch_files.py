"""What `torch.save` wrote is read without PyTorch, and nothing in it is run."""

import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from keras_attention.convert import read_torch
from tests.convert.torch_writer import WRITERS, Storage, View

every_form = pytest.mark.parametrize("form", WRITERS)


def some_arrays():
    random = np.random.default_rng(3)
    return {
        "float": random.normal(size=(3, 4)).astype("float32"),
        "double": random.normal(size=(2,)),
        "half": random.normal(size=(2, 1, 3)).astype("float16"),
        "long": random.integers(0, 99, (5,)),
        "scalar": np.array(7.0, "float32"),
        "nothing": np.zeros((0, 3), "float32"),
        "truth": np.array([True, False]),
    }


@every_form
def test_arrays_come_back(tmp_path, form):
    arrays = some_arrays()
    storages = [Storage(str(key), array) for key, array in enumerate(arrays.values())]
    views = map(View, storages)
    content = OrderedDict(zip(arrays, views, strict=True))
    WRITERS[form](tmp_path / "model.bin", {**content, "epoch": 3}, storages)
    found = read_torch(tmp_path / "model.bin")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@every_form
def test_views_share_their_numbers(tmp_path, form):
    numbers = np.arange(12, dtype="float32")
    storage = Storage("0", numbers)
    content = {
        "whole": View(storage, shape=(3, 4)),
        "turned": View(storage, shape=(4, 3), strides=(1, 4)),
        "part": View(storage, offset=5, shape=(2, 2), strides=(4, 1)),
    }
    WRITERS[form](tmp_path / "model.bin", content, [storage])
    found = read_torch(tmp_path / "model.bin")
    whole = numbers.reshape(3, 4)
    np.testing.assert_array_equal(found["whole"], whole)
    np.testing.assert_array_equal(found["turned"], whole.T)
    np.testing.assert_array_equal(found["part"], whole[1:, 1:3])


@every_form
def test_bfloat16_becomes_float32(tmp_path, form):
    expected = np.array([1.0, -2.5, 3.0e38, 0.0], "float32")
    bits = (expected.view("uint32") >> 16).astype("uint16")
    storage = Storage("0", bits)
    WRITERS[form](tmp_path / "model.bin", {"x": View(storage)}, [storage])
    found = read_torch(tmp_path / "model.bin")["x"]
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, expected, rtol=2**-7)


@every_form
@pytest.mark.parametrize(
    "view",
    [
        {"shape": (13,)},
        {"offset": 1, "shape": (12,)},
        {"offset": -1, "shape": (2,)},
        {"shape": (2, 2), "strides": (11, 1)},
        {"offset": 3, "shape": (5,), "strides": (-1,)},
    ],
    ids=str,
)
def test_a_view_beyond_its_numbers_is_refused(tmp_path, form, view):
    storage = Storage("0", np.arange(12, dtype="float32"))
    WRITERS[form](tmp_path / "model.bin", {"x": View(storage, **view)}, [storage])
    with pytest.raises(ValueError, match=r"model\.bin.*beyond its numbers"):
        read_torch(tmp_path / "model.bin")


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@every_form
def test_code_is_named_and_not_run(tmp_path, form):
    content = {"x": Harmful(tmp_path / "made")}
    WRITERS[form](tmp_path / "model.bin", content, [])
    with pytest.raises(ValueError, match=r"model\.bin.*(posix|nt|os)\.mkdir"):
        read_torch(tmp_path / "model.bin")
    assert not (tmp_path / "made").exists()


@every_form
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_named(tmp_path, form, share):
    storage = Storage("0", np.arange(3000, dtype="float32"))
    path = tmp_path / "model.bin"
    WRITERS[form](path, {"x": View(storage)}, [storage])
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=r"model\.bin"):
        read_torch(path)


def test_something_else_is_named(tmp_path):
    path = tmp_path / "model.bin"
    for content in (b"", b"weights", pickle.dumps({"x": 1}), pickle.dumps(7)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"model\.bin"):
            read_torch(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "none")
    with pytest.raises(ValueError, match=r"model\.bin"):
        read_torch(path)
    with pytest.raises(FileNotFoundError):
        read_torch(tmp_path / "none.bin")


@every_form
def test_a_list_is_not_tensors_by_name(tmp_path, form):
    WRITERS[form](tmp_path / "model.bin", [1, 2], [])
    with pytest.raises(ValueError, match="holds a list, not tensors by name"):
        read_torch(tmp_path / "model.bin")
