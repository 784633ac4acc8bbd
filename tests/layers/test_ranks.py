"""Inputs of another number of axes: errors, never answers."""

import keras
import numpy as np
import pytest

from keras_attention import layers
from tests.cases import CASES
from tests.tensors import normal

# As many rows as positions, so that either may be taken for the other.
VECTORS, IDS, ROW = normal(4, 4, 8), np.ones((4, 4), int), np.arange(4)
CACHE = {part: np.zeros((4, 2, 6, 4), "float32") for part in ("key", "value")}

# Layers that take any number of axes from two on.
OPEN = (layers.FeedForward, layers.RotaryEmbedding, layers.MultiHeadAttention)


def _tensors(case):
    """The names of a row's tensors, masks apart."""
    return [
        name
        for name, part in case.inputs.items()
        if hasattr(part, "kind") and part.kind != "mask"
    ]


def _values(case, name, change):
    values = case.values()
    return {**values, name: change(values[name])}


ROWS = [
    pytest.param(case, name, id=f"{case.cls.__name__}-{index}-{name}")
    for index, case in enumerate(CASES)
    if not issubclass(case.cls, OPEN)
    for name in _tensors(case)
    if not case.call.get("reverse")
]


@pytest.mark.parametrize(
    ("layer", "inputs", "options", "named"),
    [
        (layers.RotaryEmbedding(), VECTORS, {"start_index": ROW}, "start_index"),
        (layers.RotaryEmbedding(), VECTORS, {"positions": ROW[:, None]}, "positions"),
        (layers.RotaryEmbedding(), VECTORS, {"positions": ROW[:2]}, "positions"),
        (layers.RotaryEmbedding(), VECTORS, {"positions": ROW[0]}, "positions"),
        (layers.PositionalEmbedding(9, 8), IDS, {"start_index": ROW}, "start_index"),
        (
            layers.MultiHeadAttention(2, 4),
            VECTORS,
            {"value": VECTORS, "cache": CACHE, "cache_index": ROW},
            "cache_index",
        ),
    ],
)
def test_a_position_for_each_row_is_refused(layer, inputs, options, named):
    message = rf"`{named}` must .*Received: {named}\.shape=\("
    with pytest.raises(ValueError, match=message):
        layer(inputs, **options)


@pytest.mark.parametrize(
    "change", [lambda x: x[0], lambda x: x[:, None]], ids=["fewer", "more"]
)
@pytest.mark.parametrize(("case", "name"), ROWS)
def test_another_rank_is_an_error_that_names_it(case, name, change):
    values = _values(case, name, change)
    shape = str(tuple(values[name].shape))
    built = case.make()
    built(**case.values(), **case.call)
    symbols = {
        key: keras.KerasTensor(value.shape, value.dtype.name)
        for key, value in values.items()
        if hasattr(value, "shape")
    }
    for run in (
        lambda: case.make()(**values, **case.call),
        lambda: built(**values, **case.call),
        lambda: built(**{**values, **symbols}, **case.call),
    ):
        with pytest.raises(ValueError, match=r"must have \d axes|lengths of") as found:
            run()
        message = str(found.value)
        assert f"{name}.shape={shape}" in message, message
