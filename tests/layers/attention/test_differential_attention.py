"""`DifferentialAttention` against the equations of Ye et al. (2024), in loops."""

import math

import numpy as np
import pytest

from keras_attention.layers import DifferentialAttention, MultiHeadAttention
from tests import oracles
from tests.backends import to_numpy
from tests.tensors import booleans, normal, randomize, real_positions, weights_by_name

QUERY, VALUE, KEY = normal(3, 5, 11), normal(3, 7, 13, seed=1), normal(3, 7, 17, seed=2)
MASKS = {
    "query_mask": real_positions([5, 3, 4], 5),
    "value_mask": real_positions([7, 5, 0], 7),
    "key_mask": booleans(3, 7, seed=3),
    "attention_mask": booleans(3, 5, 7, seed=4),
}


def built(**options):
    layer = DifferentialAttention(**{"num_heads": 4, "key_dim": 3, **options})
    layer.build(QUERY.shape, VALUE.shape, KEY.shape)
    return randomize(layer)


def by_the_paper(layer, mask, initial):
    """Output and weights `(B, N, T, S)`, head by head."""
    weights, heads = weights_by_name(layer), layer.num_heads
    shared = layer.num_key_value_heads or heads
    name = layer.name

    def project(inputs, part, count):
        found = inputs @ weights[f"{part}/kernel"] + weights[f"{part}/bias"]
        return np.split(found, count, axis=-1)

    vectors = [
        weights[f"{name}/lambda_{part}"]
        for part in ("first_query", "first_key", "second_query", "second_key")
    ]
    factor = math.exp(oracles.dot(*vectors[:2])) - math.exp(oracles.dot(*vectors[2:]))
    factor += initial
    queries = project(QUERY, "query", 2 * heads)
    keys = project(KEY, "key", 2 * shared)
    values = project(VALUE, "value", shared)
    contexts, found = [], []
    for head in range(heads):
        group = head * shared // heads
        maps = [
            oracles.attention(
                oracles.scaled_dot,
                queries[head + which * heads],
                keys[group + which * shared],
                values[group],
                mask,
            )[1]
            for which in (0, 1)
        ]
        found.append(maps[0] - factor * maps[1])
        context = found[-1] @ values[group]
        squares = (context**2).mean(axis=-1, keepdims=True)
        normalized = context / np.sqrt(squares + 1e-6) * weights["context_norm/scale"]
        contexts.append((1 - initial) * normalized)
    joined = np.concatenate(contexts, axis=-1)
    output = joined @ weights["output/kernel"] + weights["output/bias"]
    return output, np.stack(found, axis=1), factor


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("names", [(), ("value_mask",), tuple(MASKS)], ids=str)
@pytest.mark.parametrize(
    ("options", "initial"),
    [
        ({}, 0.8),
        ({"depth": 1}, 0.2),
        ({"depth": 3, "value_dim": 5}, 0.8 - 0.6 * math.exp(-0.6)),
        ({"num_key_value_heads": 2}, 0.8),
    ],
    ids=str,
)
def test_output_and_weights(options, initial, names, causal):
    layer, masks = built(**options), {name: MASKS[name] for name in names}
    output, weights = layer(
        QUERY,
        VALUE,
        KEY,
        use_causal_mask=causal,
        return_attention_scores=True,
        **masks,
    )
    mask = oracles.pair_mask(3, 5, 7, causal=causal, **masks)
    expected, expected_weights, factor = by_the_paper(layer, mask, initial)
    np.testing.assert_allclose(to_numpy(output), expected, atol=5e-5)
    np.testing.assert_allclose(to_numpy(weights), expected_weights, atol=1e-5)
    sums = np.where(mask.any(axis=-1), 1 - factor, 0)[:, None]
    np.testing.assert_allclose(
        to_numpy(weights).sum(axis=-1), np.repeat(sums, 4, axis=1), atol=1e-5
    )


def test_half_as_many_heads_are_of_the_same_size():
    layer, usual = DifferentialAttention(2, 8), MultiHeadAttention(4, 8)
    for each in (layer, usual):
        each.build((None, None, 32), (None, None, 32))
    vectors_and_scale = 4 * 8 + 16
    assert layer.count_params() == usual.count_params() + vectors_and_scale


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 0}, "`depth` must .*: depth=0"),
        ({"key_dim": 2.5}, "`key_dim` must .*: key_dim=2.5"),
        ({"chunk_size": 2}, "DifferentialAttention .*{'chunk_size': 2}"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        DifferentialAttention(**{"num_heads": 2, "key_dim": 3, **options})
