"""Layer normalization and its gradient against what Keras's backends derive."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention import functional
from keras_attention.layers.transformer.normalization import LayerNormalization
from tests.backends import gradients, on_unknown_shapes, to_numpy
from tests.tensors import normal, randomize

pytestmark = pytest.mark.whole("tensorflow")

SHAPES = [(7, 5), (3, 4, 6), (2, 3, 2, 1)]
EPSILON = 1e-3
TOLERANCES = {"float32": 1e-5, "bfloat16": 2**-7}  # to the largest of a gradient


def _parts(shape, dtype="float32"):
    inputs = 3 + 2 * normal(*shape)
    values = {
        "inputs": ops.cast(inputs, dtype),
        "gamma": normal(shape[-1], seed=1),
        "beta": normal(shape[-1], seed=2),
    }
    return [keras.Variable(v, name=name) for name, v in values.items()]


def _keras(inputs, gamma, beta):
    return ops.layer_normalization(inputs, gamma, beta, axis=-1, epsilon=EPSILON)


@pytest.mark.parametrize("shape", SHAPES)
def test_is_the_formula(shape):
    inputs, gamma, beta = (to_numpy(part.value) for part in _parts(shape))
    found = functional.normalize_layer(inputs, gamma, beta, EPSILON)
    mean, variance = (f(inputs, axis=-1, keepdims=True) for f in (np.mean, np.var))
    expected = gamma * (inputs - mean) / np.sqrt(variance + EPSILON) + beta
    np.testing.assert_allclose(to_numpy(found), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="there Keras's own way is taken"
)
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_gradients_are_those_that_are_derived(shape, dtype):
    parts, weights = _parts(shape, dtype), normal(*shape, seed=3)

    def loss(function):
        outputs = function(*(part.value for part in parts))
        assert keras.backend.standardize_dtype(outputs.dtype) == dtype
        return ops.sum(ops.cast(outputs, "float32") * weights)

    found = gradients(
        lambda: loss(lambda *p: functional.normalize_layer(*p, EPSILON)), parts
    )
    for one, other in zip(found, gradients(lambda: loss(_keras), parts), strict=True):
        scale = max(1.0, np.abs(other.astype("float32")).max())
        np.testing.assert_allclose(
            one.astype("float32"),
            other.astype("float32"),
            atol=TOLERANCES[dtype] * scale,
        )


@pytest.mark.parametrize("dtype", ["float32", "float64", "mixed_bfloat16"])
@pytest.mark.filterwarnings("ignore:.*float64.*:UserWarning")  # JAX has none
def test_the_layer_is_that_of_keras_in_training_too(dtype):
    inputs = normal(3, 4, 6)
    layer = LayerNormalization(epsilon=EPSILON, dtype=dtype)
    layer.build(inputs.shape)
    weights = [to_numpy(weight.value) for weight in randomize(layer).weights]
    expected = to_numpy(layer(inputs)).astype("float32")
    found = layer(inputs, training=True)
    assert found.dtype == layer(inputs).dtype
    np.testing.assert_allclose(to_numpy(found).astype("float32"), expected, atol=0.02)
    reference = keras.layers.LayerNormalization(epsilon=EPSILON, dtype=dtype)
    reference.build(inputs.shape)
    reference.set_weights(weights)
    np.testing.assert_allclose(
        to_numpy(reference(inputs)).astype("float32"), expected, atol=1e-6
    )


def test_sizes_may_be_unknown():
    inputs, gamma, beta = (to_numpy(part.value) for part in _parts((3, 4, 6)))

    def normalize(parts):
        return functional.normalize_layer(parts["inputs"], gamma, beta, EPSILON)

    parts = {"inputs": ops.convert_to_tensor(inputs)}
    found = on_unknown_shapes(normalize, parts, {"inputs": (None, None, 6)})(parts)
    expected = normalize({"inputs": inputs})
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=1e-6)
