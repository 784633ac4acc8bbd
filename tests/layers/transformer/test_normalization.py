"""Normalizations of Transformer blocks that are given as layers."""

import keras
import numpy as np
import pytest

from keras_attention import layers, models
from tests.backends import to_numpy
from tests.tensors import normal, randomize

INPUTS = normal(3, 5, 8)


@keras.saving.register_keras_serializable("keras_attention_tests")
class Shift(keras.layers.Layer):
    """A normalization of one's own: features less their mean, and a learned shift."""

    def __init__(self, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def build(self, shape):
        self.shift = self.add_weight(shape=shape[-1:], initializer="zeros")

    def call(self, inputs):
        mean = keras.ops.mean(inputs, axis=-1, keepdims=True)
        return self.scale * (inputs - mean) + self.shift

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


@keras.saving.register_keras_serializable("keras_attention_tests")
class Twice(keras.layers.Layer):
    """Two normalizations behind one another, which its configuration holds."""

    def __init__(self, first, second, **kwargs):
        super().__init__(**kwargs)
        self.parts = [
            keras.saving.deserialize_keras_object(part)
            if isinstance(part, dict)
            else part
            for part in (first, second)
        ]

    def build(self, shape):
        for part in self.parts:
            part.build(shape)

    def call(self, inputs):
        first, second = self.parts
        return second(first(inputs))

    def get_config(self):
        first, second = map(keras.saving.serialize_keras_object, self.parts)
        return {**super().get_config(), "first": first, "second": second}


def two_parts():
    return keras.layers.LayerNormalization(), keras.layers.RMSNormalization()


@pytest.mark.parametrize("normalize_first", [False, True])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("layer", lambda: keras.layers.LayerNormalization(epsilon=1e-5)),
        ("rms", lambda: keras.layers.RMSNormalization(epsilon=1e-5)),
    ],
    ids=["layer", "rms"],
)
def test_a_layer_is_the_same_as_its_name(name, make, normalize_first):
    options = {"normalize_first": normalize_first}
    by_name = layers.TransformerEncoder(9, 2, normalization=name, **options)
    expected = by_name(INPUTS)
    by_layer = layers.TransformerEncoder(9, 2, normalization=make(), **options)
    by_layer.build(INPUTS.shape)
    by_layer.set_weights(by_name.get_weights())
    np.testing.assert_allclose(
        to_numpy(by_layer(INPUTS)), to_numpy(expected), atol=1e-6
    )


def test_each_sublayer_has_its_own():
    given = Shift(2.0)
    block = layers.TransformerDecoder(9, 2, normalization=given)
    block(INPUTS, INPUTS)
    assert not given.built
    shifts = [layer for layer in block._flatten_layers() if isinstance(layer, Shift)]
    assert len(shifts) == 3
    assert {shift.scale for shift in shifts} == {2.0}
    assert block.normalization is given


@pytest.mark.parametrize(
    "normalization",
    [
        lambda: Shift(2.0),
        lambda: keras.layers.GroupNormalization(2),
        lambda: keras.Sequential([*two_parts()]),
        lambda: Twice(*two_parts()),
    ],
    ids=["own", "group", "sequential", "twice"],
)
def test_a_model_is_saved_with_it(normalization, tmp_path):
    model = models.transformer(
        11,
        13,
        num_layers=2,
        num_heads=2,
        embedding_dim=8,
        intermediate_dim=9,
        normalization=normalization(),
    )
    randomize(model)
    ids = {"source": np.array([[5, 6, 3]]), "target": np.array([[2, 5, 6]])}
    expected = to_numpy(model(ids))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    cloned = keras.models.clone_model(model)
    cloned.set_weights(model.get_weights())
    for other in (loaded, cloned):
        assert len(other.weights) == len(model.weights)
        np.testing.assert_allclose(to_numpy(other(ids)), expected, atol=1e-6)


def test_something_else_is_refused():
    with pytest.raises(
        ValueError, match="`normalization` must be .* Received: .*batch"
    ):
        layers.TransformerEncoder(9, 2, normalization="batch")
