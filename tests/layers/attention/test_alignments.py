"""The alignments of `Attention`, from its weights and its scores."""

import numpy as np
import pytest
from keras import ops

from keras_attention import functional
from keras_attention.layers import Attention, AttentionRNN, RecurrentCell
from tests import oracles
from tests.backends import gradients, to_numpy
from tests.tensors import (
    booleans,
    normal,
    randomize,
    real_positions,
    weights_by_name,
)

QUERY, VALUE = normal(3, 5, 11), normal(3, 7, 11, seed=1)
KEPT = real_positions([7, 5, 0], 7)
LAYERS = {
    "local_m": {"alignment": "local_m", "window": 2},
    "local_p": {"alignment": "local_p", "window": 2},
    "monotonic": {"alignment": "monotonic"},
    "hard": {"alignment": "monotonic", "hard": True},
}
every_alignment = pytest.mark.parametrize("name", LAYERS)


def _built(name="monotonic", score="scaled_dot", **options):
    layer = Attention(score, name="attention", **LAYERS[name], **options)
    layer.build(QUERY.shape, VALUE.shape)
    return randomize(layer)


def _weights(layer, query=QUERY, value=VALUE, **options):
    context, weights = layer(query, value, return_attention_scores=True, **options)
    weights = to_numpy(weights)
    np.testing.assert_allclose(to_numpy(context), weights @ value, atol=1e-5)
    return weights


def _scores():
    scores = np.zeros((3, 5, 7))
    for b, t, s in np.ndindex(*scores.shape):
        scores[b, t, s] = oracles.scaled_dot(QUERY[b, t], VALUE[b, s])
    return scores


def test_local_monotonic_sees_what_is_near_its_own_position():
    near = np.abs(np.arange(5)[:, None] - np.arange(7)) <= 2
    mask = near & KEPT[:, None]
    expected = oracles.masked_softmax(_scores(), mask)
    found = _weights(_built("local_m"), value_mask=KEPT)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("axes", [(5, 7), (7,)], ids=str)
def test_local_predictive_takes_masks_that_broadcast(axes):
    layer = _built("local_p")
    expected = _weights(layer)
    found = _weights(layer, query_mask=np.ones((3, 5), "bool"))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    found = _weights(layer, attention_mask=np.ones(axes, "bool"))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_local_predictive_is_a_bell_around_a_share_of_the_real_length():
    layer = _built("local_p")
    weights = weights_by_name(layer)
    hidden = np.tanh(QUERY @ weights["center_hidden/kernel"])
    share = oracles.sigmoid(hidden @ weights["center/kernel"])[..., 0]
    center = np.array([7, 5, 0])[:, None] * share
    distance = np.arange(7) - center[..., None]
    expected = oracles.masked_softmax(
        _scores(), (np.abs(distance) <= 2) & KEPT[:, None]
    ) * np.exp(-(distance**2) / 2)
    found = _weights(layer, value_mask=KEPT)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_monotonic_stops_by_a_sigmoid_of_the_score():
    layer = _built()
    bias = float(weights_by_name(layer)["alignment/stop_bias"])
    stop = oracles.sigmoid(_scores() + bias)
    found = _weights(layer)
    # The first query goes from key to key, so its weights are those of a geometric law.
    for j in range(7):
        expected = stop[:, 0, j] * np.prod(1 - stop[:, 0, :j], axis=-1)
        np.testing.assert_allclose(found[:, 0, j], expected, atol=1e-5)


def test_hard_weights_are_those_of_inference_alone():
    soft, hard = _built(), _built("hard")
    hard.set_weights(soft.get_weights())
    np.testing.assert_allclose(
        _weights(hard, training=True), _weights(soft, training=True), atol=1e-6
    )
    found = _weights(hard)
    assert set(np.unique(found)) <= {0.0, 1.0}
    assert (found.sum(axis=-1) <= 1).all()
    positions = np.where(found.any(axis=-1), found.argmax(axis=-1), 99)
    assert (np.diff(positions, axis=-1) >= 0).all()


@pytest.mark.parametrize("name", ["monotonic", "hard"])
def test_masking_keys_equals_deleting_them(name):
    layer = _built(name)
    kept = np.array([False, True, True, False, True, True, False])
    found = _weights(layer, value_mask=np.broadcast_to(kept, (3, 7)))
    expected = _weights(layer, value=VALUE[:, kept])
    np.testing.assert_allclose(found[..., kept], expected, atol=1e-5)
    assert not found[..., ~kept].any()


@every_alignment
def test_padding_changes_nothing(name):
    layer = _built(name)
    padded = np.concatenate([VALUE, normal(3, 4, 11, seed=5) * 100], axis=1)
    mask = real_positions([7, 7, 7], 11)
    found = _weights(layer, value=padded, value_mask=mask)
    np.testing.assert_allclose(found[..., :7], _weights(layer), atol=1e-5)
    assert not found[..., 7:].any()


