"""Under float64 everything is float64: against oracles of NumPy, to 1e-12.

On JAX and PyTorch, where operations of Keras's return float32, nothing fails.
"""

import numpy as np
import pytest
from keras import ops

from keras_attention import functional, layers, models, training
from keras_attention.decoding import BeamSearch, Greedy, Sampling
from tests import oracles
from tests.backends import HAS_DOUBLE, double_precision, to_numpy
from tests.small_models import INPUTS, SOURCE, TARGET, build, decode
from tests.tensors import normal, randomize, real_positions, weights_by_name

EXACT = {"rtol": 0, "atol": 1e-12} if HAS_DOUBLE else {"rtol": 1e-5, "atol": 1e-5}
QUERY = normal(3, 5, 8).astype("float64") / 3
VALUE = normal(3, 7, 8, seed=1).astype("float64") / 3


def is_double(array):
    return array.dtype == "float64" or not HAS_DOUBLE


@pytest.fixture(autouse=True, params=[False, True], ids=["policy", "floatx"])
def _double(request):
    with double_precision(request.param):
        yield


def test_tables_of_positions():
    positions = np.arange(40)
    found = to_numpy(functional.sinusoidal_positions(positions, 6, "float64"))
    expected = [[oracles.sinusoid(p, i, 6) for i in range(6)] for p in positions]
    np.testing.assert_allclose(found, expected, **EXACT)
    embedding = layers.PositionalEmbedding(9, 6)
    ids = np.array([[4, 4, 4, 4]])
    vectors = to_numpy(embedding(ids))[0]
    np.testing.assert_allclose(
        vectors[1:] - vectors[0], np.subtract(expected[1:4], expected[0]), **EXACT
    )


def test_rotations():
    inputs = normal(1, 6, 4).astype("float64")
    found = to_numpy(layers.RotaryEmbedding(100.0)(inputs, start_index=3))
    angles = np.arange(3, 9)[:, None] * 100.0 ** -(np.arange(2) / 2)
    turned = (inputs[..., :2] + 1j * inputs[..., 2:]) * np.exp(1j * angles)
    expected = np.concatenate([turned.real, turned.imag], axis=-1)
    np.testing.assert_allclose(found, expected, **EXACT)


def test_a_bias_of_distances():
    scores = np.zeros((1, 3, 2, 4))
    found = to_numpy(layers.AlibiBias(6.0)(scores))
    # Of three heads, the last takes the slope between the two of a power of two.
    slopes = 2.0 ** -np.array([3.0, 6.0, 1.5])
    distances = np.abs(np.arange(4) - np.arange(2)[:, None])
    np.testing.assert_allclose(found[0], -slopes[:, None, None] * distances, **EXACT)
    learned = layers.RelativePositionBias(8, 16)
    found = to_numpy(learned(scores))
    table = to_numpy(learned.weights[0])
    np.testing.assert_array_equal(found[0, :, 0, 0], table[0])
    assert is_double(found)


@pytest.mark.parametrize("score", ["dot", "scaled_dot", "cosine", "general"])
def test_attention(score):
    layer = layers.Attention(score)
    mask = real_positions([7, 3, 1], 7)
    found = layer(QUERY, VALUE, value_mask=mask, return_attention_scores=True)
    own = getattr(oracles, score)
    if score == "general":
        own = oracles.general(to_numpy(layer.weights[0]))
    pairs = np.broadcast_to(mask[:, None], (3, 5, 7))
    expected = oracles.attention(own, QUERY, VALUE, VALUE, pairs)
    for one, other in zip(to_numpy(found), expected, strict=True):
        assert is_double(one)
        np.testing.assert_allclose(one, other, **EXACT)


@pytest.mark.parametrize("chunk_size", [None, 2])
def test_multi_head_attention(chunk_size):
    layer = layers.MultiHeadAttention(2, 3, chunk_size=chunk_size)
    layer.build(QUERY.shape, VALUE.shape)
    randomize(layer)
    mask = real_positions([7, 3, 1], 7)
    found = to_numpy(layer(QUERY, VALUE, value_mask=mask))
    weights = weights_by_name(layer)
    pairs = np.broadcast_to(mask[:, None, None], (3, 2, 5, 7))
    expected, _ = oracles.multi_head_attention(
        QUERY, VALUE, VALUE, weights, 2, 2, pairs
    )
    np.testing.assert_allclose(found, expected, **EXACT)


@pytest.mark.parametrize("architecture", ["transformer", "rnn"])
def test_steps_of_a_model_equal_one_pass(architecture):
    model = build(architecture)
    expected = to_numpy(model(INPUTS))
    assert is_double(expected)
    found, attention = decode(model, SOURCE, TARGET, TARGET.shape[1])
    assert is_double(found)
    assert is_double(attention)
    is_real = TARGET != 0
    np.testing.assert_allclose(found[is_real], expected[is_real], **EXACT)


