"""The loss against plain loops, its gradient, and what must not change it."""

import inspect

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention import functional
from keras_attention.training import MaskedCrossEntropy
from tests.backends import compiled, input_gradient, to_numpy
from tests.training import reference

LABELS, LOGITS = reference.some_batch(rows=5, length=7, seed=3)
RANDOM = np.random.default_rng(13)
WEIGHTS = {
    "none": None,
    "rows": RANDOM.uniform(0.1, 2, 5),
    "columns": RANDOM.uniform(0.1, 2, (5, 1)),
    "tokens": RANDOM.uniform(0.1, 2, (5, 7)),
}
weightings = pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
smoothings = pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])


@weightings
@smoothings
def test_is_the_mean_over_real_tokens(smoothing, weights):
    value = MaskedCrossEntropy(smoothing)(LABELS, LOGITS, weights)
    expected = reference.cross_entropy(LABELS, LOGITS, weights, smoothing)
    np.testing.assert_allclose(to_numpy(value), expected, rtol=1e-5)
    assert keras.backend.standardize_dtype(value.dtype) == "float32"


@weightings
@smoothings
def test_gradient_is_the_probability_less_what_is_wanted(smoothing, weights):
    loss = MaskedCrossEntropy(smoothing)
    found = input_gradient(lambda logits: loss(LABELS, logits, weights), LOGITS)
    expected, total = np.zeros_like(LOGITS), 0.0
    for row, position in np.argwhere(LABELS):
        weight = reference.weight_of(weights, row, position)
        probabilities = np.exp(reference.log_probabilities(LOGITS[row, position]))
        wanted = reference.distribution(LABELS[row, position], smoothing)
        expected[row, position] = weight * (probabilities - wanted)
        total += weight
    np.testing.assert_allclose(found, expected / total, atol=1e-6)
    assert (found[LABELS == 0] == 0).all()


@weightings
def test_compiled_equals_eager(weights):
    loss = MaskedCrossEntropy(0.1)
    found = compiled(lambda labels, logits: loss(labels, logits, weights))(
        keras.ops.convert_to_tensor(LABELS), keras.ops.convert_to_tensor(LOGITS)
    )
    expected = reference.cross_entropy(LABELS, LOGITS, weights, 0.1)
    np.testing.assert_allclose(to_numpy(found), expected, rtol=1e-5)


@smoothings
def test_a_batch_of_padding_has_no_loss_and_no_gradient(smoothing):
    loss = MaskedCrossEntropy(smoothing)
    padding = np.zeros_like(LABELS)
    assert float(loss(padding, LOGITS)) == 0
    gradient = input_gradient(lambda logits: loss(padding, logits), LOGITS)
    np.testing.assert_array_equal(gradient, np.zeros_like(LOGITS))


@given(
    st.integers(1, 5),
    st.sampled_from([0.0, 1.0, -1e30, 1e30, 3e38, -3e38]),
    st.sampled_from([0.0, 0.1]),
)
def test_padding_may_hold_any_logits(columns, extreme, smoothing):
    labels = np.pad(LABELS, [(0, 0), (0, columns)])
    logits = np.pad(LOGITS, [(0, 0), (0, columns), (0, 0)])
    logits[labels == 0] = extreme
    logits[labels == 0, ::2] *= -1
    loss = MaskedCrossEntropy(smoothing)
    expected = reference.cross_entropy(LABELS, LOGITS, smoothing=smoothing)
    np.testing.assert_allclose(float(loss(labels, logits)), expected, rtol=1e-5)
    gradient = input_gradient(lambda values: loss(labels, values), logits)
    assert np.isfinite(gradient).all()
    assert (gradient[labels == 0] == 0).all()


def test_a_weight_of_padding_may_be_anything():
    weights = np.where(LABELS == 0, np.nan, 1.0)
    value = MaskedCrossEntropy()(LABELS, LOGITS, weights)
    np.testing.assert_allclose(
        float(value), reference.cross_entropy(LABELS, LOGITS), rtol=1e-5
    )


