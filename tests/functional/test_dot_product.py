"""Attention of several heads against loops, at once and in chunks."""

import keras
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keras_attention import functional
from tests import oracles
from tests.backends import compiled, to_numpy
from tests.tensors import booleans, normal

pytestmark = pytest.mark.whole("tensorflow")

QUERY = normal(2, 4, 7, 6)
KEY, VALUE = normal(2, 2, 11, 6, seed=1), normal(2, 2, 11, 5, seed=2)
FARTHEST = 20
BIAS = normal(4, 2 * FARTHEST + 1, seed=3)
TABLE = functional.DistanceTable(BIAS, -FARTHEST)
POSITIONS = {
    "counted": {},
    "of all rows": {
        "query_positions": np.array([3, 3, 4, 0, 9, 9, 10], "int32"),
        "key_positions": np.arange(11, dtype="int32") // 2,
    },
    "by row": {
        "query_positions": np.array([[0, 1, 2, 3, 4, 5, 6], [3, 3, 4, 0, 9, 9, 10]]),
        "key_positions": np.arange(11) - np.array([[0], [2]]),
    },
    "of keys alone": {"key_positions": np.arange(11) - np.array([[0], [2]])},
}
MASKS = {
    "query_mask": booleans(2, 7, seed=4),
    "key_mask": booleans(2, 11, seed=5),
    "pair_mask": booleans(2, 4, 7, 11, seed=6),
}


