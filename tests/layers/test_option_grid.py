"""Every combination of the options of `MultiHeadAttention` against plain loops.

The loops know one mask: a boolean for each pair of a query and a key.
"""

import itertools
import math

import numpy as np
import pytest

from keras_attention import layers
from tests import oracles
from tests.backends import BACKEND, to_numpy
from tests.tensors import booleans, normal, randomize, weights_by_name

BATCH, TARGET, SOURCE, HEADS, DIM = 2, 3, 5, 2, 4
QUERY, VALUE = normal(BATCH, TARGET, 7), normal(BATCH, SOURCE, 6, seed=1)
MASKS = {
    "none": {},
    "value": {"value_mask": booleans(BATCH, SOURCE, seed=2)},
    "both": {
        "query_mask": booleans(BATCH, TARGET, seed=3),
        "value_mask": booleans(BATCH, SOURCE, seed=2),
    },
    "pairs": {"attention_mask": booleans(BATCH, TARGET, SOURCE, seed=4)},
    "heads": {"attention_mask": booleans(BATCH, HEADS, TARGET, SOURCE, seed=5)},
}
POSITIONS = {
    "none": lambda: None,
    "rotary": lambda: layers.RotaryEmbedding(max_wavelength=20),
    "alibi": lambda: layers.AlibiBias(),
    "relative": lambda: layers.RelativePositionBias(4, 5),
}
# Rounding of the dtype, some operations deep.
TOLERANCES = {"float32": 2e-5, "mixed_float16": 2e-2, "mixed_bfloat16": 1.5e-1}
OPTIONS = {
    "num_key_value_heads": (1, 2),
    "sliding_window": (None, 2),
    "query_key_norm": (False, True),
    "soft_cap": (None, 0.7),
    "use_gate": (False, True),
}
LAYERS = list(itertools.product(POSITIONS, *OPTIONS.values()))
# Where each operation compiles by itself, a part of them.
TESTED = LAYERS if BACKEND == "tensorflow" else LAYERS[::27]
PATHS = ("plain", "asked", "chunks")
# Which pairs there are is no matter of the precision: half precision meets a few masks.
CALLS = {
    precision: list(itertools.product(masks, causal, PATHS))
    for precision, masks, causal in (
        ("float32", MASKS, (False, True)),
        ("mixed_float16", ("both", "heads"), (True,)),
        ("mixed_bfloat16", ("both", "heads"), (True,)),
    )
}


def _heads_of(inputs, weights, name, heads):
    projected = inputs @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]
    return projected.reshape(*projected.shape[:-1], heads, -1).swapaxes(1, 2)


def _root_mean_square(heads, scale):
    return heads / np.sqrt((heads**2).mean(axis=-1, keepdims=True) + 1e-6) * scale


def _turned(vector, position):
    half = len(vector) // 2
    pairs = vector[:half] + 1j * vector[half:]
    angles = position / 20.0 ** (2 * np.arange(half) / len(vector))
    turned = pairs * np.exp(1j * angles)
    return np.concatenate([turned.real, turned.imag])


def _bucket(distance):
    """Of four buckets, two a direction, one of them for distance zero alone."""
    if distance == 0:
        return 0
    return 3 if distance > 0 else 1


def _scores(layer, position, weights, queries, keys):
    """Before masks, `(B, N, T, S)`."""
    scores = np.zeros((BATCH, HEADS, TARGET, SOURCE))
    for b, n, t, s in np.ndindex(scores.shape):
        query, key = queries[b, n, t], keys[b, n * keys.shape[1] // HEADS, s]
        if position == "rotary":
            query, key = _turned(query, t), _turned(key, s)
        score = oracles.scaled_dot(query, key)
        if layer.soft_cap is not None:
            score = layer.soft_cap * math.tanh(score / layer.soft_cap)
        if position == "alibi":
            score -= [1 / 16, 1 / 256][n] * abs(s - t)
        if position == "relative":
            score += weights["table/embeddings"][_bucket(s - t), n]
        scores[b, n, t, s] = score
    return scores


def _mask(masks, causal, window):
    pairs = {**masks}
    by_heads = pairs.pop("attention_mask", np.ones((BATCH, TARGET, SOURCE), "bool"))
    mask = oracles.pair_mask(BATCH, TARGET, SOURCE, causal=causal, **pairs)[:, None]
    mask = mask & (by_heads if by_heads.ndim == 4 else by_heads[:, None])
    if window is not None:
        distance = np.arange(SOURCE) - np.arange(TARGET)[:, None]
        mask = mask & (abs(distance) < window)
    return np.broadcast_to(mask, (BATCH, HEADS, TARGET, SOURCE))


def _expected(layer, scores, values, weights, mask):
    found = oracles.masked_softmax(scores, mask)
    shared = np.arange(HEADS) * values.shape[1] // HEADS
    context = (found @ values[:, shared]).swapaxes(1, 2).reshape(BATCH, TARGET, -1)
    if layer.use_gate:
        gate = QUERY @ weights["gate/kernel"] + weights["gate/bias"]
        context = context * oracles.sigmoid(gate)
    return context @ weights["output/kernel"] + weights["output/bias"], found


@pytest.mark.parametrize("case", TESTED, ids=lambda case: "-".join(map(str, case)))
def test_every_combination_of_options(case):
    position, options = case[0], dict(zip(OPTIONS, case[1:], strict=True))
    layer = _made(options, position)
    weights = weights_by_name(layer)
    queries = _heads_of(QUERY, weights, "query", HEADS)
    keys = _heads_of(VALUE, weights, "key", options["num_key_value_heads"])
    if layer.query_key_norm:
        queries = _root_mean_square(queries, weights["query_norm/scale"])
        keys = _root_mean_square(keys, weights["key_norm/scale"])
    values = _heads_of(VALUE, weights, "value", options["num_key_value_heads"])
    scores = _scores(layer, position, weights, queries, keys)
    expectations = {}
    for name, causal in itertools.product(MASKS, (False, True)):
        mask = _mask(MASKS[name], causal, layer.sliding_window)
        expected = _expected(layer, scores, values, weights, mask)
        expectations[name, causal] = (mask, *expected)
    for precision, tolerance in TOLERANCES.items():
        paths = {
            size: _made(options, position, dtype=precision, chunk_size=size)
            for size in (None, 2)
        }
        for name, causal, path in CALLS[precision]:
            mask, output, expected = expectations[name, causal]
            found = paths[2 if path == "chunks" else None](
                QUERY,
                VALUE,
                use_causal_mask=causal,
                return_attention_scores=path == "asked",
                **MASKS[name],
            )
            if path == "asked":
                found, found_weights = found
                found_weights = to_numpy(found_weights)
                np.testing.assert_allclose(found_weights, expected, atol=tolerance)
                assert not found_weights[~mask].any()
            np.testing.assert_allclose(
                to_numpy(found), output, atol=tolerance * max(1, abs(output).max())
            )


def _made(options, position, **more):
    layer = layers.MultiHeadAttention(
        HEADS, DIM, position=POSITIONS[position](), **options, **more
    )
    layer.build(QUERY.shape, VALUE.shape)
    return randomize(layer)


def test_the_grid_is_as_large_as_it_says(capsys):
    count = len(TESTED) * sum(map(len, CALLS.values()))
    with capsys.disabled():
        print(f"\n{count} combinations of options, masks, paths and dtypes")
    assert count == 5_376 or BACKEND != "tensorflow"
