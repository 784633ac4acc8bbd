"""What every attention of several heads keeps: steps, padding, models."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention import functional, layers, models
from keras_attention.decoding import BeamSearch
from keras_attention.layers import steps
from tests.backends import compiled, to_numpy
from tests.own_layers import best_by_enumeration
from tests.tensors import normal, randomize, real_positions

KINDS = {
    "differential": functools.partial(layers.DifferentialAttention, 2, 4),
    "differential, grouped, rotary": lambda **options: layers.DifferentialAttention(
        4,
        4,
        depth=1,
        num_key_value_heads=2,
        position=layers.RotaryEmbedding(),
        **options,
    ),
    "latent": functools.partial(layers.MultiHeadLatentAttention, 2, 4, 6, 2),
    "latent queries": functools.partial(
        layers.MultiHeadLatentAttention, 2, 4, 6, 0, 3, query_latent_dim=5
    ),
    "linear": functools.partial(layers.LinearAttention, 2, 4, 3, chunk_size=2),
}
INPUTS, MEMORY = normal(3, 6, 8), normal(3, 7, 8, seed=1)
MASK = real_positions([7, 4, 1], 7)
ROUNDING = {"float32": 2e-5, "mixed_float16": 2e-2, "mixed_bfloat16": 1e-1}
every_kind = pytest.mark.parametrize("kind", KINDS)


@functools.cache
def make(kind, dtype="float32"):
    layer = KINDS[kind](dtype=dtype)
    layer.build(INPUTS.shape, MEMORY.shape)
    return randomize(layer)


def read(layer, inputs, state, chunks):
    """Outputs and weights of steps of some positions each, and the last state."""
    outputs, weights, index = [], [], 0
    for size in chunks:
        now = ops.convert_to_tensor(inputs[:, index : index + size])
        output, state, attended = layer.step(now, state, index)
        outputs.append(to_numpy(output))
        weights.append(to_numpy(attended))
        index += size
    return np.concatenate(outputs, axis=1), weights, state


def assert_close(found, expected, dtype="float32"):
    found, expected = to_numpy(found), to_numpy(expected)
    scale = max(1, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING[dtype] * scale)


@pytest.mark.whole("tensorflow")
@every_kind
@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("chunks", [[1] * 6, [3, 1, 2], [6]], ids=str)
def test_steps_over_a_past_equal_one_causal_pass(kind, chunks, dtype):
    layer = make(kind, dtype)
    expected = layer(INPUTS, INPUTS, use_causal_mask=True)
    found, _, _ = read(layer, INPUTS, layer.start(MEMORY, 9), chunks)
    assert_close(found, expected, dtype)


@pytest.mark.whole("tensorflow")
@every_kind
@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
def test_steps_over_a_memory_equal_one_pass(kind, mask):
    layer = make(kind)
    expected, weights = layer(
        INPUTS, MEMORY, value_mask=mask, return_attention_scores=True
    )
    state = layer.start(MEMORY, memory_mask=mask)
    found, seen, _ = read(layer, INPUTS, state, [1, 2, 3])
    assert_close(found, expected)
    if kind == "linear":  # It has no weights unless these are all that is asked for.
        assert seen == [None] * 3
    else:
        assert_close(np.concatenate(seen, axis=2), weights)


@every_kind
@pytest.mark.parametrize("first", [0, 2])
def test_hypotheses_that_go_on_from_others_know_their_own_past(kind, first):
    layer, count, random = make(kind), 3, np.random.default_rng(5)
    _, _, state = (
        read(layer, INPUTS, layer.start(MEMORY, 6), [first])
        if first
        else (None, None, layer.start(MEMORY, 6))
    )
    state = functional.expand_state(layer, state, count)
    memory = functional.expand_state(layer, layer.start(MEMORY), count)
    pasts = np.repeat(INPUTS[:, :first], count, axis=0)
    of_source = np.repeat(MEMORY, count, axis=0)
    for index in range(first, 6):
        now = random.normal(size=(9, 1, 8)).astype("float32")
        pasts = np.concatenate([pasts, now], axis=1)
        output, state, _ = layer.step(ops.convert_to_tensor(now), state, index)
        whole = to_numpy(layer(pasts, pasts, use_causal_mask=True))
        assert_close(output, whole[:, -1:])
        output, memory, _ = layer.step(ops.convert_to_tensor(now), memory, index)
        whole = to_numpy(layer(pasts, of_source))
        assert_close(output, whole[:, -1:])
        parents = random.integers(count, size=(3, count))
        parents = (parents + count * np.arange(3)[:, None]).reshape(-1)
        parents, pasts = ops.convert_to_tensor(parents), pasts[parents]
        state, memory = (
            steps.reorder_attention(layer, part, parents) for part in (state, memory)
        )


@every_kind
def test_compiled_steps(kind):
    layer = make(kind)
    for state in (layer.start(MEMORY, 4), layer.start(MEMORY, memory_mask=MASK)):
        now, index = ops.convert_to_tensor(INPUTS[:, :2]), ops.convert_to_tensor(0)
        expected = layer.step(now, state, 0)[:2]
        found = compiled(lambda *given: layer.step(*given)[:2])(now, state, index)
        for one, other in zip(*map(keras.tree.flatten, (found, expected)), strict=True):
            assert_close(one, other)


@every_kind
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("extreme", [0.0, 1e30])
def test_appended_padding_changes_nothing(kind, causal, extreme):
    layer = make(kind)

    def pad(inputs, count):
        return np.pad(inputs, ((0, 0), (0, count), (0, 0)), constant_values=extreme)

    expected = layer(INPUTS, MEMORY, use_causal_mask=causal)
    found, weights = layer(
        pad(INPUTS, 2),
        pad(MEMORY, 3),
        query_mask=real_positions([6] * 3, 8),
        value_mask=real_positions([7] * 3, 10),
        use_causal_mask=causal,
        return_attention_scores=True,
    )
    assert_close(found[:, :6], expected)
    assert not to_numpy(weights)[:, :, 6:].any()
    assert not to_numpy(weights)[..., 7:].any()


@every_kind
def test_masking_equals_deleting(kind):
    layer, kept = make(kind), np.array([0, 1, 2, 5])
    if kind in ("latent", "differential, grouped, rotary"):
        kept = np.arange(4)  # where positions count
    mask = np.zeros((3, 7), bool)
    mask[:, kept] = True
    found, weights = layer(
        INPUTS, MEMORY, value_mask=mask, return_attention_scores=True
    )
    expected, rest = layer(INPUTS, MEMORY[:, kept], return_attention_scores=True)
    assert_close(found, expected)
    assert_close(to_numpy(weights)[..., kept], rest)


@every_kind
def test_a_language_model_finds_what_enumeration_finds(kind, tmp_path):
    model = randomize(
        models.language_model(
            6,
            num_layers=2,
            num_heads=2,
            embedding_dim=8,
            intermediate_dim=11,
            attention=KINDS[kind],
        )
    )
    source = np.array([[3, 0]])  # an empty text
    found = BeamSearch(64, max_length=3, length_penalty=0.0)(model, source)
    (expected,) = best_by_enumeration(model, source, 3, 5)
    for place, (ids, score) in enumerate(expected):
        assert found.ids[0, place, : found.lengths[0, place]].tolist() == ids
        np.testing.assert_allclose(found.scores[0, place], score, atol=1e-4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    ids = np.array([[2, 4, 5, 4]])
    np.testing.assert_allclose(to_numpy(loaded(ids)), to_numpy(model(ids)), atol=1e-5)


@every_kind
def test_a_coverage_penalty_takes_its_weights_or_says_that_there_are_none(kind):
    model = randomize(
        models.transformer(
            6,
            6,
            num_layers=1,
            num_heads=2,
            embedding_dim=8,
            intermediate_dim=11,
            attention=KINDS[kind],
            cross_attention=KINDS[kind],
        )
    )
    search = BeamSearch(3, max_length=4, coverage_penalty=0.3)
    source = np.array([[4, 5, 4, 3], [5, 3, 0, 0]])
    if kind == "linear":
        with pytest.raises(ValueError, match="`coverage_penalty` needs a model with"):
            search(model, source)
    else:
        assert np.isfinite(search(model, source).scores).all()
