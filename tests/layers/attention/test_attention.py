"""`Attention` against loops over pairs and against Keras's own layers."""

import keras
import numpy as np
import pytest

from keras_attention.layers import Attention
from tests import oracles
from tests.attention_cases import negative_distance
from tests.backends import to_numpy
from tests.tensors import booleans, normal, randomize, real_positions, weights_by_name

QUERY, KEY, VALUE = normal(3, 5, 11), normal(3, 7, 11, seed=1), normal(3, 7, 13, seed=2)
MASKS = {
    "query_mask": real_positions([5, 3, 4], 5),
    "value_mask": real_positions([7, 5, 0], 7),
    "key_mask": booleans(3, 7, seed=3),
    "attention_mask": booleans(3, 5, 7, seed=4),
}


def _score_of(layer):
    """The layer's score as a function of two vectors."""
    weights = weights_by_name(layer)
    if layer.score == "general":
        return oracles.general(weights["key/kernel"])
    if layer.score == "additive":
        return oracles.additive(
            weights["query/kernel"],
            weights["key/kernel"],
            weights["key/bias"],
            weights["energy/kernel"][:, 0],
        )
    if callable(layer.score):
        return lambda query, key: -np.sum((query - key) ** 2)
    return getattr(oracles, layer.score)


def _attend(layer, **options):
    """Context and weights of a layer with random weights, and what they should be."""
    layer.build(QUERY.shape, VALUE.shape, KEY.shape)
    randomize(layer)
    found = layer(QUERY, VALUE, KEY, return_attention_scores=True, **options)
    causal = options.pop("use_causal_mask", False)
    mask = oracles.pair_mask(3, 5, 7, causal=causal, **options)
    return to_numpy(found), oracles.attention(_score_of(layer), QUERY, KEY, VALUE, mask)


@pytest.mark.parametrize("masks", [(), tuple(MASKS)], ids=["unmasked", "masked"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    ("score", "units"),
    [
        ("dot", None),
        ("scaled_dot", None),
        ("general", None),
        ("additive", 17),
        ("cosine", None),
        (negative_distance, None),
    ],
)
def test_each_score_weighs_as_its_formula(score, units, causal, masks):
    found, expected = _attend(
        Attention(score, units=units),
        use_causal_mask=causal,
        **{name: MASKS[name] for name in masks},
    )
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, atol=1e-5)


@pytest.mark.parametrize("name", list(MASKS))
def test_each_mask_by_itself(name):
    found, expected = _attend(Attention("dot"), **{name: MASKS[name]})
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 7), (1, 5, 7), (3, 1, 7), (3, 5, 1)])
def test_attention_mask_is_broadcast(shape):
    mask = booleans(*shape, seed=6)
    found = Attention("dot")(QUERY, VALUE, KEY, attention_mask=mask)
    full = np.broadcast_to(mask, (3, 5, 7))
    expected, _ = oracles.attention(oracles.dot, QUERY, KEY, VALUE, full)
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("score", "units"), [("general", None), ("additive", 17)], ids=str
)
def test_query_and_key_of_unlike_widths(score, units):
    query = normal(3, 5, 19)
    layer = Attention(score, units=units)
    layer.build(query.shape, VALUE.shape, KEY.shape)
    randomize(layer)
    expected, _ = oracles.attention(
        _score_of(layer), query, KEY, VALUE, np.ones((3, 5, 7), "bool")
    )
    np.testing.assert_allclose(to_numpy(layer(query, VALUE, KEY)), expected, atol=1e-5)


def test_value_is_the_key_when_none_is_given():
    layer = Attention("dot")
    np.testing.assert_array_equal(
        to_numpy(layer(QUERY, KEY)), to_numpy(layer(QUERY, KEY, KEY))
    )


@pytest.mark.parametrize("causal", [False, True])
def test_dot_equals_keras_attention(causal):
    query, value = normal(3, 7, 11), normal(3, 7, 13, seed=1)
    key, mask = normal(3, 7, 11, seed=2), real_positions([7, 5, 3], 7)
    expected = keras.layers.Attention()(
        [query, value, key],
        mask=[None, keras.ops.convert_to_tensor(mask)],
        return_attention_scores=True,
        use_causal_mask=causal,
    )
    found = Attention("dot")(
        query,
        value,
        key,
        value_mask=mask,
        return_attention_scores=True,
        use_causal_mask=causal,
    )
    for part, wanted in zip(to_numpy(found), to_numpy(expected), strict=True):
        np.testing.assert_allclose(part, wanted, atol=1e-5)


def test_additive_equals_keras_additive_attention():
    theirs = keras.layers.AdditiveAttention()
    expected = theirs([QUERY, VALUE, KEY], return_attention_scores=True)
    scale = normal(11, seed=7)
    theirs.scale.assign(scale)
    expected = theirs([QUERY, VALUE, KEY], return_attention_scores=True)
    ours = Attention("additive", units=11)
    ours.build(QUERY.shape, VALUE.shape, KEY.shape)
    replacements = {
        "query/kernel": np.eye(11),
        "key/kernel": np.eye(11),
        "key/bias": np.zeros(11),
        "energy/kernel": scale[:, None],
    }
    for weight in ours.weights:
        weight.assign(replacements["/".join(weight.path.split("/")[-2:])])
    found = ours(QUERY, VALUE, KEY, return_attention_scores=True)
    for part, wanted in zip(to_numpy(found), to_numpy(expected), strict=True):
        np.testing.assert_allclose(part, wanted, atol=1e-5)


def test_weights_are_returned_before_dropout():
    layer = Attention("dot", dropout=0.5, seed=3)
    _, weights = layer(QUERY, VALUE, KEY, training=True, return_attention_scores=True)
    np.testing.assert_allclose(to_numpy(weights).sum(axis=-1), 1, atol=1e-5)


def test_a_seed_repeats_its_dropout():
    first, second = (
        to_numpy(Attention("dot", dropout=0.5, seed=3)(QUERY, KEY, training=True))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_dropout_keeps_the_mean():
    layer = Attention("dot", dropout=0.3, seed=3)
    value = np.ones((3, 7, 11), "float32")
    means = [to_numpy(layer(QUERY, value, training=True)).mean() for _ in range(40)]
    assert np.mean(means) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score": "luong"}, "`score` must be .* Received: score='luong'"),
        ({"score": "additive"}, "`units` must be .* Received: units=None"),
        ({"score": "additive", "units": 0}, "`units` must be .* Received: units=0"),
        ({"units": 5}, "`units` is only for .* Received: units=5, score='dot'"),
        ({"dropout": 1.0}, "`dropout` must be .* Received: dropout=1.0"),
        ({"dropout": -0.1}, "`dropout` must be .* Received: dropout=-0.1"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Attention(**options)


@pytest.mark.parametrize("score", ["dot", "scaled_dot", "cosine"])
def test_unlike_widths_are_refused(score):
    message = rf'score="{score}".*query_shape=\(3, 5, 11\), key_shape=\(3, 7, 13\)'
    with pytest.raises(ValueError, match=message):
        Attention(score)(QUERY, VALUE)