@pytest.mark.parametrize("mask", [LABELS != 0, LABELS == 0, LABELS > 99])
def test_a_mask_of_the_predictions_changes_nothing(mask):
    logits = keras.ops.convert_to_tensor(LOGITS)
    functional.with_mask(logits, keras.ops.convert_to_tensor(mask))
    np.testing.assert_allclose(
        float(MaskedCrossEntropy()(LABELS, logits)),
        reference.cross_entropy(LABELS, LOGITS),
        rtol=1e-5,
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_logits_are_computed_in_single(dtype):
    logits = keras.ops.cast(LOGITS, dtype)
    value = MaskedCrossEntropy(0.1)(LABELS, logits)
    expected = reference.cross_entropy(LABELS, to_numpy(logits), smoothing=0.1)
    np.testing.assert_allclose(float(value), expected, rtol=1e-5)
    assert keras.backend.standardize_dtype(value.dtype) == "float32"


@smoothings
def test_large_logits_do_not_overflow(smoothing):
    labels = np.array([[1, 2]])
    logits = np.zeros((1, 2, 3), "float32")
    logits[0, :, 1] = 1e4
    loss = MaskedCrossEntropy(smoothing)
    expected = reference.cross_entropy(labels, logits, smoothing=smoothing)
    assert float(loss(labels, logits)) == pytest.approx(expected)
    gradient = input_gradient(lambda values: loss(labels, values), logits)
    wanted = [reference.distribution(label, smoothing, 3) for label in labels[0]]
    np.testing.assert_allclose(gradient[0], ([0, 1, 0] - np.array(wanted)) / 2)


def test_another_id_may_pad():
    labels = np.where(LABELS == 0, 7, LABELS)
    value = MaskedCrossEntropy(0.1, ignore_id=7)(labels, LOGITS)
    expected = reference.cross_entropy(labels, LOGITS, smoothing=0.1, ignore_id=7)
    np.testing.assert_allclose(float(value), expected, rtol=1e-5)


@pytest.mark.parametrize("ignore_id", [-1, 97])
def test_the_id_that_pads_may_lie_outside_the_vocabulary(ignore_id):
    labels = np.where(LABELS == 0, ignore_id, LABELS)
    value = MaskedCrossEntropy(ignore_id=ignore_id)(labels, LOGITS)
    expected = reference.cross_entropy(LABELS, LOGITS)
    np.testing.assert_allclose(float(value), expected, rtol=1e-5)


def test_call_gives_the_loss_of_each_token():
    losses = to_numpy(MaskedCrossEntropy(0.1).call(LABELS, LOGITS))
    for row, position in np.ndindex(*LABELS.shape):
        if LABELS[row, position] == 0:
            assert losses[row, position] == 0
            continue
        one = (slice(row, row + 1), slice(position, position + 1))
        expected = reference.cross_entropy(LABELS[one], LOGITS[one], smoothing=0.1)
        np.testing.assert_allclose(losses[row, position], expected, rtol=1e-5)


def test_the_configuration_makes_the_same_loss():
    loss = MaskedCrossEntropy(0.1, ignore_id=7, name="of_words")
    config = loss.get_config()
    assert config == {"label_smoothing": 0.1, "ignore_id": 7, "name": "of_words"}
    assert list(config) == list(inspect.signature(MaskedCrossEntropy).parameters)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is MaskedCrossEntropy
    assert again.get_config() == config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_smoothing": 1.0}, r"`label_smoothing`.*label_smoothing=1\.0"),
        ({"label_smoothing": -0.1}, r"`label_smoothing`.*label_smoothing=-0\.1"),
        ({"ignore_id": 0.5}, r"`ignore_id`.*ignore_id=0\.5"),
        ({"ignore_id": True}, r"`ignore_id`.*ignore_id=True"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MaskedCrossEntropy(**options)


@pytest.mark.parametrize(
    ("labels", "logits", "weights", "message"),
    [
        (LABELS * 1.0, LOGITS, None, r"`y_true` must hold integer ids.*float"),
        (LABELS, LABELS[..., None], None, r"`y_pred` must hold floating.*int"),
        (LABELS[0], LOGITS, None, r"`y_true` must have shape .*\(7,\)"),
        (LABELS, LOGITS[0], None, r"`y_pred` must have shape .*\(7, 11\)"),
        (LABELS[:, :1], LOGITS, None, r"one length.*\(5, 1\).*\(5, 7, 11\)"),
        (LABELS[:3], LOGITS, None, r"one batch size.*\(3, 7\).*\(5, 7, 11\)"),
        (LABELS, LOGITS, np.ones(7), r"`sample_weight`.*\(7,\).*\(5, 7\)"),
        (LABELS, LOGITS, np.ones((1, 7)), r"`sample_weight`.*\(1, 7\)"),
        (LABELS, LOGITS, np.ones((5, 7, 1)), r"`sample_weight`.*\(5, 7, 1\)"),
    ],
)
def test_wrong_tensors_are_refused(labels, logits, weights, message):
    with pytest.raises(ValueError, match=message):
        MaskedCrossEntropy()(labels, logits, weights)