def _expected(
    rules, start=0, bias=None, query_positions=None, key_positions=None, **masks
):
    """The same by plain loops over every pair."""
    if query_positions is None:
        query_positions = np.arange(7) + start
    if key_positions is None:
        key_positions = np.arange(11)
    query_positions = np.broadcast_to(query_positions, (2, 7))
    key_positions = np.broadcast_to(key_positions, (2, 11))
    context, weights = np.zeros((2, 4, 7, 5)), np.zeros((2, 4, 7, 11))
    for b, head, t in np.ndindex(2, 4, 7):
        scores, allowed = np.zeros((1, 11)), np.ones((1, 11), "bool")
        for s in range(11):
            score = oracles.scaled_dot(QUERY[b, head, t], KEY[b, head // 2, s])
            if rules.soft_cap is not None:
                score = rules.soft_cap * np.tanh(score / rules.soft_cap)
            distance = key_positions[b, s] - query_positions[b, t]
            if bias is not None:
                score += bias[head, FARTHEST + distance]
            scores[0, s] = score
            if rules.causal and distance > 0:
                allowed[0, s] = False
            if rules.window is not None and abs(distance) >= rules.window:
                allowed[0, s] = False
            if "query_mask" in masks and not masks["query_mask"][b, t]:
                allowed[0, s] = False
            if "key_mask" in masks and not masks["key_mask"][b, s]:
                allowed[0, s] = False
            if "pair_mask" in masks:
                full = np.broadcast_to(masks["pair_mask"], (2, 4, 7, 11))
                if not full[b, head, t, s]:
                    allowed[0, s] = False
        weights[b, head, t] = oracles.masked_softmax(scores, allowed)[0]
        context[b, head, t] = weights[b, head, t] @ VALUE[b, head // 2]
    return context, weights


RULES = st.builds(
    functional.PairRules,
    causal=st.booleans(),
    window=st.sampled_from([None, 1, 3, 20]),
    soft_cap=st.sampled_from([None, 0.7]),
)


@example(functional.PairRules(window=3), set(), 0, "counted", False, 2)
@example(functional.PairRules(causal=True, window=3), set(), 4, "counted", True, 3)
@example(functional.PairRules(causal=True, window=3), set(), 0, "by row", True, 3)
@given(
    rules=RULES,
    present=st.sets(st.sampled_from(list(MASKS))),
    start=st.sampled_from([0, 4]),
    positions=st.sampled_from(list(POSITIONS)),
    with_bias=st.booleans(),
    chunk_size=st.sampled_from([None, 1, 3, 7, 20]),
)
def test_every_combination(rules, present, start, positions, with_bias, chunk_size):
    masks = {name: MASKS[name] for name in present}
    bias, positions = BIAS if with_bias else None, POSITIONS[positions]
    context, weights = _expected(rules, start, bias, **positions, **masks)
    found, found_weights = functional.dot_product_attention(
        QUERY,
        KEY,
        VALUE,
        rules,
        distance_bias=TABLE if with_bias else None,
        query_start=start,
        chunk_size=chunk_size,
        **positions,
        **masks,
    )
    np.testing.assert_allclose(to_numpy(found), context, atol=1e-5)
    if chunk_size is None:
        np.testing.assert_allclose(to_numpy(found_weights), weights, atol=1e-5)
    else:
        assert found_weights is None


@pytest.mark.parametrize(
    "shape", [(1, 1, 1, 11), (2, 1, 7, 1), (1, 4, 7, 11), (1, 1, 7, 1)], ids=str
)
@pytest.mark.parametrize("window", [None, 3])
def test_masks_of_pairs_are_broadcast_over_chunks(shape, window):
    mask = booleans(*shape, seed=8)
    rules = functional.PairRules(window=window)
    expected, _ = _expected(rules, pair_mask=mask)
    found, _ = functional.dot_product_attention(
        QUERY, KEY, VALUE, rules, pair_mask=mask, chunk_size=3
    )
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-5)


@pytest.mark.parametrize("window", [None, 3])
def test_compiled_chunks(window):
    rules = functional.PairRules(causal=True, window=window)
    expected, _ = _expected(rules, **MASKS)

    def run(query, key, value, **masks):
        return functional.dot_product_attention(
            query, key, value, rules, chunk_size=3, **masks
        )[0]

    found = compiled(run)(QUERY, KEY, VALUE, **MASKS)
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-5)


@pytest.mark.parametrize("window", [None, 3])
def test_chunks_drop_the_same_pairs(window):
    rules = functional.PairRules(causal=True, window=window, dropout=0.4)
    seeds = functional.pair_seeds(2, 4, 7, 11, keras.random.SeedGenerator(3))
    found = [
        to_numpy(
            functional.dot_product_attention(
                QUERY, KEY, VALUE, rules, seeds=seeds, chunk_size=chunk_size
            )[0]
        )
        for chunk_size in (None, 3)
    ]
    np.testing.assert_allclose(found[1], found[0], atol=1e-5)
    still, _ = functional.dot_product_attention(QUERY, KEY, VALUE, rules)
    assert not np.allclose(found[0], to_numpy(still), atol=1e-2)


@pytest.mark.parametrize("chunk_size", [None, 3])
def test_weights_of_ones_own(chunk_size):
    def compute_weights(scores, mask):
        assert keras.backend.standardize_dtype(scores.dtype) == "float32"
        return keras.ops.where(mask, keras.ops.sigmoid(scores), 0.0)

    rules = functional.PairRules(causal=True)
    found, weights = functional.dot_product_attention(
        QUERY, KEY, VALUE, rules, chunk_size=chunk_size, compute_weights=compute_weights
    )
    scores = np.einsum("bnth,bnsh->bnts", QUERY, KEY.repeat(2, axis=1)) / 6**0.5
    expected = np.tri(7, 11) / (1 + np.exp(-scores))
    context = expected @ VALUE.repeat(2, axis=1)
    np.testing.assert_allclose(to_numpy(found), context, atol=1e-5)
    if chunk_size is None:
        np.testing.assert_allclose(to_numpy(weights), expected, atol=1e-6)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_dropout_keeps_the_mean_of_contexts(rate):
    query, key = (
        np.zeros((2, 3, 200, 5), "float32"),
        np.zeros((2, 3, 300, 5), "float32"),
    )
    seeds = functional.pair_seeds(2, 3, 200, 300, keras.random.SeedGenerator(3))
    rules = functional.PairRules(dropout=rate)
    context, _ = functional.dot_product_attention(
        query, key, np.ones_like(key), rules, seeds=seeds
    )
    # Of 300 equal weights each; five deviations.
    deviation = np.sqrt(rate / (1 - rate) / (2 * 3 * 200 * 300))
    assert to_numpy(context).mean() == pytest.approx(1, abs=5 * deviation)
