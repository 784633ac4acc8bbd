"""Positions, windows, caps, norms, gates and chunks of `MultiHeadAttention`."""

import functools

import keras
import numpy as np
import pytest

from keras_attention.layers import (
    AlibiBias,
    MultiHeadAttention,
    RelativePositionBias,
    RotaryEmbedding,
)
from tests.attention_steps import stepwise
from tests.backends import gradients, to_numpy
from tests.tensors import normal, randomize, real_positions

QUERY, VALUE = normal(3, 5, 11), normal(3, 7, 13, seed=1)


def built(layer, *shapes):
    layer.build(*shapes)
    return randomize(layer)


POSITIONS = {
    "rotary": RotaryEmbedding,
    "alibi": AlibiBias,
    "relative": functools.partial(
        RelativePositionBias, 8, 16, embeddings_initializer="normal"
    ),
}
OPTIONS = {
    **{name: {"position": make} for name, make in POSITIONS.items()},
    "window": {"sliding_window": 3},
    "cap": {"soft_cap": 0.5},
    "norm": {"query_key_norm": True},
    "gate": {"use_gate": True},
    "all": {
        "position": RotaryEmbedding,
        "sliding_window": 3,
        "soft_cap": 0.5,
        "query_key_norm": True,
        "use_gate": True,
        "num_key_value_heads": 1,
    },
}


def _with_options(name, **options):
    made = dict(OPTIONS[name])
    if "position" in made:
        made["position"] = made["position"]()
    return built(MultiHeadAttention(2, 4, **made, **options), QUERY.shape, QUERY.shape)


@pytest.mark.parametrize("name", OPTIONS)
def test_steps_over_a_cache_with_every_option(name):
    layer = _with_options(name)
    expected = to_numpy(layer(QUERY, QUERY, use_causal_mask=True))
    plain = built(MultiHeadAttention(2, 4), QUERY.shape, QUERY.shape)
    assert not np.allclose(expected, to_numpy(plain(QUERY, QUERY)), atol=1e-3)
    for max_length in (5, 11):
        found = stepwise(layer, QUERY, [1, 3, 1], max_length)
        np.testing.assert_allclose(found, expected, atol=1e-5)
    cache = layer.init_cache(len(QUERY), 5)
    for index in np.arange(5):  # NumPy's integers
        now = QUERY[:, index : index + 1]
        found, cache = layer(now, now, cache=cache, cache_index=index)
        np.testing.assert_allclose(to_numpy(found)[:, 0], expected[:, index], atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", OPTIONS)
def test_chunks_change_neither_outputs_nor_gradients(name, causal):
    mask = real_positions([5, 3, 0], 5)
    found = []
    for chunk_size in (None, 2):
        layer = _with_options(name, chunk_size=chunk_size)

        def loss(layer=layer):
            output = layer(QUERY, QUERY, value_mask=mask, use_causal_mask=causal)
            return keras.ops.sum(keras.ops.square(output))

        found.append([to_numpy(loss()), *gradients(loss, layer.trainable_variables)])
    for chunked, whole in zip(*found, strict=True):
        np.testing.assert_allclose(chunked, whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("chunk_size", [None, 2])
@pytest.mark.parametrize("shape", [(7,), (5, 7), (1, 7), (3, 5, 7), (3, 1, 5, 7)])
def test_masks_of_pairs_are_broadcast(shape, chunk_size):
    mask = np.arange(np.prod(shape)).reshape(shape) % 3 > 0
    layer = built(
        MultiHeadAttention(2, 4, chunk_size=chunk_size), QUERY.shape, VALUE.shape
    )
    full = mask if mask.ndim < 4 else mask[:, 0]
    expected = layer(QUERY, VALUE, attention_mask=np.broadcast_to(full, (3, 5, 7)))
    found = layer(QUERY, VALUE, attention_mask=mask)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=1e-6)


@pytest.mark.parametrize("name", POSITIONS)
def test_positions_are_counted_from_the_first_of_each(name):
    """Padding behind the memory does not move what its positions are."""
    layer = built(
        MultiHeadAttention(2, 4, position=POSITIONS[name]()), QUERY.shape, VALUE.shape
    )
    padded = np.concatenate([VALUE, normal(3, 4, 13, seed=8)], axis=1)
    mask = real_positions([7, 7, 7], 11)
    np.testing.assert_allclose(
        to_numpy(layer(QUERY, padded, value_mask=mask)),
        to_numpy(layer(QUERY, VALUE)),
        atol=1e-5,
    )


def test_a_shared_position_is_loaded_as_one(tmp_path):
    position = RelativePositionBias(8, 16)
    inputs = keras.Input((5, 11))
    hidden = MultiHeadAttention(2, 4, position=position)(inputs, inputs)
    model = keras.Model(
        inputs, MultiHeadAttention(2, 4, position=position)(hidden, hidden)
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert len(loaded.weights) == len(model.weights) == 17
    np.testing.assert_allclose(
        to_numpy(loaded(QUERY)), to_numpy(model(QUERY)), atol=1e-6
    )


def test_a_position_serves_one_number_of_heads():
    position = AlibiBias()
    MultiHeadAttention(2, 4, position=position)(QUERY, VALUE)
    message = "`position` .* Received: num_heads=3, position built for 2"
    with pytest.raises(ValueError, match=message):
        MultiHeadAttention(3, 4, position=position)(QUERY, VALUE)
