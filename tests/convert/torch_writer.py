"""Files as `torch.save` writes them, without PyTorch."""

import io
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
KINDS = {
    "f4": "FloatStorage",
    "f8": "DoubleStorage",
    "f2": "HalfStorage",
    "i8": "LongStorage",
    "u2": "BFloat16Storage",
    "b1": "BoolStorage",
}


class Storage:
    """Numbers that a pickle refers to."""

    def __init__(self, key, array):
        self.key = key
        self.array = array
        self.kind = KINDS[array.dtype.str[1:]]


class View:
    """A tensor: a view of a storage."""

    def __init__(self, storage, offset=0, shape=None, strides=None):
        array = storage.array
        shape = array.shape if shape is None else shape
        if strides is None:
            strides = [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
        self.parts = storage, offset, tuple(shape), tuple(strides)

    def __reduce__(self):
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (*self.parts, False, OrderedDict())


class _Pickler(pickle.Pickler):
    def __init__(self, file, is_stream):
        super().__init__(file, protocol=2)
        self._more = (None,) if is_stream else ()

    def persistent_id(self, obj):
        if not isinstance(obj, Storage):
            return None
        kind = getattr(sys.modules["torch"], obj.kind)
        return ("storage", kind, obj.key, "cpu", obj.array.size, *self._more)


def _dump(content, is_stream):
    """A pickle of a content, with modules of PyTorch's names while it is made."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for kind in KINDS.values():
        setattr(torch, kind, type(kind, (), {"__module__": "torch"}))

    def rebuild(*args):
        raise AssertionError("only its name is of use")

    rebuild.__module__ = "torch._utils"
    rebuild.__name__ = rebuild.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    before = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        file = io.BytesIO()
        _Pickler(file, is_stream).dump(content)
        return file.getvalue()
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def write_archive(path, content, storages):
    """The form of PyTorch 1.6 and later."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", _dump(content, is_stream=False))
        archive.writestr("model/byteorder", "little")
        for storage in storages:
            archive.writestr(f"model/data/{storage.key}", storage.array.tobytes())


def write_stream(path, content, storages):
    """The form before that."""
    system = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}}
    with path.open("wb") as file:
        for part in (MAGIC_NUMBER, PROTOCOL, system):
            file.write(pickle.dumps(part, 2))
        file.write(_dump(content, is_stream=True))
        file.write(pickle.dumps([storage.key for storage in storages], 2))
        for storage in storages:
            file.write(struct.pack("<q", storage.array.size))
            file.write(storage.array.tobytes())


WRITERS = {"archive": write_archive, "stream": write_stream}
