"""Searches as compiled functions, on whichever backend Keras runs."""

from typing import Any

import keras
import numpy as np

from keras_attention.decoding.hypotheses import Hypotheses
from keras_attention.decoding.up_to_date import UpToDate
from keras_attention.special_ids import SpecialIds

# Whether batches of few shapes are compiled where a search leaves that open.
COMPILES = True


class CompiledSearch:
    """Calls a search through Keras's `predict`, which compiles it on each backend.

    Args:
        search: has `search(model, source, prefix)`, on tensors.
        jit_compile: whether to compile by XLA, which PyTorch does not have.
    """

    def __init__(self, search: Any, jit_compile: bool) -> None:
        self._search = search
        self._jit_compile = jit_compile
        # By how many ids are given, which is a part of the program.
        self._runners = UpToDate(lambda model: {})

    def __call__(self, model: Any, source: Any, prefix: Any) -> Hypotheses:
        inputs = {"source": _check_source(source, model)}
        count = len(keras.tree.flatten(inputs["source"])[0])
        if prefix is not None and np.size(prefix):
            inputs["prefix"] = _check_ids("prefix", prefix, model)
            special = SpecialIds.of(model)
            if np.isin(inputs["prefix"], special).any():
                raise ValueError(
                    "`prefix` must hold neither the start id nor the end id, "
                    f"{special.start} and {special.end}. Received: prefix={prefix}"
                )
            if len(inputs["prefix"]) != count:
                raise ValueError(
                    "`prefix` must have as many rows as `source`. Received: "
                    f"{len(inputs['prefix'])} rows, source with {count}"
                )
        # Not every backend compiles a program for no rows.
        if not count:
            inputs = keras.tree.map_structure(_one_row, inputs)
        runners, given = self._runners(model), _count_given(inputs.get("prefix"))
        if given not in runners:
            runners[given] = self._make_runner(model, given)
        found = runners[given].predict_on_batch(inputs)
        found = {name: part[:count] for name, part in found.items()}
        return Hypotheses(**{"attention": None, **found})

    def _make_runner(self, model, given):
        runner = _Runner(model, self._search, given)
        has_xla = keras.backend.backend() != "torch"
        runner.compile(jit_compile=self._jit_compile and has_xla)
        return runner


def _check_source(source: Any, model: Any) -> Any:
    """Arrays of a source, in the structure in which they came."""
    embedding = getattr(model, "source_embedding", None)
    if hasattr(embedding, "vocabulary_size"):
        return _check_ids("source", source, model)
    arrays = keras.tree.map_structure(_as_array, source)
    shapes = [part.shape for part in keras.tree.flatten(arrays)]
    if len({shape[:1] for shape in shapes}) > 1 or () in shapes:
        raise ValueError(
            f"`source` must hold arrays of equally many rows. Received: shapes={shapes}"
        )
    return arrays


def _as_array(part: Any) -> np.ndarray:
    array = np.asarray(part)
    if np.issubdtype(array.dtype, np.floating):
        return array.astype(keras.config.floatx())
    return array.astype("int32") if np.issubdtype(array.dtype, np.integer) else array


def _one_row(array: np.ndarray) -> np.ndarray:
    return np.zeros((1, *array.shape[1:]), array.dtype)


def _check_ids(name: str, ids: Any, model: Any) -> np.ndarray:
    ids = np.asarray(ids)
    if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer):
        raise ValueError(
            f"`{name}` must be integer ids of shape (batch, {name}). Received: "
            f"shape={ids.shape}, dtype={ids.dtype}"
        )
    side = "source_embedding" if name == "source" else "target_embedding"
    size = getattr(getattr(model, side, None), "vocabulary_size", 2**31)
    if ids.size and not 0 <= ids.min() <= ids.max() < size:
        raise ValueError(
            f"`{name}` must hold ids from 0 to {size - 1}. Received: ids from "
            f"{ids.min()} to {ids.max()}"
        )
    return ids.astype("int32")


def _count_given(prefix: np.ndarray | None) -> int | None:
    """How many of the first ids are given in every row, where they are known."""
    if prefix is None:
        return None
    in_all = (prefix != 0).all(axis=0)
    return int(np.cumprod(in_all).sum())


class _Runner(keras.Model):
    """A model whose forward pass is a search over another model."""

    def __init__(self, model: Any, search: Any, given: int | None) -> None:
        super().__init__(name="search")
        self._given = given
        self.model = model
        self.seeds = getattr(search, "seeds", None)
        self._search = search
        self.built = True

    def call(self, inputs):
        found = self._search.search(
            self.model, inputs["source"], inputs.get("prefix"), self._given
        )
        parts = found._asdict().items()
        return {name: part for name, part in parts if part is not None}
