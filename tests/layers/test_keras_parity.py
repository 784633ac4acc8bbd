"""`MultiHeadAttention` in the place of Keras's: the same calls, shapes and results."""

import warnings

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers import MultiHeadAttention
from tests.backends import gradients, mask_of, to_numpy
from tests.tensors import booleans, normal, randomize

WORDS = np.array([[1, 2, 3, 0, 0], [3, 3, 1, 1, 2], [1, 4, 0, 0, 0]])
MEMORY = np.array([[5, 4, 1, 0], [3, 1, 0, 0], [2, 1, 1, 1]])
# Constructor arguments, then the shapes of query, value and key after the batch.
LAYERS = {
    "plain": ({}, (5, 11), (7, 11), None),
    "key": ({}, (5, 11), (7, 13), (7, 3)),
    "value_dim": ({"value_dim": 4, "use_bias": False}, (5, 11), (7, 11), None),
    "gate": ({"use_gate": True}, (5, 11), (7, 11), None),
    "bare gate": ({"use_gate": True, "use_bias": False}, (5, 11), (7, 11), None),
    "window": ({"sliding_window": 3}, (5, 11), (5, 11), None),
    "flat output": ({"output_shape": 8}, (5, 11), (7, 11), None),
    "output of axes": ({"output_shape": (3, 2)}, (5, 11), (7, 11), (7, 3)),
    "all axes": ({}, (3, 4, 11), (2, 5, 11), None),
    "second of two": ({"attention_axes": 2}, (3, 4, 11), (3, 2, 11), None),
    "both by name": ({"attention_axes": (1, 2)}, (3, 4, 11), (3, 2, 11), None),
    "last of two": ({"attention_axes": -2}, (3, 4, 11), (3, 2, 11), None),
    "two of three": ({"attention_axes": (2, 3)}, (5, 3, 4, 11), (5, 3, 2, 11), None),
    "axes, gate": (
        {"attention_axes": 1, "use_gate": True, "output_shape": (3, 2)},
        (4, 3, 11),
        (5, 3, 13),
        (5, 3, 2),
    ),
}
cases = pytest.mark.parametrize("name", LAYERS)


def _pair(name):
    options, *shapes = LAYERS[name]
    shapes = [None if shape is None else (3, *shape) for shape in shapes]
    theirs = keras.layers.MultiHeadAttention(2, 3, **options)
    theirs.build(*(shape for shape in shapes if shape is not None))
    inputs = [
        None if shape is None else ops.convert_to_tensor(normal(*shape, seed=seed))
        for seed, shape in enumerate(shapes)
    ]
    return randomize(theirs), MultiHeadAttention.from_keras(theirs), inputs, shapes


@cases
def test_shapes(name):
    theirs, ours, inputs, shapes = _pair(name)
    # Without its weights Keras's layer fails on JAX where values are wider than keys.
    expected = tuple(theirs(*inputs, return_attention_scores=True)[0].shape)
    assert tuple(ours(*inputs).shape) == expected
    assert tuple(ours.compute_output_shape(*shapes)) == expected
    lists = [None if shape is None else list(shape) for shape in shapes]
    assert tuple(ours.compute_output_shape(*lists)) == expected
    symbols = [None if x is None else keras.Input(batch_shape=x.shape) for x in inputs]
    found = ours(*symbols, return_attention_scores=True)
    _, weights = ours(*inputs, return_attention_scores=True)
    assert [tuple(part.shape) for part in found] == [expected, tuple(weights.shape)]


@pytest.mark.parametrize("masked", [False, True])
@cases
def test_outputs_weights_and_gradients(name, masked):
    theirs, ours, inputs, _ = _pair(name)
    mask = _mask(theirs, inputs) if masked else None
    options = {"attention_mask": mask, "return_attention_scores": True}

    def found_by(layer):
        return to_numpy(list(layer(*inputs, **options))) + gradients(
            lambda: ops.mean(layer(*inputs, **options)[0] ** 2),
            layer.trainable_weights,
        )

    for found, expected in zip(found_by(ours), found_by(theirs), strict=True):
        np.testing.assert_allclose(
            found, expected.reshape(found.shape), rtol=1e-4, atol=2e-5
        )


