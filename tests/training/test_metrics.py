"""The metrics against plain loops over all batches."""

import inspect

import keras
import numpy as np
import pytest

from keras_attention import functional
from keras_attention.training import MaskedAccuracy, Perplexity
from tests.backends import to_numpy
from tests.training import reference

METRICS = [MaskedAccuracy, Perplexity]
metrics = pytest.mark.parametrize("metric_class", METRICS)


def some_batches(weighted):
    """Batches of several sizes and lengths; the labels are often the best ids."""
    random = np.random.default_rng(17)
    for seed, (rows, length) in enumerate([(5, 7), (2, 3), (3, 11)]):
        labels, logits = reference.some_batch(rows, length, seed)
        np.put_along_axis(logits, labels[..., None], 2, axis=-1)
        weights = {None: None, "rows": (rows,), "tokens": (rows, length)}[weighted]
        if weights:
            weights = random.uniform(0.1, 2, weights)
        yield labels, logits, weights


def expected_of(metric_class, batches):
    """The metric over all batches as one, padded to one length."""
    length = max(labels.shape[1] for labels, _, _ in batches)
    labels, logits, weights = [], [], []
    for some_labels, some_logits, some_weights in batches:
        pad = (0, length - some_labels.shape[1])
        labels += [np.pad(row, pad) for row in some_labels]
        logits += [np.pad(row, [pad, (0, 0)]) for row in some_logits]
        for row, position in np.ndindex(len(some_labels), length):
            inside = position < some_labels.shape[1]
            weights.append(
                reference.weight_of(some_weights, row, position) if inside else 0
            )
    weights = np.reshape(weights, (-1, length))
    if metric_class is MaskedAccuracy:
        return reference.accuracy(labels, logits, weights)
    return np.exp(reference.cross_entropy(labels, logits, weights))


@metrics
@pytest.mark.parametrize("weighted", [None, "rows", "tokens"])
def test_counts_the_real_tokens_of_all_batches(metric_class, weighted):
    batches = list(some_batches(weighted))
    metric = metric_class()
    for _ in range(2):
        for labels, logits, weights in batches:
            metric.update_state(labels, logits, weights)
        expected = expected_of(metric_class, batches)
        np.testing.assert_allclose(to_numpy(metric.result()), expected, rtol=1e-5)
        metric.reset_state()


def test_the_example_is_no_trivial_one():
    batches = list(some_batches(None))
    assert 0.2 < expected_of(MaskedAccuracy, batches) < 0.8
    means = [expected_of(Perplexity, [batch]) for batch in batches]
    assert abs(np.mean(means) - expected_of(Perplexity, batches)) > 0.01


@metrics
def test_a_mask_of_the_predictions_changes_nothing(metric_class):
    labels, logits, _ = next(some_batches(None))
    masked = keras.ops.convert_to_tensor(logits)
    functional.with_mask(masked, keras.ops.convert_to_tensor(labels == 0))
    expected = expected_of(metric_class, [(labels, logits, None)])
    np.testing.assert_allclose(
        float(metric_class()(labels, masked)), expected, rtol=1e-5
    )


@metrics
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_logits_are_computed_in_single(metric_class, dtype):
    labels, logits, _ = next(some_batches(None))
    half = keras.ops.cast(logits, dtype)
    metric = metric_class()
    expected = expected_of(metric_class, [(labels, to_numpy(half), None)])
    np.testing.assert_allclose(float(metric(labels, half)), expected, rtol=1e-5)
    assert {variable.dtype for variable in metric.variables} == {"float32"}


@metrics
def test_padding_alone_says_nothing(metric_class):
    labels, logits = np.zeros((2, 3), "int32"), np.ones((2, 3, 5), "float32")
    metric, neutral = metric_class(), 0 if metric_class is MaskedAccuracy else 1
    assert float(metric.result()) == neutral
    assert float(metric(labels, logits)) == neutral


def test_a_model_without_a_clue_has_a_perplexity_of_its_vocabulary():
    labels = np.array([[3, 1, 0], [2, 4, 5]])
    assert float(Perplexity()(labels, np.ones((2, 3, 7)))) == pytest.approx(7)


@metrics
def test_another_id_may_pad(metric_class):
    labels, logits, _ = next(some_batches(None))
    expected = metric_class()(labels, logits)
    found = metric_class(ignore_id=-1)(np.where(labels == 0, -1, labels), logits)
    np.testing.assert_allclose(float(found), float(expected), rtol=1e-6)


@metrics
def test_the_configuration_makes_the_same_metric(metric_class):
    metric = metric_class(ignore_id=7, name="of_words")
    config = metric.get_config()
    assert config == {"ignore_id": 7, "name": "of_words"}
    assert list(config) == list(inspect.signature(metric_class).parameters)
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert type(again) is metric_class
    assert again.get_config() == config


@metrics
def test_what_does_not_fit_is_refused(metric_class):
    labels, logits, _ = next(some_batches(None))
    with pytest.raises(ValueError, match=r"`ignore_id`.*ignore_id='a'"):
        metric_class(ignore_id="a")
    with pytest.raises(ValueError, match=r"`y_true` must hold integer ids.*float"):
        metric_class().update_state(labels * 0.5, logits)
    with pytest.raises(ValueError, match=r"`y_pred` must have shape.*\(5, 7\)"):
        metric_class().update_state(labels, labels * 0.5)
    with pytest.raises(ValueError, match=r"`sample_weight`.*\(3,\)"):
        metric_class().update_state(labels, logits, np.ones(3))
