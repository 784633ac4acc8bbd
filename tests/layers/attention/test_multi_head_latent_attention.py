"""`MultiHeadLatentAttention` against the equations of DeepSeek-V2, in loops."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention import layers
from keras_attention.layers import MultiHeadLatentAttention
from tests import oracles
from tests.backends import to_numpy
from tests.tensors import booleans, normal, randomize, real_positions, weights_by_name

HEADS, KEY, LATENT, ROTARY = 2, 3, 5, 4
QUERY, VALUE = normal(3, 5, 11), normal(3, 7, 13, seed=1)
MASKS = {
    "query_mask": real_positions([5, 3, 4], 5),
    "value_mask": real_positions([7, 5, 0], 7),
    "key_mask": booleans(3, 7, seed=3),
    "attention_mask": booleans(3, 5, 7, seed=4),
}


def built(*shapes, **options):
    sizes = {"key_dim": KEY, "latent_dim": LATENT, "rotary_dim": ROTARY}
    layer = MultiHeadLatentAttention(HEADS, **{**sizes, **options})
    layer.build(*(shapes or (QUERY.shape, VALUE.shape)))
    return randomize(layer)


def turned(vector, position):
    """`vector` with its features turned in pairs (Su et al. 2021)."""
    half = len(vector) // 2
    pairs = vector[:half] + 1j * vector[half:]
    angles = position / 10_000 ** (2 * np.arange(half) / max(len(vector), 1))
    pairs = pairs * np.exp(1j * angles)
    return np.concatenate([pairs.real, pairs.imag])


def normalized(vector, scale):
    return vector / np.sqrt((vector**2).mean() + 1e-6) * scale


def by_the_paper(layer, mask):
    """Output and weights `(B, N, T, S)`, pair by pair."""
    weights, rotary = weights_by_name(layer), layer.rotary_dim
    value_dim = layer.value_dim or KEY
    output, found = np.zeros(QUERY.shape), np.zeros((3, HEADS, 5, 7))
    for b in range(3):
        keys, values = [], []
        for s in range(7):
            latent, shared = np.split(VALUE[b, s] @ weights["latent/kernel"], [LATENT])
            latent = normalized(latent, weights["latent_norm/scale"])
            own = np.split(latent @ weights["key/kernel"], HEADS)
            keys.append([np.concatenate([k, turned(shared, s)]) for k in own])
            values.append(np.split(latent @ weights["value/kernel"], HEADS))
        for t in range(5):
            hidden = QUERY[b, t]
            if layer.query_latent_dim:
                latent = hidden @ weights["query_latent/kernel"]
                hidden = normalized(latent, weights["query_norm/scale"])
            contexts = []
            for n, joint in enumerate(
                np.split(hidden @ weights["query/kernel"], HEADS)
            ):
                content, own = np.split(joint, [KEY])
                query = np.concatenate([content, turned(own, t)])
                scores = np.array([oracles.dot(query, key[n]) for key in keys])
                scores = scores / np.sqrt(KEY + rotary)
                found[b, n, t] = oracles.masked_softmax(scores, mask[b, t])
                context = np.zeros(value_dim)
                for s in range(7):
                    context += found[b, n, t, s] * values[s][n]
                contexts.append(context)
            output[b, t] = np.concatenate(contexts) @ weights["output/kernel"]
    return output, found


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("names", [(), ("value_mask",), tuple(MASKS)], ids=str)
@pytest.mark.parametrize(
    "options",
    [{}, {"rotary_dim": 0}, {"value_dim": 6, "query_latent_dim": 7}],
    ids=str,
)
def test_output_and_weights(options, names, causal):
    layer, masks = built(**options), {name: MASKS[name] for name in names}
    output, weights = layer(
        QUERY, VALUE, use_causal_mask=causal, return_attention_scores=True, **masks
    )
    mask = oracles.pair_mask(3, 5, 7, causal=causal, **masks)
    expected, expected_weights = by_the_paper(layer, mask)
    np.testing.assert_allclose(to_numpy(output), expected, atol=5e-5)
    np.testing.assert_allclose(to_numpy(weights), expected_weights, atol=1e-5)


def test_a_state_holds_latent_vectors_and_rotary_keys_alone():
    layer = built(VALUE.shape, VALUE.shape)
    past = layer.start(VALUE, max_length=9)
    assert [tuple(part.shape) for part in keras.tree.flatten(past)] == [
        (3, 1, 9, LATENT + ROTARY)
    ]
    memory = layer.start(VALUE)
    (kept,) = keras.tree.flatten(memory)
    weights = weights_by_name(layer)
    for b, s in np.ndindex(3, 7):
        latent, shared = np.split(VALUE[b, s] @ weights["latent/kernel"], [LATENT])
        latent = normalized(latent, weights["latent_norm/scale"])
        expected = np.concatenate([latent, turned(shared, s)])
        np.testing.assert_allclose(to_numpy(kept)[b, 0, s], expected, atol=1e-5)


def test_steps_make_no_keys_and_values(monkeypatch):
    layer = built(VALUE.shape, VALUE.shape)
    expected = to_numpy(layer(VALUE, VALUE, use_causal_mask=True))
    for dense in (layer.key_dense, layer.value_dense):
        monkeypatch.setattr(dense, "call", None)
    state = layer.start(VALUE, max_length=7)
    found, _, _ = layer.step(ops.convert_to_tensor(VALUE), state, 0)
    np.testing.assert_allclose(to_numpy(found), expected, atol=1e-5)


@pytest.mark.usefixtures("frozen_heap")
@pytest.mark.filterwarnings(
    r"ignore:Layer \w+ does not have a `quantize` method:UserWarning"
)
@pytest.mark.parametrize("change", ["int8", "lora"])
def test_steps_know_of_quantization_and_adapters(change):
    layer = built(VALUE.shape, VALUE.shape)
    before = to_numpy(layer(VALUE, VALUE, use_causal_mask=True))
    for dense in (layer.key_dense, layer.value_dense):
        if change == "int8":
            dense.quantize("int8")
        else:
            dense.enable_lora(2)
            dense.lora_kernel_b.assign(normal(*dense.lora_kernel_b.shape, seed=5))
    expected = to_numpy(layer(VALUE, VALUE, use_causal_mask=True))
    assert np.abs(expected - before).max() > 1e-3
    state = layer.start(VALUE, max_length=7)
    found = to_numpy(layer.step(ops.convert_to_tensor(VALUE), state, 0)[0])
    # Quantized, what goes into a projection is rounded too, and here that is not it.
    tolerance = 1e-5 if change == "lora" else 0.03 * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, atol=tolerance)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent_dim": 0}, "`latent_dim` must .*: latent_dim=0"),
        ({"rotary_dim": 3}, "`rotary_dim` must be even.*: rotary_dim=3"),
        ({"rotary_dim": -2}, "`rotary_dim` must .*: rotary_dim=-2"),
        ({"query_latent_dim": 0}, "`query_latent_dim` must .*: query_latent_dim=0"),
        ({"use_bias": True}, "MultiHeadLatentAttention .*{'use_bias': True}"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    sizes = {"key_dim": KEY, "latent_dim": LATENT, "rotary_dim": ROTARY}
    with pytest.raises(ValueError, match=message):
        MultiHeadLatentAttention(HEADS, **{**sizes, **options})


def test_keys_of_their_own_are_refused():
    symbols = [keras.Input((7, 13)) for _ in range(3)]
    for inputs in ([VALUE] * 3, symbols):
        layer = layers.MultiHeadLatentAttention(2, 4, 6, 2)
        with pytest.raises(ValueError, match=r"`key` must be left out.*key\.shape"):
            layer(*inputs)
