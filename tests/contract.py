"""What every layer keeps: the checks that run on each row of `tests/cases.py`."""

import functools
import inspect
import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.backends import compiled, gradients, on_unknown_shapes, to_numpy
from tests.case import Case

# Rounding of the dtypes, met a few dozen times between inputs and outputs.
TOLERANCES = {"mixed_float16": 2e-2, "mixed_bfloat16": 1e-1}


def check_shapes(case: Case) -> None:
    """Eager and symbolic outputs have the promised shapes, and calls add no weights."""
    for unknown in ((), ("batch",), ("batch", "target", "source")):
        layer = case.make()
        outputs = layer(**case.symbols(*unknown), **case.call)
        _assert_described(outputs, case, *unknown)
    count = len(layer.weights)
    _assert_described(_call(case, layer), case)
    assert len(layer.weights) == count


def check_configuration(case: Case) -> None:
    """The configuration is the constructor's arguments, and gives the same layer."""
    layer = _built(case)
    config = layer.get_config()
    parameters = set(inspect.signature(case.cls.__init__).parameters)
    given = parameters - {"self", "kwargs"}
    # Keras leaves a regularizer of activities that is not there out.
    assert set(config) | ({"activity_regularizer"} & given) == given | {
        "name",
        "trainable",
        "dtype",
    }
    for name, value in case.arguments.items():
        if isinstance(value, bool | int | float | str | tuple) or value is None:
            assert _plain(config[name]) == _plain(value), name
    restored = keras.saving.deserialize_keras_object(
        json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    )
    assert type(restored) is case.cls
    # Written to a file, tuples become lists.
    assert json.dumps(restored.get_config()) == json.dumps(config)
    expected = _call(case, layer)
    _call(case, restored)
    restored.set_weights(layer.get_weights())
    _assert_close(_call(case, restored), expected, 1e-6)


def check_saving(case: Case, path: Any) -> None:
    """A model around the layer gives the same after saving and loading."""
    layer, symbols = _built(case), case.symbols("batch", "target", "source")
    outputs = keras.tree.flatten(layer(**symbols, **case.call))
    model = keras.Model(keras.tree.flatten(symbols), outputs)
    values = keras.tree.flatten(case.values())
    expected = model(values)
    model.save(path)
    _assert_close(keras.saving.load_model(path)(values), expected, 1e-6)
    _assert_close(_call(case, layer), expected, 1e-5)


def check_gradients(case: Case) -> None:
    """Every trainable weight gets a gradient, finite and not zero."""
    if not case.differentiable:
        return
    layer = _built(case)
    shapes = to_numpy(_float_parts(_call(case, layer)))
    random = np.random.default_rng(61)
    factors = [random.normal(size=part.shape).astype("float32") for part in shapes]

    def loss():
        parts = _float_parts(_call(case, layer))
        return sum(
            keras.ops.sum(keras.ops.multiply(part, factor))
            for part, factor in zip(parts, factors, strict=True)
        )

    found = gradients(loss, layer.trainable_variables)
    for weight, gradient in zip(layer.trainable_variables, found, strict=True):
        assert np.all(np.isfinite(gradient)), weight.path
        size = np.max(np.abs(gradient))
        if weight.path.endswith(case.without_effect):
            assert size < 1e-4, weight.path
        else:
            assert size > 1e-4, weight.path


def check_compiled(case: Case) -> None:
    """Compiled by XLA, or traced without known sizes, it gives the same as eagerly."""
    layer = _built(case)
    expected = _call(case, layer)

    def run(inputs):
        return layer(**inputs, **case.call)

    _assert_close(compiled(run)(case.values()), expected, 1e-5)
    shapes = case.shapes("batch", "target", "source")
    traced = on_unknown_shapes(run, case.values(), shapes)
    _assert_close(traced(case.values()), expected, 1e-5)