def test_padding_in_front_moves_the_predicted_center_along():
    layer = _built("local_p")
    front = np.concatenate([normal(3, 4, 11, seed=5), VALUE], axis=1)
    mask = np.broadcast_to(np.arange(11) >= 4, (3, 11))
    found = _weights(layer, value=front, value_mask=mask)
    np.testing.assert_allclose(found[..., 4:], _weights(layer), atol=1e-5)


@every_alignment
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_nothing_to_attend_to_gives_zeros_and_finite_gradients(name, dtype):
    layer = _built(name, "general", dtype=dtype)
    masks = {"value_mask": KEPT, "query_mask": booleans(3, 5, seed=6)}
    context, weights = to_numpy(
        layer(QUERY, VALUE, return_attention_scores=True, **masks)
    )
    empty = ~oracles.pair_mask(3, 5, 7, **masks).any(axis=-1)
    assert empty.any()
    assert not weights[empty].any()
    assert not context[empty].any()

    def loss():
        output = layer(QUERY, VALUE, training=True, **masks)
        return ops.sum(ops.square(ops.cast(output, "float32")))

    for gradient in gradients(loss, layer.trainable_weights):
        assert np.isfinite(gradient).all()


@every_alignment
def test_steps_equal_one_pass(name):
    layer = _built(name)
    expected = _weights(layer)
    key, state = layer.project_key(VALUE), layer.initial_state(3, 7)
    for t in range(5):
        weights, state = layer.compute_weights(QUERY[:, t : t + 1], key, state=state)
        np.testing.assert_allclose(to_numpy(weights)[:, 0], expected[:, t], atol=1e-6)


@every_alignment
def test_steps_equal_one_pass_with_masked_queries(name):
    layer = _built(name)
    asked = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [1, 1, 1, 1, 1]], "bool")
    expected = _weights(layer, query_mask=asked, value_mask=KEPT)
    key, state = layer.project_key(VALUE), layer.initial_state(3, 7)
    for t in range(5):
        mask = (asked[:, t : t + 1] & KEPT)[:, None]
        weights, state = layer.compute_weights(QUERY[:, t : t + 1], key, mask, state)
        np.testing.assert_allclose(to_numpy(weights)[:, 0], expected[:, t], atol=1e-6)


def test_noise_is_of_training_alone():
    layer = _built(noise=1.0)
    still = _weights(layer)
    np.testing.assert_array_equal(_weights(layer), still)
    first, second = (_weights(layer, training=True) for _ in range(2))
    assert not np.allclose(first, second, atol=1e-3)


@pytest.mark.parametrize("kind", ["covered", "recurrent"])
def test_noise_differs_from_step_to_step(kind, monkeypatch):
    monkeypatch.setattr(
        functional, "monotonic_weights", lambda stop, before, hard: (stop, before)
    )
    attention = Attention(
        "general",
        noise=1.0,
        coverage="sum" if kind == "covered" else None,
        **LAYERS["monotonic"],
    )
    layer = attention
    if kind == "recurrent":
        layer = AttentionRNN(RecurrentCell(5), attention)
    options = {"training": True, "return_attention_scores": True}
    # One query and one key, so that nothing but noise tells them apart.
    _, weights = layer(0 * QUERY, 0 * VALUE, **options)
    assert len(np.unique(to_numpy(weights))) > 3 * 5 * 6


def test_the_normalized_energy_has_a_length_of_its_own():
    layer = Attention("additive", units=5, normalize=True, name="attention")
    layer.build(QUERY.shape, VALUE.shape)
    weights = weights_by_name(randomize(layer))
    vector = weights["energy/kernel"][:, 0]
    vector = float(weights["attention/energy_scale"]) * vector / np.linalg.norm(vector)
    score = oracles.additive(
        weights["query/kernel"], weights["key/kernel"], weights["key/bias"], vector
    )
    mask = np.ones((3, 5, 7), "bool")
    _, expected = oracles.attention(score, QUERY, VALUE, VALUE, mask)
    np.testing.assert_allclose(_weights(layer), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alignment": "global"}, "`alignment` must .* alignment='global'"),
        ({"alignment": "local_m"}, "`window` must .* window=None"),
        ({"alignment": "local_p", "window": 0}, "`window` must .* window=0"),
        ({"window": 3}, "`window` is only for .* window=3.* alignment='softmax'"),
        ({"hard": True}, "`hard` is only for .* hard=True"),
        ({"noise": 1.0}, "`noise` is only for .* noise=1.0"),
        ({"alignment": "monotonic", "noise": -1.0}, "`noise` must not .* noise=-1.0"),
        ({"normalize": True}, "`normalize` is only for .* score='dot'"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Attention(**options)


@pytest.mark.whole
@pytest.mark.parametrize(("given", "bias"), [({}, -1), ({"stop_bias": 0.5}, 0.5)])
def test_where_the_first_queries_stop_is_an_argument(given, bias):
    layer = Attention(alignment="monotonic", **given)
    layer.build(QUERY.shape, QUERY.shape)
    assert float(weights_by_name(layer)["alignment/stop_bias"]) == bias
