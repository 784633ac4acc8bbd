"""TensorFlow functions and their variables as a SavedModel."""

import json
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_attention.saved_folders import new_folder

MARKER = "saved_model.pb"
EXTRA = "assets.extra"
"""The folder of what lies beside a model and is not loaded with it."""
METADATA = "metadata.json"


def export_saved_model(
    path: str | PathLike[str],
    signatures: Mapping[str, Any],
    resources: Sequence[Any],
    overwrite: bool = False,
    functions: Mapping[str, Any] | None = None,
    finish: Callable[[Path], None] | None = None,
) -> None:
    """Write functions as the signatures of a SavedModel.

    Args:
        path: the folder to write; it appears when it is complete.
        signatures: a `tf.function` with an input signature for each name, returning a
            dictionary of tensors.
        resources: variables, tables and modules that the functions use.
        overwrite: whether a SavedModel that stands there may be replaced.
        functions: further ones, which Python finds by their names as attributes of
            what it loads, with the defaults of their arguments.
        finish: called with the folder when the model stands in it; when it raises,
            nothing is written.

    Raises:
        FileExistsError: when something stands at `path` that may not be replaced.
    """
    module = tf.Module()
    module.resources = list(resources)
    for name, function in (functions or {}).items():
        setattr(module, name, function)
    for function in signatures.values():
        function.get_concrete_function()
    with new_folder(path, MARKER, overwrite) as folder:
        tf.saved_model.save(module, str(folder), signatures=dict(signatures))
        if finish is not None:
            finish(folder)


def write_metadata(folder: Path, content: dict[str, Any]) -> None:
    """Write what a SavedModel is into `assets.extra/metadata.json`."""
    path = folder / EXTRA / METADATA
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_text(text, "utf-8")


def custom_operations(folder: Path) -> list[str]:
    """Operations of a SavedModel that are not TensorFlow's own."""
    model = saved_model_pb2.SavedModel.FromString((folder / MARKER).read_bytes())
    names = {
        operation.name
        for graph in model.meta_graphs
        for operation in graph.meta_info_def.stripped_op_list.op
    }
    return sorted(name for name in names if not hasattr(tf.raw_ops, name))
