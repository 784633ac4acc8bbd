"""SavedModels."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import tensorflow as tf

from keras_attention.folders import new_folder

MARKER = "saved_model.pb"


def export_saved_model(
    path: str | PathLike[str],
    signatures: Mapping[str, Any],
    resources: Sequence[Any],
    overwrite: bool = False,
) -> None:
    """Write functions as the signatures of a SavedModel.

    Args:
        path: the folder to write; it appears when it is complete.
        signatures: a `tf.function` with an input signature for each name, returning a
            dictionary of tensors.
        resources: variables, tables and modules that the functions use.
        overwrite: whether a SavedModel that stands there may be replaced.

    Raises:
        FileExistsError: when something stands at `path` that may not be replaced.
    """
    module = tf.Module()
    module.resources = list(resources)
    concrete = {
        name: function.get_concrete_function() for name, function in signatures.items()
    }
    with new_folder(path, MARKER, overwrite) as folder:
        tf.saved_model.save(module, str(folder), signatures=concrete)