def check_mixed_precision(case: Case) -> None:
    """In half precision outputs have that dtype, are finite, and near to float32's."""
    layer = _built(case)
    expected = _call(case, layer)
    for policy, tolerance in TOLERANCES.items():
        keras.config.set_dtype_policy(policy)
        half = case.make()
        symbols = half(**case.symbols("batch"), **case.call)
        _assert_described(symbols, case, "batch", dtype=policy.removeprefix("mixed_"))
        half.set_weights(layer.get_weights())
        outputs = _call(case, half)
        _assert_described(outputs, case, dtype=policy.removeprefix("mixed_"))
        assert {weight.dtype for weight in half.trainable_weights} <= {"float32"}
        _assert_close(outputs, expected, tolerance)


def check_dropout(case: Case) -> None:
    """Dropout varies in training and is still in inference."""
    layer = _built(case)

    def run(training):
        return _float_parts(_run(case, layer, training))

    still = run(False)
    _assert_close(run(False), still, 0)
    drops = [run(True), run(True)]
    if not case.arguments.get("dropout"):
        _assert_close(drops, [still, still], 1e-6)
        return
    for first, second in ((drops[0], drops[1]), (drops[0], still)):
        assert not np.allclose(to_numpy(first[0]), to_numpy(second[0]), atol=1e-4)


def check_nothing(case: Case) -> None:
    """Nothing to read is no error: without rows, queries or keys, shapes stay right."""
    layer = case.make()
    _call(case, layer)

    def run(inputs):
        return layer(**inputs, **case.call)

    shapes = case.shapes("batch", "target", "source")
    traced = on_unknown_shapes(run, case.values(), shapes)
    for empty in case.emptied().values():
        _assert_described(run(empty.symbols()), empty)
        for outputs in (run(empty.values()), traced(empty.values())):
            _assert_described(outputs, empty)
            for part in keras.tree.flatten(to_numpy(outputs)):
                assert np.isfinite(part).all()
        if case.differentiable:
            _assert_finite_gradients(empty, layer)


CHECKS: list[Callable[..., None]] = [
    check_shapes,
    check_configuration,
    check_saving,
    check_gradients,
    check_compiled,
    check_mixed_precision,
    check_dropout,
    check_nothing,
]


@functools.lru_cache(maxsize=4)
def _built(case):
    """A layer with weights that the checks of a row share; none of them changes it."""
    layer = case.make()
    _call(case, layer)
    return layer


def _call(case, layer):
    return layer(**case.values(), **case.call)


def _run(case, layer, training):
    """A call in training or not, of a layer for which that may be all the same."""
    takes_training = "training" in inspect.signature(layer.call).parameters
    options = {"training": training} if takes_training else {}
    return layer(**case.values(), **case.call, **options)


def _plain(value):
    """A value whichever way it is written: a size as a tuple, an object by its name."""
    if isinstance(value, dict):
        value = value["class_name"]
    if isinstance(value, str):
        return value.lower().replace("_", "")
    return keras.tree.flatten(value)


def _float_parts(outputs):
    return [
        part
        for part in keras.tree.flatten(outputs)
        if keras.backend.is_float_dtype(part.dtype)
    ]


def _assert_described(outputs, case, *unknown, dtype="float32"):
    """Shapes, dtypes and nesting are those that the row promises."""

    def describe(part):
        return tuple(part.shape), keras.backend.standardize_dtype(part.dtype)

    def promise(part):
        return part.shape(unknown), fixed.get(part.kind, dtype)

    fixed = {"mask": "bool", "float32": "float32"}
    described = keras.tree.map_structure(describe, outputs)
    assert described == keras.tree.map_structure(promise, case.outputs)


def _assert_finite_gradients(case: Case, layer: keras.layers.Layer) -> None:
    """In training every gradient is finite, whatever there is to read."""

    def loss():
        parts = _float_parts(_run(case, layer, training=True))
        return sum(keras.ops.sum(keras.ops.cast(part, "float32")) for part in parts)

    for gradient in gradients(loss, layer.trainable_variables):
        assert np.isfinite(gradient).all()


def _assert_close(found, expected, tolerance):
    pairs = zip(keras.tree.flatten(found), keras.tree.flatten(expected), strict=True)
    for one, other in pairs:
        one, other = to_numpy(one), to_numpy(other)
        scale = np.max(np.abs(other), initial=1)
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * scale)
