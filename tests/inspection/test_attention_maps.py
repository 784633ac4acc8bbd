"""`attention_maps` against the weights that layers return when they are asked."""

import keras
import numpy as np
import pytest

from keras_attention import layers
from keras_attention.inspection import attention_maps
from tests.backends import to_numpy
from tests.small_models import INPUTS, build
from tests.tensors import normal

QUERY, VALUE = normal(3, 5, 8), normal(3, 7, 8, seed=1)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Attention(name="looked_at"),
        layers.MultiHeadAttention(2, 3, chunk_size=2, name="looked_at"),
        keras.layers.MultiHeadAttention(2, 3, name="looked_at"),
        keras.layers.GroupQueryAttention(3, 2, 1, name="looked_at"),
        layers.AttentionRNN(
            keras.layers.GRUCell(8), layers.Attention(), name="looked_at"
        ),
    ],
    ids=lambda layer: type(layer).__module__ + type(layer).__name__,
)
def test_weights_are_those_that_the_layer_returns(layer):
    query, value = keras.Input((5, 8)), keras.Input((7, 8))
    model = keras.Model([query, value], layer(query, value))
    expected_output = to_numpy(model([QUERY, VALUE]))
    maps = attention_maps(model, [QUERY, VALUE])
    output, weights = layer(QUERY, VALUE, return_attention_scores=True)
    assert list(maps) == ["looked_at"]
    np.testing.assert_allclose(maps["looked_at"], to_numpy(weights), atol=1e-6)
    np.testing.assert_allclose(to_numpy(output), expected_output, atol=1e-5)
    np.testing.assert_array_equal(to_numpy(model([QUERY, VALUE])), expected_output)


def test_attention_over_one_of_several_axes():
    inputs = keras.Input((3, 5, 8))
    layer = layers.MultiHeadAttention(2, 4, attention_axes=2, name="looked_at")
    model = keras.Model(inputs, layer(inputs, inputs))
    images = normal(7, 3, 5, 8)
    maps = attention_maps(model, images)
    _, weights = layer(images, images, return_attention_scores=True)
    assert maps["looked_at"].shape == (7, 3, 2, 5, 5)
    np.testing.assert_allclose(maps["looked_at"], to_numpy(weights), atol=1e-6)


def test_keras_attention_of_lists():
    query, value = keras.Input((5, 8)), keras.Input((7, 8))
    layer = keras.layers.AdditiveAttention(name="additive")
    model = keras.Model([query, value], layer([query, value]))
    maps = attention_maps(model, [QUERY, VALUE])
    _, weights = layer([QUERY, VALUE], return_attention_scores=True)
    np.testing.assert_allclose(maps["additive"], to_numpy(weights), atol=1e-6)


def test_layers_that_return_their_weights_already():
    query, value = keras.Input((5, 8)), keras.Input((7, 8))
    layer = layers.MultiHeadAttention(2, 3, name="heads")
    outputs = layer(query, value, return_attention_scores=True)
    model = keras.Model([query, value], list(outputs))
    maps = attention_maps(model, [QUERY, VALUE])
    np.testing.assert_array_equal(maps["heads"], to_numpy(model([QUERY, VALUE])[1]))


def test_a_layer_called_twice():
    inputs = keras.Input((5, 8))
    layer = layers.MultiHeadAttention(2, 3, name="shared")
    hidden = layer(inputs, inputs)
    model = keras.Model(inputs, layer(hidden, hidden))
    maps = attention_maps(model, QUERY)
    assert list(maps) == ["shared", "shared#2"]
    first = to_numpy(layer(QUERY, QUERY))
    _, weights = layer(first, first, return_attention_scores=True)
    np.testing.assert_allclose(maps["shared#2"], to_numpy(weights), atol=1e-6)


def test_every_attention_of_a_transformer():
    maps = attention_maps(build("transformer", num_layers=2), INPUTS)
    assert sorted(maps) == sorted(
        [
            *(f"encoder/block_{level}/self_attention" for level in range(2)),
            *(f"decoder/block_{level}/self_attention" for level in range(2)),
            *(f"decoder/block_{level}/cross_attention" for level in range(2)),
        ]
    )
    assert maps["encoder/block_0/self_attention"].shape == (3, 2, 7, 7)
    assert maps["decoder/block_1/cross_attention"].shape == (3, 2, 5, 7)
    real = INPUTS["source"] != 0
    for weights in maps.values():
        if weights.shape[-1] == 7:
            assert not weights[
                ~np.broadcast_to(real[:, None, None], weights.shape)
            ].any()


def test_the_attention_of_a_recurrent_model():
    maps = attention_maps(build("rnn"), INPUTS)
    ((path, weights),) = maps.items()
    assert path.startswith("decoder")
    assert weights.shape == (3, 5, 7)


def test_a_model_without_attention_has_no_maps():
    inputs = keras.Input((5, 8))
    assert (
        attention_maps(keras.Model(inputs, keras.layers.Dense(3)(inputs)), QUERY) == {}
    )


def test_other_things_are_refused():
    with pytest.raises(ValueError, match="`model` must be a built .*model=<Dense"):
        attention_maps(keras.layers.Dense(3), QUERY)
