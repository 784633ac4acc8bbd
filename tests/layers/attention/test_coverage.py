"""The coverage of `Attention` against a loop over its queries."""

import keras
import numpy as np
import pytest

from keras_attention.layers import Attention
from tests import oracles
from tests.backends import to_numpy
from tests.tensors import booleans, normal, randomize, real_positions, weights_by_name

QUERY, VALUE = normal(3, 5, 11), normal(3, 7, 13, seed=1)
KEPT, ASKED = real_positions([7, 5, 3], 7), booleans(3, 5, seed=2)
ALIGNMENTS = {
    "softmax": {},
    "local_m": {"alignment": "local_m", "window": 2},
    "local_p": {"alignment": "local_p", "window": 2},
    "monotonic": {"alignment": "monotonic"},
}
every_alignment = pytest.mark.parametrize("alignment", ALIGNMENTS)
every_coverage = pytest.mark.parametrize("coverage", ["sum", "fertility"])


def _built(coverage, alignment="softmax", score="general", **options):
    units = 17 if score == "additive" else None
    layer = Attention(
        score, units, coverage=coverage, **ALIGNMENTS[alignment], **options
    )
    width = VALUE.shape[-1] if score in ("general", "additive") else 11
    layer.build(QUERY.shape, (*VALUE.shape[:-1], width))
    return randomize(layer)


def _expected(layer, value, key_mask=None, query_mask=None):
    """Context and weights, query by query."""
    if key_mask is None:
        key_mask = np.ones(value.shape[:2], "bool")
    loop = oracles.AttentionInTurn(layer, weights_by_name(layer), value, key_mask)
    asked = np.ones((3, 5), "bool") if query_mask is None else query_mask
    steps = [loop.ask(QUERY[:, t], asked[:, t]) for t in range(5)]
    return [np.stack(part, axis=1) for part in zip(*steps, strict=True)]


def _check(layer, value=VALUE, **masks):
    found = to_numpy(
        layer(
            QUERY,
            value,
            value_mask=masks.get("key_mask"),
            query_mask=masks.get("query_mask"),
            return_attention_scores=True,
        )
    )
    for part, wanted in zip(found, _expected(layer, value, **masks), strict=True):
        np.testing.assert_allclose(part, wanted, atol=1e-5)


@every_coverage
@pytest.mark.parametrize(
    "score", ["general", "additive", "dot", "scaled_dot", "cosine"]
)
def test_keys_know_what_earlier_queries_attended_to(coverage, score):
    width = 13 if score in ("general", "additive") else 11
    _check(_built(coverage, score=score), VALUE[..., :width], key_mask=KEPT)


@every_coverage
@every_alignment
def test_it_goes_with_every_alignment(coverage, alignment):
    _check(_built(coverage, alignment, "additive"))
    _check(_built(coverage, alignment), key_mask=KEPT)


@every_coverage
@every_alignment
def test_a_masked_query_covers_nothing(coverage, alignment):
    assert not ASKED[:, :-1].all(axis=1).any()
    _check(_built(coverage, alignment), key_mask=KEPT, query_mask=ASKED)


@every_coverage
def test_covered_keys_are_attended_to_less_with_a_kernel_against_them(coverage):
    # Every key is the same but for what is covered, and so is every query.
    query, value = np.ones((1, 3, 2), "float32"), np.ones((1, 2, 2), "float32")
    mask = np.array([[[True, False], [True, True], [True, True]]])
    layer = Attention(coverage=coverage)
    layer.build(query.shape, value.shape)
    for weight in layer.weights:
        weight.assign(-np.ones(weight.shape) if "told" in weight.path else 0 * weight)
    _, weights = to_numpy(
        layer(query, value, attention_mask=mask, return_attention_scores=True)
    )
    first, second, third = weights[0]
    np.testing.assert_allclose(first, [1, 0])
    assert second[0] < second[1]
    # A score is -2 for each time that a key was attended to; a fertility is 1.
    assert second[1] == pytest.approx(float(oracles.sigmoid(np.float64(2))), abs=1e-5)
    assert second[0] < third[0] < first[0]


def test_a_key_that_wants_no_attention_is_covered_by_little():
    layer = _built("fertility")
    names = [weight.path for weight in layer.weights]
    (bias,) = (name for name in names if name.endswith("fertility/bias"))
    layer.weights[names.index(bias)].assign([-99.0])
    fertility = to_numpy(layer.project_key(VALUE)["fertility"])
    np.testing.assert_allclose(fertility, np.full((3, 7), 2e-3), rtol=1e-6)
    context = to_numpy(layer(QUERY, VALUE))
    assert np.isfinite(context).all()


@every_coverage
@every_alignment
def test_steps_equal_one_pass(coverage, alignment):
    layer = _built(coverage, alignment)
    _, expected = layer(QUERY, VALUE, value_mask=KEPT, return_attention_scores=True)
    key, state = layer.project_key(VALUE), layer.initial_state(3, 7)
    widths = [part.shape[1] for part in state]
    assert widths == layer.state_sizes(7)
    found = []
    for t in range(5):
        query = keras.ops.convert_to_tensor(QUERY[:, t : t + 1])
        weights, state = layer.compute_weights(query, key, KEPT[:, None], state)
        found.append(to_numpy(weights)[:, 0])
    np.testing.assert_allclose(np.stack(found, 1), to_numpy(expected), atol=1e-5)
    np.testing.assert_allclose(to_numpy(state[-1]), sum(found), atol=1e-5)


@every_coverage
def test_two_parts_of_a_sequence_equal_the_whole(coverage):
    layer = _built(coverage, "monotonic")
    key, state = layer.project_key(VALUE), layer.initial_state(3, 7)
    query = keras.ops.convert_to_tensor(QUERY)
    whole, last = to_numpy(layer.compute_weights(query, key, None, state))
    first, state = layer.compute_weights(query[:, :2], key, None, state)
    second, state = layer.compute_weights(query[:, 2:], key, None, state)
    found = np.concatenate([to_numpy(first), to_numpy(second)], axis=1)
    np.testing.assert_allclose(found, whole, atol=1e-5)
    for part, wanted in zip(state, last, strict=True):
        np.testing.assert_allclose(to_numpy(part), wanted, atol=1e-5)


@every_coverage
@every_alignment
def test_a_saved_layer_gives_the_same(coverage, alignment, tmp_path):
    layer = _built(coverage, alignment)
    assert layer.get_config()["coverage"] == coverage
    query, value = (keras.Input(tensor.shape[1:]) for tensor in (QUERY, VALUE))
    model = keras.Model([query, value], layer(query, value))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[-1].get_config() == layer.get_config()
    expected = to_numpy(layer(QUERY, VALUE))
    np.testing.assert_allclose(to_numpy(loaded([QUERY, VALUE])), expected, atol=1e-6)


def test_an_unknown_coverage_is_named():
    with pytest.raises(ValueError, match="`coverage` must be .* coverage='linguistic'"):
        Attention(coverage="linguistic")
