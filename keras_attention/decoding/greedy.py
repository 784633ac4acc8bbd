"""Greedy search."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_attention.checks import check_positive
from keras_attention.decoding.compiled import CompiledSearch
from keras_attention.decoding.hypotheses import Hypotheses, Steppable
from keras_attention.ids import END, PAD, START

Tensor = Any


@keras.saving.register_keras_serializable("keras_attention", name="Greedy")
class Greedy:
    """Choose the most probable id at each step, until every row has ended.

    Args:
        max_length: the most ids of an output, its end id included.
        jit_compile: whether calls are compiled by XLA, anew for each shape of `source`.

    Call arguments:
        model: a `Seq2Seq`, or anything with its `encode`, `start` and `step`.
        source: int ids `(batch, source)`, padded with 0.

    Returns:
        `Hypotheses` of NumPy arrays, one a row; the score is the log-probability.

    Raises:
        ValueError: for a length that is not positive.

    Example:
    >>> from keras_attention.models import transformer
    >>> model = transformer(11, 13, num_layers=1, num_heads=2, embedding_dim=8)
    >>> hypotheses = Greedy(max_length=5)(model, np.array([[4, 5, 3]]))
    >>> hypotheses.ids.shape, hypotheses.attention.shape
    ((1, 1, 5), (1, 1, 5, 3))
    """

    def __init__(self, max_length: int, jit_compile: bool = False) -> None:
        check_positive(max_length=max_length)
        self.max_length = max_length
        self.jit_compile = jit_compile
        self._compiled = CompiledSearch(self.search, jit_compile)

    def __call__(self, model: Any, source: Any) -> Hypotheses:
        return self._compiled(model, source)

    def __repr__(self) -> str:
        return f"Greedy(max_length={self.max_length})"

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"max_length": self.max_length, "jit_compile": self.jit_compile}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Greedy":
        """The search of that configuration."""
        return cls(**config)

    def search(self, model: Steppable, source: Tensor) -> Hypotheses:
        """The search itself, on tensors: call this inside a function of your own."""
        state = model.start(model.encode(source), self.max_length)
        rows = ops.shape(source)[0]
        first = ops.full((rows,), START, dtype="int32")
        # One step outside the loop tells whether the model gives attention.
        step = _choose(model, first, state["memory"], state["cache"], 0)
        written = self._empty(step, rows)
        written = _write(written, step, 0, ops.ones((rows,), "bool"))

        def unfinished(index, step, written):
            alive = ops.any(ops.not_equal(step["ids"], END) & written["open"])
            return ops.logical_and(index < self.max_length, alive)

        def body(index, step, written):
            is_open = written["open"] & ops.not_equal(step["ids"], END)
            step = _choose(model, step["ids"], state["memory"], step["cache"], index)
            return index + 1, step, _write(written, step, index, is_open)

        _, _, written = ops.while_loop(
            unfinished, body, (ops.convert_to_tensor(1, "int32"), step, written)
        )
        return Hypotheses(
            *(
                None if part is None else ops.expand_dims(part, 1)
                for part in (
                    written["ids"],
                    written["lengths"],
                    written["scores"],
                    written.get("attention"),
                )
            )
        )

    def _empty(self, step, rows):
        written = {
            "ids": ops.full((rows, self.max_length), PAD, dtype="int32"),
            "lengths": ops.zeros((rows,), "int32"),
            "scores": ops.zeros((rows,), "float32"),
            "open": ops.ones((rows,), "bool"),
        }
        if "attention" in step:
            source = ops.shape(step["attention"])[-1]
            shape = (rows, self.max_length, source)
            written["attention"] = ops.zeros(shape, "float32")
        return written


def _choose(model, ids, memory, cache, index):
    """Run a step: the best next ids, their log-probabilities, the new cache."""
    state = {"memory": memory, "cache": cache}
    logits, state, attention = model.step(ids, state, index)
    vocabulary = ops.arange(logits.shape[-1], dtype="int32")
    allowed = ops.logical_and(vocabulary != PAD, vocabulary != START)
    best = ops.argmax(ops.where(allowed, logits, -np.inf), axis=-1)
    top = ops.take_along_axis(logits, ops.expand_dims(best, 1), axis=1)[:, 0]
    result = {
        "ids": ops.cast(best, "int32"),
        "scores": top - ops.logsumexp(logits, axis=-1),
        "cache": state["cache"],
    }
    if attention is not None:
        result["attention"] = attention
    return result


def _write(written, step, index, is_open):
    """Put a step's choice into the rows that have not ended; the others stay."""
    ids = ops.where(is_open, step["ids"], PAD)
    result = {
        "ids": ops.slice_update(written["ids"], (0, index), ops.expand_dims(ids, 1)),
        "lengths": written["lengths"] + ops.cast(is_open, "int32"),
        "scores": written["scores"] + ops.where(is_open, step["scores"], 0.0),
        "open": is_open,
    }
    if "attention" in step:
        kept = ops.where(ops.expand_dims(is_open, 1), step["attention"], 0.0)
        result["attention"] = ops.slice_update(
            written["attention"], (0, index, 0), ops.expand_dims(kept, 1)
        )
    return result
