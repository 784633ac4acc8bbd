"""What every layer survives: wrappers, copies, dtypes and NumPy's numbers.

The checks run on the rows of `tests/cases.py`, as those of `tests/contract.py` do.
"""

import inspect
import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.backends import HAS_DOUBLE, double_precision, to_numpy
from tests.case import Case

FRAMES = 2


ONE_TENSOR_IS_NOT_ENOUGH = {
    "Attention": "called on query and value",
    "MultiHeadAttention": "called on query and value",
    "DifferentialAttention": "called on query and value",
    "MultiHeadLatentAttention": "called on query and value",
    "LinearAttention": "called on query and value",
    "AttentionRNN": "called on inputs and memory",
    "RNNDecoder": "called on inputs and memory",
    "RecurrentEncoder": "returns outputs and states",
    "EncoderStack": "returns a memory, a dictionary",
    "RNNEncoder": "returns a memory, a dictionary",
    "RecurrentCell": "one step of a recurrent layer, which hands it states",
    "StackedCells": "one step of a recurrent layer, which hands it states",
    "NTMCell": "one step of a recurrent layer, which hands it states",
}


def takes_one_tensor(case: Case) -> bool:
    """Whether a row is a layer from one tensor to one, as most wrappers need it."""
    _, *others = case.inputs.values()
    if case.call.get("reverse"):
        return False
    return case.cls.__name__ not in ONE_TENSOR_IS_NOT_ENOUGH and all(
        getattr(part, "kind", None) == "mask" for part in others
    )


def check_time_distributed(case: Case, path: Any) -> None:
    """Over frames it gives what it gives for each frame, masks included."""
    layer, frames = case.make(), _frames(case)
    options = {}
    if "mask" in inspect.signature(layer.call).parameters:
        lengths = 1 + np.arange(frames.shape[0] * FRAMES).reshape(-1, FRAMES)
        options["mask"] = np.arange(frames.shape[2]) < lengths[..., None]
    expected = np.stack(
        [
            to_numpy(layer(frames[:, i], **{n: m[:, i] for n, m in options.items()}))
            for i in range(FRAMES)
        ],
        axis=1,
    )
    wrapped = keras.layers.TimeDistributed(layer)
    _assert_close(wrapped(frames, **options), expected, 1e-6)
    symbol = keras.Input((None, *_first(case).shape()[1:]), dtype=frames.dtype)
    outputs = wrapped(symbol)
    assert outputs.shape[2:] == expected.shape[2:]
    plain = wrapped(frames)
    _assert_close(keras.Model(symbol, outputs)(frames), plain, 1e-5)


def check_sequential(case: Case, path: Any) -> None:
    """It begins a `Sequential` without an input layer, which is saved and loaded."""
    layer, values = case.make(), _first(case).value(np.random.default_rng(3))
    last = keras.layers.Dense(3)
    model = keras.Sequential([layer, last])
    expected = model(values)
    assert model.count_params() == layer.count_params() + last.count_params()
    model.save(path)
    _assert_close(keras.saving.load_model(path)(values), expected, 1e-6)


def check_clone(case: Case, path: Any) -> None:
    """Copies have weights of their own, as many, and give the same with the same."""
    layer, symbols = case.make(), case.symbols("batch", "target", "source")
    outputs = keras.tree.flatten(layer(**symbols, **case.call))
    model = keras.Model(keras.tree.flatten(symbols), outputs)
    values = keras.tree.flatten(case.values())
    expected = model(values)
    seen = {id(weight) for weight in model.weights}
    for copy in (
        keras.models.clone_model(model),
        keras.models.clone_model(model),
        keras.Model.from_config(model.get_config()),
    ):
        assert len(copy.weights) == len(model.weights)
        assert not seen & {id(weight) for weight in copy.weights}
        seen |= {id(weight) for weight in copy.weights}
        copy.set_weights(model.get_weights())
        _assert_close(copy(values), expected, 1e-6)


