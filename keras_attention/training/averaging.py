"""Averages of saved weights."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

import keras
import numpy as np


def average_checkpoints(
    model: keras.Model, paths: Iterable[str | PathLike[str]]
) -> None:
    """Give a model the mean of weights that were saved on its way.

    The last few checkpoints of a training, averaged, are often better than each
    (Junczys-Dowmunt et al. 2016).

    Args:
        model: built as the model that was saved.
        paths: of files that `Model.save` or `Model.save_weights` wrote.

    Raises:
        ValueError: for no path, or a file whose weights are not those of the model,
            which then keeps its own.

    Example:
    >>> import tempfile
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for value in (1.0, 2.0):
    ...         model.set_weights([np.full((1, 1), value), np.zeros(1)])
    ...         model.save_weights(f"{folder}/{value}.weights.h5")
    ...     average_checkpoints(model, [f"{folder}/{v}.weights.h5" for v in (1.0, 2.0)])
    >>> float(model.weights[0].numpy()[0, 0])
    1.5
    """
    paths = list(paths)
    if not paths:
        raise ValueError(f"`paths` must hold at least one path. Received: {paths!r}")
    before = model.get_weights()
    totals = [np.zeros(weight.shape, "float64") for weight in before]
    try:
        for path in paths:
            model.load_weights(path)
            totals = [
                total + weight
                for total, weight in zip(totals, model.get_weights(), strict=True)
            ]
    except Exception:
        model.set_weights(before)
        raise
    for weight, total in zip(model.weights, totals, strict=True):
        # Counters and seeds are whole numbers: those of the last stay.
        if keras.backend.is_float_dtype(weight.dtype):
            weight.assign(total / len(paths))


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Lend a model in training the moving averages that its optimizer keeps.

    In the end it has its own weights back, bit by bit: Keras's `SwapEMAWeights` takes
    them from sums on TensorFlow, and rounds. Without `use_ema=True`, and before the
    first step, nothing changes.
    """
    optimizer: Any = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    averages = getattr(optimizer, "use_ema", False)
    # They are zeros before the first step.
    if not averages or not keras.ops.convert_to_numpy(optimizer._iterations):
        yield
        return
    own = [
        keras.ops.convert_to_numpy(weight) for weight in optimizer._trainable_variables
    ]
    pairs = zip(
        optimizer._trainable_variables,
        optimizer._model_variables_moving_average,
        strict=True,
    )
    try:
        for weight, average in pairs:
            weight.assign(average)
        yield
    finally:
        for weight, value in zip(optimizer._trainable_variables, own, strict=True):
            weight.assign(value)
