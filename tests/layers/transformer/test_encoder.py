"""`TransformerEncoder` against a block assembled of Keras's own layers."""

import keras
import numpy as np
import pytest

from keras_attention.layers import TransformerEncoder
from tests.backends import to_numpy
from tests.keras_blocks import KerasBlock
from tests.tensors import booleans, normal, randomize, real_positions

INPUTS = normal(3, 7, 10)


@pytest.mark.parametrize(
    ("normalize_first", "normalization", "gated", "key_value_heads"),
    [
        (False, "layer", False, None),
        (True, "layer", True, 1),
        (False, "rms", True, None),
        (True, "rms", False, 1),
    ],
)
def test_equals_a_block_of_keras_layers(
    normalize_first, normalization, gated, key_value_heads
):
    layer = TransformerEncoder(
        23,
        2,
        activation="silu",
        normalize_first=normalize_first,
        normalization=normalization,
        gated=gated,
        num_key_value_heads=key_value_heads,
        layer_norm_epsilon=1e-3,
    )
    layer.build(INPUTS.shape)
    block = KerasBlock(randomize(layer))
    attention = block.attention("self_attention")
    hidden = block.sublayer("attention_residual", INPUTS, attention)
    expected = block.sublayer("feed_forward_residual", hidden, block.feed_forward)
    np.testing.assert_allclose(to_numpy(layer(INPUTS)), to_numpy(expected), atol=2e-5)


def test_masks_reach_the_attention():
    layer = TransformerEncoder(23, 2)
    padding_mask = real_positions([7, 5, 3], 7)
    attention_mask = booleans(3, 7, 7, seed=1)
    _, weights = layer(
        INPUTS,
        padding_mask=padding_mask,
        attention_mask=attention_mask,
        return_attention_scores=True,
    )
    allowed = attention_mask & padding_mask[:, None, :] & padding_mask[:, :, None]
    allowed = np.repeat(allowed[:, None], 2, axis=1)
    np.testing.assert_array_equal(to_numpy(weights) > 0, allowed)


def test_output_is_the_same_with_and_without_weights():
    layer = TransformerEncoder(23, 2)
    output, _ = layer(INPUTS, return_attention_scores=True)
    np.testing.assert_array_equal(to_numpy(output), to_numpy(layer(INPUTS)))


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_weights_may_have_a_dropout_of_their_own(dropout):
    layer = TransformerEncoder(
        23,
        2,
        dropout=0.5,
        normalize_first=True,
        attention_options={"dropout": dropout},
    )
    layer.build(INPUTS.shape)
    for weight in randomize(layer).weights:
        if "feed_forward" in weight.path:
            weight.assign(keras.ops.zeros(weight.shape))
    attended = to_numpy(layer(INPUTS)) - INPUTS
    ratios = (to_numpy(layer(INPUTS, training=True)) - INPUTS) / attended
    # Of attended features the block drops some and doubles the rest.
    is_whole = np.isclose(ratios, 0, atol=1e-3) | np.isclose(ratios, 2, atol=1e-2)
    assert is_whole.all() == (dropout == 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"intermediate_dim": 0}, "`intermediate_dim` .*intermediate_dim=0"),
        ({"num_heads": 0}, "`num_heads` must be .* Received: num_heads=0"),
        ({"dropout": 1.5}, "`dropout` must be .* Received: dropout=1.5"),
        ({"normalization": "batch"}, "`normalization` .*normalization='batch'"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        TransformerEncoder(**{"intermediate_dim": 23, "num_heads": 2, **options})


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match=r"`num_heads` must divide.*=3.*=10"):
        TransformerEncoder(23, 3)(INPUTS)


def test_key_value_heads_must_divide_the_heads():
    message = "must divide `num_heads`.*num_key_value_heads=3, num_heads=2"
    with pytest.raises(ValueError, match=message):
        TransformerEncoder(23, 2, num_key_value_heads=3)(keras.ops.ones((3, 5, 10)))