def _mask(theirs, inputs):
    """One for all heads, of pairs of which each query has at least one.

    Where nothing is allowed the two differ by design.
    """
    _, weights = theirs(*inputs, return_attention_scores=True)
    axes = len(weights.shape) - len(inputs[0].shape)
    shape = list(weights.shape)
    del shape[-2 * axes - 1]
    mask = booleans(*shape, seed=5) | np.eye(*shape[-2:], dtype="bool")
    mask[..., 0] = True
    return ops.convert_to_tensor(mask)


@pytest.mark.parametrize("shape", [(5, 4), (3, 5, 4), (3, 2, 5, 4)])
def test_a_mask_of_fewer_axes_is_that_of_every_row_and_head(shape):
    theirs, ours, (query, value, _), _ = _pair("plain")
    value = value[:, :4]
    mask = booleans(*shape, seed=6)
    mask[..., 0] = True
    np.testing.assert_allclose(
        to_numpy(ours(query, value, attention_mask=mask)),
        to_numpy(theirs(query, value, attention_mask=ops.convert_to_tensor(mask))),
        atol=1e-5,
    )


@pytest.mark.parametrize("causal", [False, True])
def test_implicit_masks(causal):
    theirs, ours, *_ = _pair("plain")
    query, value = (
        keras.layers.Embedding(6, 11, mask_zero=True)(words)
        for words in (WORDS, MEMORY)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = ours(query, value, use_causal_mask=causal)
    np.testing.assert_array_equal(mask_of(found), WORDS != 0)
    # Keras's layer takes the masks off the tensors that it is called on.
    expected = to_numpy(theirs(query, value, use_causal_mask=causal))
    real = WORDS != 0
    np.testing.assert_allclose(to_numpy(found)[real], expected[real], atol=1e-5)


@pytest.mark.parametrize("name", ["plain", "gate", "axes, gate"])
def test_constraints_reach_every_projection(name):
    options, *shapes = LAYERS[name]
    layer = MultiHeadAttention(
        2, 3, kernel_constraint="non_neg", bias_constraint="max_norm", **options
    )
    layer.build(*((3, *shape) for shape in shapes if shape is not None))
    assert len(layer.weights) == 10 if "use_gate" in options else 8
    for weight in layer.weights:
        expected = "NonNeg" if weight.name == "kernel" else "MaxNorm"
        assert type(weight.constraint).__name__ == expected


def test_initial_kernels_differ():
    layer = MultiHeadAttention(
        2, 8, use_gate=True, kernel_initializer=keras.initializers.RandomNormal()
    )
    layer.build((3, 5, 16), (3, 7, 16))
    kernels = [to_numpy(w) for w in layer.weights if w.name == "kernel"]
    assert len({kernel.tobytes() for kernel in kernels}) == len(kernels) == 5


@pytest.mark.parametrize("number", [0, -2, 1.5])
@pytest.mark.parametrize("argument", ["num_heads", "key_dim", "value_dim"])
def test_sizes_that_both_refuse(argument, number):
    options = {"num_heads": 2, "key_dim": 3, argument: number}
    for layer in (keras.layers.MultiHeadAttention, MultiHeadAttention):
        with pytest.raises(ValueError, match=f"`{argument}`"):
            layer(**options)


def test_policies_of_single_projections():
    policies = keras.dtype_policies.DTypePolicyMap()
    for name in ("query", "key", "value"):
        policies[f"attention/{name}"] = keras.dtype_policies.QuantizedDTypePolicy(
            "int8", "float32"
        )
    layer = MultiHeadAttention(3, 8, dtype=policies, name="attention")
    layer.build((1, 2, 2), (1, 2, 2))
    dtypes = {
        weight.path.split("/")[1]: keras.backend.standardize_dtype(weight.dtype)
        for weight in layer.weights
        if weight.name == "kernel"
    }
    assert dtypes == dict.fromkeys(("query", "key", "value"), "int8") | {
        "output": "float32"
    }