@pytest.mark.parametrize(
    "make",
    [
        lambda: build("transformer"),
        lambda: build("transformer", positions="relative"),
        lambda: build("rnn"),
        lambda: models.language_model(
            11, "rnn", embedding_dim=8, units=8, num_layers=1
        ),
        lambda: models.language_model(
            11, embedding_dim=8, num_heads=2, num_layers=1, intermediate_dim=9
        ),
        lambda: models.Ensemble([build("transformer"), build("rnn")]),
    ],
    ids=["transformer", "relative", "rnn", "language_rnn", "language", "ensemble"],
)
@pytest.mark.parametrize(
    "search",
    [
        Greedy(max_length=5, min_length=3, repetition_penalty=1.5),
        BeamSearch(2, max_length=5, no_repeat_ngram_size=2),
        BeamSearch(4, 5, num_groups=2, min_length_ratio=0.5, normalization="length"),
        Sampling(5, top_k=3, top_p=0.9, min_p=0.01, num_samples=2, seed=3),
    ],
    ids=["greedy", "beam", "groups", "sampling"],
)
def test_searches(make, search):
    model = make()
    found = search(model, SOURCE)
    assert is_double(found.scores)
    assert found.attention is None or is_double(found.attention)
    log_probs = to_numpy(model.log_probabilities(SOURCE, found.ids[:, 0]))
    assert is_double(log_probs)
    if isinstance(search, Sampling):
        np.testing.assert_allclose(log_probs.sum(axis=1), found.scores[:, 0], **EXACT)


def test_options_of_searches_as_tensors():
    model = build("transformer")
    options = {"length_penalty": ops.convert_to_tensor(0.5, "float32")}
    beam = BeamSearch(2, max_length=5, coverage_penalty=0.1).with_options(**options)
    assert is_double(to_numpy(beam.search(model, SOURCE).scores))
    options = {
        name: ops.convert_to_tensor(value, "float32")
        for name, value in (("temperature", 0.5), ("min_p", 0.1))
    }
    draw = Sampling(max_length=5, seed=1).with_options(**options)
    assert is_double(to_numpy(draw.search(model, SOURCE).scores))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_losses_and_metrics(smoothing):
    logits = normal(2, 3, 7).astype("float64") * 3
    labels = np.array([[3, 1, 0], [6, 0, 0]])
    loss = training.MaskedCrossEntropy(smoothing)
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    plain = -np.take_along_axis(logs, labels[..., None], -1)[..., 0]
    each = (1 - smoothing) * plain - smoothing * logs.mean(axis=-1)
    is_real = labels != 0
    found = to_numpy(loss(labels, logits))
    assert is_double(found)
    np.testing.assert_allclose(found, each[is_real].mean(), **EXACT)
    for metric, expected in (
        (training.Perplexity(), np.exp(plain[is_real].mean())),
        (
            training.MaskedAccuracy(),
            (logits.argmax(axis=-1) == labels)[is_real].mean(),
        ),
    ):
        metric.update_state(labels, logits)
        np.testing.assert_allclose(to_numpy(metric.result()), expected, **EXACT)


def test_schedules():
    np.testing.assert_allclose(
        to_numpy(training.InverseSquareRoot(0.3, 7)(20)), 0.3 * (7 / 21) ** 0.5, **EXACT
    )
    k = 9.5
    expected = k / (k + np.exp(20 / k))
    found = to_numpy(training.InverseSigmoidDecay(k)(20))
    np.testing.assert_allclose(found, expected, **EXACT)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"scheduled_sampling": 0.5}], ids=str)
def test_training(options):
    model = build("rnn" if options else "transformer", **options)
    model.compile(
        training.Adam(training.InverseSquareRoot(1e-2, 3), use_ema=True),
        training.MaskedCrossEntropy(0.1),
        metrics=[training.Perplexity(), training.TokenCount()],
    )
    labels = np.roll(TARGET, -1, axis=1) * (TARGET != 0)
    history = model.fit(INPUTS, labels, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert {weight.dtype for weight in model.trainable_weights} == {"float64"}
    if options:
        return
    model = build("transformer")
    before = to_numpy(model.trainable_weights)
    model.compile(training.Adam(1e-3, epsilon=1e-7), training.MaskedCrossEntropy())
    model.fit(INPUTS, labels, verbose=0)
    # The first step of Adam is as long as the rate wherever there is a gradient.
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.abs(to_numpy(weight) - old).max() <= 1e-3
