"""`SelfAttention` against a loop over pairs."""

import numpy as np
import pytest

from keras_attention.layers import SelfAttention
from tests import oracles
from tests.backends import to_numpy
from tests.tensors import booleans, normal, randomize, real_positions, weights_by_name

INPUTS = normal(3, 7, 11)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("use_bias", [False, True])
def test_output_and_weights(causal, masked, use_bias):
    layer = SelfAttention(5, value_dim=13, use_causal_mask=causal, use_bias=use_bias)
    layer.build(INPUTS.shape)
    weights = weights_by_name(randomize(layer))
    mask, attention_mask = None, None
    if masked:
        mask = real_positions([7, 5, 0], 7)
        attention_mask = booleans(3, 7, 7, seed=1)
    found = layer(
        INPUTS, mask=mask, attention_mask=attention_mask, return_attention_scores=True
    )
    query, key, value = (
        INPUTS @ weights[f"{name}/kernel"] + weights.get(f"{name}/bias", 0)
        for name in ("query", "key", "value")
    )
    pairs = oracles.pair_mask(
        3,
        7,
        7,
        query_mask=mask,
        value_mask=mask,
        attention_mask=attention_mask,
        causal=causal,
    )
    expected = oracles.attention(oracles.scaled_dot, query, key, value, pairs)
    for part, wanted in zip(to_numpy(found), expected, strict=True):
        np.testing.assert_allclose(part, wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key_dim": 0}, "`key_dim` must be .* Received: key_dim=0"),
        ({"key_dim": True}, "`key_dim` must be .* Received: key_dim=True"),
        ({"key_dim": 3, "value_dim": 1.5}, "`value_dim` .* Received: value_dim=1.5"),
        ({"key_dim": 3, "dropout": 1}, "`dropout` must be .* Received: dropout=1"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        SelfAttention(**options)
