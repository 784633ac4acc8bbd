"""Keras's published examples keep what they have learned."""

import functools
import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_attention.convert import from_keras
from keras_attention.layers import TransformerDecoder, TransformerEncoder
from tests.backends import BACKEND, to_numpy
from tests.published_programs import (
    IMAGES,
    PROGRAMS,
    ConvolutionalTokenizer,
    Patches,
    attention,
    image_classification_with_vision_transformer,
)
from tests.tensors import randomize

# KerasHub's layers say nothing of the masks that they pass on.
pytestmark = pytest.mark.filterwarnings("ignore:.*does not support masking:UserWarning")


@functools.cache
def carried_over(program):
    theirs = randomize(program(), seed=5)
    with warnings.catch_warnings():
        if program is image_classification_with_vision_transformer:
            warnings.filterwarnings("ignore", ".*cannot be made again")
        return theirs, from_keras(theirs)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_published_program_gives_what_it_gave(program):
    theirs, ours = carried_over(program)
    inputs, expected = PROGRAMS[program]
    # By default, layers that distort pictures take a call for one of training.
    found, given = (to_numpy(m(inputs, training=False)) for m in (ours, theirs))
    np.testing.assert_allclose(found, given, atol=1e-5)
    assert np.ptp(found) > 1e-4
    parts = [*ours._flatten_layers()]
    for kind, count in expected.items():
        own = [part for part in parts if type(part) is kind]
        inner = {
            id(child)
            for part in parts
            if type(part) in (TransformerEncoder, TransformerDecoder)
            for child in part._flatten_layers(include_self=False)
        }
        assert sum(id(part) not in inner for part in own) == count


@pytest.mark.parametrize("kind", [Patches, ConvolutionalTokenizer])
def test_what_its_configuration_cannot_make_again_is_shared(kind, monkeypatch):
    def too_little(layer):
        raise NotImplementedError("`get_config` is missing")

    if kind is ConvolutionalTokenizer:
        monkeypatch.setattr(kind, "get_config", too_little)
    layer = Patches(4) if kind is Patches else kind()
    images = keras.Input((8, 8, 3))
    x = layer(images)
    theirs = keras.Model(images, attention()(x, x))
    with pytest.warns(UserWarning, match=f"<{kind.__name__} name=.*both models share"):
        ours = from_keras(theirs)
    assert ours.layers[1] is layer
    np.testing.assert_allclose(
        to_numpy(ours(IMAGES)), to_numpy(theirs(IMAGES)), atol=1e-4
    )


@pytest.mark.skipif(BACKEND != "tensorflow", reason="strings need TensorFlow")
def test_adapted_vocabularies_and_boundaries_come_along():
    words, ages = keras.Input((1,), dtype="string"), keras.Input((1,))
    cut = layers.TextVectorization(output_sequence_length=3, name="cut")
    look_up, bins = layers.StringLookup(), layers.Discretization(num_bins=3)
    cut.adapt(["one two three two"])
    look_up.adapt(["two", "one two", "one two"])
    bins.adapt(np.array([1.0, 2.0, 5.0, 9.0, 20.0]))
    output = ops.concatenate([cut(words), look_up(words), bins(ages)], axis=-1)
    theirs = keras.Model([words, ages], output)
    inputs = [np.array([["one two"], ["three"], ["four"]]), np.array([[1], [4], [30]])]
    inputs = [ops.convert_to_tensor(part) for part in inputs]
    found, expected = (
        to_numpy(model(inputs)) for model in (from_keras(theirs), theirs)
    )
    np.testing.assert_array_equal(found, expected)
    assert len({*found[:, 3]}) > 1
