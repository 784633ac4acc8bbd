"""Searches as compiled functions, on whichever backend Keras runs."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_attention.decoding.hypotheses import Hypotheses

Search = Callable[[Any, Any], Hypotheses]


class CompiledSearch:
    """Calls a search through Keras's `predict`, which compiles it on each backend.

    Args:
        search: `(model, source tensor) -> Hypotheses` of tensors.
        jit_compile: whether to compile by XLA.
    """

    def __init__(self, search: Search, jit_compile: bool) -> None:
        self._search = search
        self._jit_compile = jit_compile
        self._runner: _Runner | None = None

    def __call__(self, model: Any, source: Any) -> Hypotheses:
        source = np.asarray(source)
        if source.ndim != 2 or not np.issubdtype(source.dtype, np.integer):
            raise ValueError(
                "`source` must be integer ids of shape (batch, source). Received: "
                f"shape={source.shape}, dtype={source.dtype}"
            )
        if self._runner is None or self._runner.model is not model:
            self._runner = _Runner(model, self._search)
            self._runner.compile(jit_compile=self._jit_compile)
        found = self._runner.predict_on_batch(source.astype("int32"))
        return Hypotheses(**{"attention": None, **found})


class _Runner(keras.Model):
    """A model whose forward pass is a search over another model."""

    def __init__(self, model: Any, search: Search) -> None:
        super().__init__(name="search")
        self.model = model
        self._search = search
        self.built = True

    def call(self, source):
        found = self._search(self.model, source)._asdict()
        return {name: part for name, part in found.items() if part is not None}