def check_plain_configuration(case: Case) -> None:
    """Of NumPy's numbers, a configuration holds Python's."""
    layer = _of_numpy(case)
    for part in keras.tree.flatten(layer.get_config()):
        assert not isinstance(part, np.generic), part
    json.dumps(keras.saving.serialize_keras_object(layer))


def check_numpy_arguments(case: Case, path: Any) -> None:
    """NumPy's numbers are as good as Python's."""
    call = {name: _as_numpy(part) for name, part in case.call.items()}
    outputs = _of_numpy(case)(**case.values(), **call)
    keras.tree.assert_same_structure(outputs, case.outputs)


def check_double_precision(case: Case, path: Any) -> None:
    """Under a float64 policy nothing on the way is float32.

    The slope in some direction is measured at two lengths. Rounding to float32 in
    between would change it by 1e-2; in float64 the two differ by less than 1e-5.
    """
    single = case.make()
    expected = to_numpy(single(**case.values(), **case.call))
    weights = single.get_weights()
    with double_precision():
        _assert_double(case, expected, weights)


CHECKS: list[Callable[[Case, Any], None]] = [
    check_clone,
    check_numpy_arguments,
    check_double_precision,
]
ONE_TENSOR_CHECKS: list[Callable[[Case, Any], None]] = [
    check_time_distributed,
    check_sequential,
]


def _first(case):
    return next(iter(case.inputs.values()))


def _frames(case):
    axes, random = _first(case), np.random.default_rng(89)
    return np.stack([axes.value(random) for _ in range(FRAMES)], axis=1)


def _assert_double(case, expected, weights):
    layer = case.make()
    described = layer(**case.symbols("batch"), **case.call)
    layer.set_weights(weights)
    values = keras.tree.map_structure(_double, case.values())
    outputs = layer(**values, **case.call)
    _assert_close(outputs, expected, 1e-5)
    if not HAS_DOUBLE:
        return
    for symbol, output in _pairs(described, outputs):
        assert symbol.dtype == keras.backend.standardize_dtype(output.dtype)
        assert symbol.dtype in ("float64", "bool")
    if not case.differentiable:
        return
    random = np.random.default_rng(11)
    direction = [random.normal(size=weight.shape) for weight in layer.trainable_weights]
    start = [to_numpy(weight) for weight in layer.trainable_weights]

    def move(length):
        for weight, value, part in zip(
            layer.trainable_weights, start, direction, strict=True
        ):
            weight.assign(value + length * part)
        moved = keras.tree.map_structure(
            lambda v: v + length * np.cos(v) if v.dtype == "float64" else v, values
        )
        return _flat(to_numpy(layer(**moved, **case.call)))

    slopes = [(move(h) - move(-h)) / (2 * h) for h in (1e-5, 2e-5)]
    # Where a ReLU has its kink in between, some slopes differ all the same.
    apart = np.abs(slopes[0] - slopes[1]) > 1e-5 * max(1, np.max(np.abs(slopes)))
    assert np.mean(apart) < 0.2


def _double(value):
    return value.astype("float64") if value.dtype == "float32" else value


def _as_numpy(value):
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int):
        return np.int64(value)
    if isinstance(value, float):
        return np.float32(value)
    if isinstance(value, dict):
        return {name: _as_numpy(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_as_numpy(part) for part in value)
    return value


def _of_numpy(case):
    given = {name: _as_numpy(part) for name, part in case.arguments.items()}
    return Case(case.cls, given, case.inputs, case.outputs).make()


def _pairs(one, other):
    return zip(keras.tree.flatten(one), keras.tree.flatten(other), strict=True)


def _flat(outputs):
    parts = [part for part in keras.tree.flatten(outputs) if part.dtype != "bool"]
    return np.concatenate([part.ravel() for part in parts])


def _assert_close(found, expected, tolerance):
    for one, other in _pairs(found, expected):
        one, other = (np.asarray(to_numpy(part)) for part in (one, other))
        scale = max(1, np.max(np.abs(other)))
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * scale)
