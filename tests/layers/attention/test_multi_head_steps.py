"""Steps of attention, hypotheses that share a past, and positions by row."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers import (
    AlibiBias,
    MultiHeadAttention,
    RelativePositionBias,
    RotaryEmbedding,
)
from tests.backends import compiled, to_numpy
from tests.tensors import normal, randomize, real_positions

INPUTS = normal(3, 6, 8)
MEMORY = normal(3, 7, 8, seed=1)
MASK = real_positions([7, 4, 1], 7)
OPTIONS = {
    "plain": {},
    "rotary": {"position": RotaryEmbedding},
    "alibi": {"position": AlibiBias},
    "relative": {"position": lambda: RelativePositionBias(8, 16)},
    "window": {"sliding_window": 2},
    "rotary in a window, grouped": {
        "position": RotaryEmbedding,
        "sliding_window": 3,
        "num_key_value_heads": 1,
    },
}
every_option = pytest.mark.parametrize("name", OPTIONS)


def make(name, cls=MultiHeadAttention):
    options = dict(OPTIONS[name])
    if "position" in options:
        options["position"] = options["position"]()
    layer = cls(2, 4, value_dim=3, **options)
    layer.build(INPUTS.shape, INPUTS.shape)
    return randomize(layer)


def read(layer, inputs, state, chunks):
    outputs, weights, index = [], [], 0
    for size in chunks:
        now = ops.convert_to_tensor(inputs[:, index : index + size])
        output, state, attended = layer.step(now, state, index)
        outputs.append(to_numpy(output))
        weights.append(to_numpy(attended))
        index += size
    return np.concatenate(outputs, axis=1), np.concatenate(weights, axis=2), state


@pytest.mark.whole("tensorflow")
@every_option
@pytest.mark.parametrize("chunks", [[1] * 6, [3, 1, 2]], ids=str)
def test_steps_over_a_past_equal_one_causal_pass(name, chunks):
    layer = make(name)
    expected = layer(INPUTS, INPUTS, use_causal_mask=True, return_attention_scores=True)
    output, weights = to_numpy(expected)
    found, seen, _ = read(layer, INPUTS, layer.start(MEMORY, 9), chunks)
    np.testing.assert_allclose(found, output, atol=1e-5)
    np.testing.assert_allclose(seen[..., :6], weights, atol=1e-5)
    assert not seen[..., 6:].any()


@every_option
@pytest.mark.parametrize("count", [None, 2])
@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
def test_steps_over_a_memory_equal_one_pass(name, count, mask):
    layer, rows = make(name), np.repeat(np.arange(3), count or 1)
    queries = normal(len(rows), 6, 8, seed=4)
    output, weights = to_numpy(
        layer(
            queries,
            MEMORY[rows],
            value_mask=None if mask is None else mask[rows],
            return_attention_scores=True,
        )
    )
    state = layer.start(MEMORY, memory_mask=mask)
    if count is not None:
        state = layer.expand(state, count)
        # What has been projected is not repeated.
        assert {len(part) for part in keras.tree.flatten(state)} == {3}
        state = layer.reorder(state, np.arange(len(rows))[::-1])
    found, seen, _ = read(layer, queries, state, [1, 2, 3])
    np.testing.assert_allclose(found, output, atol=1e-5)
    np.testing.assert_allclose(seen, weights, atol=1e-5)


@every_option
@pytest.mark.parametrize("first", [0, 1, 2])
def test_hypotheses_that_go_on_from_others_know_their_own_past(name, first):
    layer, count, random = make(name), 3, np.random.default_rng(5)
    state = layer.start(MEMORY, 6)
    inputs = INPUTS[:, :first]
    if first:
        _, _, state = read(layer, inputs, state, [first])
    state = layer.expand(state, count)
    pasts = np.repeat(inputs, count, axis=0)
    for index in range(first, 6):
        now = random.normal(size=(9, 1, 8)).astype("float32")
        pasts = np.concatenate([pasts, now], axis=1)
        output, state, weights = layer.step(ops.convert_to_tensor(now), state, index)
        expected = layer(
            pasts, pasts, use_causal_mask=True, return_attention_scores=True
        )
        for found, whole in zip((output, weights), expected, strict=True):
            found, whole = to_numpy(found), to_numpy(whole)
            if found.ndim == 4:
                assert not found[..., index + 1 :].any()
                found, whole = found[..., : index + 1], whole[:, :, -1:]
            else:
                whole = whole[:, -1:]
            np.testing.assert_allclose(found, whole, atol=1e-5)
        parents = random.integers(count, size=(3, count))
        parents = (parents + count * np.arange(3)[:, None]).reshape(-1)
        state = layer.reorder(state, ops.convert_to_tensor(parents))
        pasts = pasts[parents]


def test_hypotheses_read_several_positions_at_once():
    layer = make("rotary in a window, grouped")
    state = layer.expand(layer.start(MEMORY, 6), 2)
    inputs = normal(6, 6, 8, seed=7)
    whole = to_numpy(layer(inputs, inputs, use_causal_mask=True))
    found, _, state = read(layer, inputs[:, :4], state, [1, 3])
    np.testing.assert_allclose(found, whole[:, :4], atol=1e-5)
    parents = np.array([1, 1, 2, 3, 5, 4])
    state = layer.reorder(state, ops.convert_to_tensor(parents))
    inputs[:, :4] = inputs[parents, :4]
    whole = to_numpy(layer(inputs, inputs, use_causal_mask=True))
    output, _, _ = layer.step(ops.convert_to_tensor(inputs[:, 4:]), state, 4)
    np.testing.assert_allclose(to_numpy(output), whole[:, 4:], atol=1e-5)


def test_compiled_steps_of_hypotheses():
    layer = make("rotary")
    state = layer.expand(layer.start(MEMORY, 4), 2)
    now = normal(6, 1, 8, seed=2)
    index = ops.convert_to_tensor(0, "int32")
    expected, *_ = layer.step(ops.convert_to_tensor(now), state, 0)

    def run(now, state, index):
        return layer.step(now, state, index)[0]

    found = compiled(run)(now, state, index)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=1e-5)


@every_option
def test_left_padded_rows_with_positions_of_their_own(name):
    layer, left = make(name), np.array([0, 2, 5])
    expected = to_numpy(layer(INPUTS, INPUTS, use_causal_mask=True))
    padded = normal(3, 11, 8, seed=9)
    for row, pads in enumerate(left):
        padded[row, pads : pads + 6] = INPUTS[row]
    positions = np.arange(11) - left[:, None]
    found = layer(
        padded,
        padded,
        value_mask=positions >= 0,
        use_causal_mask=True,
        query_positions=positions,
        key_positions=positions,
    )
    for row, pads in enumerate(left):
        own = to_numpy(found)[row, pads : pads + 6]
        np.testing.assert_allclose(own, expected[row], atol=1e-5)


@every_option
def test_a_cache_of_left_padded_rows(name):
    layer, left = make(name), np.array([0, 1, 2])
    inputs = np.concatenate([normal(3, 2, 8, seed=9), INPUTS], axis=1)
    positions = np.arange(8) - left[:, None]
    given = {"value_mask": positions >= 0, "key_positions": positions}
    expected = to_numpy(
        layer(inputs, inputs, use_causal_mask=True, query_positions=positions, **given)
    )
    cache, found = layer.init_cache(3, 8), []
    for index in range(8):
        now = ops.convert_to_tensor(inputs[:, index : index + 1])
        own = positions[:, index : index + 1]
        output, cache = layer(
            now, now, cache=cache, cache_index=index, query_positions=own, **given
        )
        found.append(to_numpy(output))
    found = np.concatenate(found, axis=1)
    for row, pads in enumerate(left):
        np.testing.assert_allclose(found[row, pads:], expected[row, pads:], atol=1e-5)


@pytest.mark.parametrize("argument", ["query_positions", "key_positions"])
@pytest.mark.parametrize("shape", [(), (3, 1, 6)], ids=str)
def test_positions_of_other_axes_are_refused(argument, shape):
    with pytest.raises(ValueError, match=rf"`{argument}` .* Received: .*{argument}"):
        make("rotary")(INPUTS, INPUTS, **{argument: np.zeros(shape, "int32")})


@keras.saving.register_keras_serializable("keras_attention_tests")
class Sigmoids(MultiHeadAttention):
    """Each weight by itself, in place of their softmax."""

    def compute_attention_weights(self, scores, mask):
        weights = ops.sigmoid(scores)
        return weights if mask is None else ops.where(mask, weights, 0.0)


@pytest.mark.parametrize("causal", [False, True])
def test_weights_of_a_subclass_are_used_on_every_path(causal, tmp_path):
    layer, plain = make("plain", Sigmoids), make("plain")
    plain.set_weights(layer.get_weights())
    output, weights = layer(
        INPUTS, INPUTS, use_causal_mask=causal, return_attention_scores=True
    )
    query, key = (
        to_numpy(dense(INPUTS)).reshape(3, 6, 2, 4)
        for dense in (layer.query_dense, layer.key_dense)
    )
    scores = np.einsum("btnh,bsnh->bnts", query, key) / 2
    expected = 1 / (1 + np.exp(-scores)) * (np.tri(6) if causal else 1)
    np.testing.assert_allclose(to_numpy(weights), expected, atol=1e-5)
    other = to_numpy(plain(INPUTS, INPUTS, use_causal_mask=causal))
    assert not np.allclose(to_numpy(output), other, atol=1e-2)
    chunks = Sigmoids(2, 4, value_dim=3, chunk_size=4)
    chunks.build(INPUTS.shape, INPUTS.shape)
    chunks.set_weights(layer.get_weights())
    found = [chunks(INPUTS, INPUTS, use_causal_mask=causal)]
    if causal:
        found.append(read(layer, INPUTS, layer.start(MEMORY, 6), [2, 1, 3])[0])
    symbol = keras.Input((None, 8))
    model = keras.Model(symbol, layer(symbol, symbol, use_causal_mask=causal))
    model.save(tmp_path / "model.keras")
    found.append(keras.models.load_model(tmp_path / "model.keras")(INPUTS))
    for other in found:
        np.testing.assert_allclose(to_numpy(other), to_numpy(output), atol=1e-5)


def test_a_fused_attention_refuses_weights_of_ones_own():
    with pytest.raises(ValueError, match="`compute_attention_weights`"):
        Sigmoids(2, 4, flash_attention=True)
