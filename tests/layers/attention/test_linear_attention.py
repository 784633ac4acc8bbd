"""`LinearAttention` against the equations of Katharopoulos et al. (2020), in loops."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention import functional
from keras_attention.layers import LinearAttention
from tests import oracles
from tests.backends import BACKEND, on_unknown_shapes, to_numpy
from tests.tensors import booleans, normal, randomize, real_positions, weights_by_name

HEADS, KEY, WIDTH = 2, 3, 5
QUERY, VALUE, KEYS = (
    normal(3, 5, 11),
    normal(3, 7, 13, seed=1),
    normal(3, 7, 17, seed=2),
)
MASKS = {
    "query_mask": real_positions([5, 3, 4], 5),
    "value_mask": real_positions([7, 5, 0], 7),
    "key_mask": booleans(3, 7, seed=3),
}


def built(*shapes, **options):
    layer = LinearAttention(HEADS, KEY, WIDTH, **options)
    layer.build(*(shapes or (QUERY.shape, VALUE.shape, KEYS.shape)))
    return randomize(layer)


def by_the_paper(layer, mask):
    """Output and weights `(B, N, T, S)`, pair by pair."""
    weights = weights_by_name(layer)

    def project(inputs, part):
        found = inputs @ weights[f"{part}/kernel"] + weights[f"{part}/bias"]
        return np.split(found, HEADS, axis=-1)

    def features(inputs):
        return np.where(inputs > 0, inputs, np.exp(np.minimum(inputs, 0)) - 1) + 1

    contexts, found = [], np.zeros((3, HEADS, 5, 7))
    for n, (query, key, value) in enumerate(
        zip(
            project(QUERY, "query"),
            project(KEYS, "key"),
            project(VALUE, "value"),
            strict=True,
        )
    ):
        context = np.zeros((3, 5, WIDTH))
        for b, t in np.ndindex(3, 5):
            seen = [s for s in range(7) if mask[b, t, s]]
            own = {
                s: oracles.dot(features(query[b, t]), features(key[b, s])) for s in seen
            }
            for s in seen:
                found[b, n, t, s] = own[s] / sum(own.values())
                context[b, t] += found[b, n, t, s] * value[b, s]
        contexts.append(context)
    joined = np.concatenate(contexts, axis=-1)
    return joined @ weights["output/kernel"] + weights["output/bias"], found


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    "names", [(), *((name,) for name in MASKS), tuple(MASKS)], ids=str
)
@pytest.mark.parametrize("chunk_size", [1, 3, 64])
def test_output_and_weights(chunk_size, names, causal):
    layer = built(chunk_size=chunk_size)
    masks = {name: MASKS[name] for name in names}
    output, weights = layer(
        QUERY,
        VALUE,
        KEYS,
        use_causal_mask=causal,
        return_attention_scores=True,
        **masks,
    )
    mask = oracles.pair_mask(3, 5, 7, causal=causal, **masks)
    expected, expected_weights = by_the_paper(layer, mask)
    np.testing.assert_allclose(to_numpy(output), expected, atol=5e-5)
    np.testing.assert_allclose(to_numpy(weights), expected_weights, atol=1e-5)


def test_weights_are_computed_only_when_asked(monkeypatch):
    layer = built()
    monkeypatch.setattr(functional, "linear_weights", None)
    layer(QUERY, VALUE, KEYS)
    with pytest.raises(TypeError):
        layer(QUERY, VALUE, KEYS, return_attention_scores=True)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="whose graphs say all sizes")
@pytest.mark.parametrize("causal", [False, True])
def test_nothing_is_made_for_each_pair_or_for_each_position_a_state(causal):
    import tensorflow as tf

    length, layer = 512, built((1, None, 8), (1, None, 8), chunk_size=16)
    graph = tf.function(lambda x: layer(x, x, use_causal_mask=causal))
    graph = graph.get_concrete_function(tf.TensorSpec((1, length, 8))).graph
    sizes = [
        output.shape.num_elements() or 0
        for operation in graph.get_operations()
        for output in operation.outputs
    ]
    # A state is of 3 * 6 numbers a head, the products within chunks 16 a position.
    assert HEADS * length * WIDTH < max(sizes) <= HEADS * length * 16
    weighed = tf.function(lambda x: layer(x, x, return_attention_scores=True))
    weighed = weighed.get_concrete_function(tf.TensorSpec((1, length, 8))).graph
    assert any(
        output.shape.num_elements() == HEADS * length**2
        for operation in weighed.get_operations()
        for output in operation.outputs
    )


def test_a_state_is_of_one_size_however_long():
    layer = built(VALUE.shape, VALUE.shape)
    states = [layer.start(VALUE, max_length=length) for length in (1, 1000)]
    states.append(layer.start(VALUE))
    states.append(layer.start(VALUE[:, :2]))
    for state in states:
        (sums,) = keras.tree.flatten(state)
        assert tuple(sums.shape) == (3, HEADS, KEY, WIDTH + 1)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_long_sums_are_not_of_half_precision(policy):
    layer = built(VALUE.shape, VALUE.shape, dtype=policy)
    inputs = np.repeat(VALUE[:, :1], 700, axis=1)
    first = to_numpy(layer(inputs[:, :1], inputs[:, :1]))
    whole = to_numpy(layer(inputs, inputs, use_causal_mask=True))
    state, index = layer.start(inputs, max_length=700), 0
    for size in (1, 300, 398, 1):
        now = ops.convert_to_tensor(inputs[:, index : index + size])
        output, state, _ = layer.step(now, state, index)
        index += size
    assert keras.backend.standardize_dtype(state["past"].dtype) == "float32"
    for found in (whole[:, -1:], to_numpy(output)):
        np.testing.assert_allclose(found, first, rtol=2e-2, atol=2e-2)


def test_keys_far_below_zero_still_share_the_weight():
    layer = built((1, None, 4), (1, None, 4))
    for weight in layer.weights:
        if weight.path.endswith("key/bias"):
            weight.assign(np.full(weight.shape, -30.0))
    inputs = normal(1, 6, 4)
    _, weights = layer(inputs, inputs, return_attention_scores=True)
    np.testing.assert_allclose(to_numpy(weights).sum(axis=-1), 1, atol=1e-5)


def test_masks_of_pairs_are_refused():
    layer, mask = LinearAttention(2, 3), np.ones((3, 5, 7), bool)
    symbols = keras.Input((5, 11)), keras.Input((7, 13))
    for inputs in ((QUERY, VALUE), symbols):
        with pytest.raises(ValueError, match="`attention_mask` must be left out"):
            layer(*inputs, attention_mask=mask)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_heads": 0}, "`num_heads` must .*: num_heads=0"),
        ({"value_dim": 1.5}, "`value_dim` must .*: value_dim=1.5"),
        ({"chunk_size": 0}, "`chunk_size` must .*: chunk_size=0"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        LinearAttention(**{"num_heads": 2, "key_dim": 3, **options})


def test_a_graph_of_any_length():
    layer = built(VALUE.shape, VALUE.shape, chunk_size=3)

    def run(inputs):
        return layer(inputs["x"], inputs["x"], use_causal_mask=True)

    traced = on_unknown_shapes(run, {"x": VALUE}, {"x": (None, None, 13)})
    for length in (0, 1, 3, 7):
        part = {"x": VALUE[:, :length]}
        np.testing.assert_allclose(
            to_numpy(traced(part)), to_numpy(run(part)), atol=1e-5
        )
