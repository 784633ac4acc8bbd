"""The other callbacks: averages, speed, a translation shown, a limit of time."""

import keras
import numpy as np
import pytest

from keras_attention import training
from tests.backends import to_numpy
from tests.training.small_training import fit, linear_model


def test_averaged_weights_are_lent(begin):
    model = begin(use_ema=True, ema_momentum=0.5)
    x = np.ones((4, 2), "float32")
    for _ in range(3):
        model.train_on_batch(x, x[:, :1])
    own = model.get_weights()
    averages = [to_numpy(v) for v in model.optimizer._model_variables_moving_average]
    with training.averaged_weights(model):
        found = model.get_weights()
    for weight, average in zip(found, averages, strict=True):
        np.testing.assert_array_equal(weight, average)
    for weight, before in zip(model.get_weights(), own, strict=True):
        np.testing.assert_array_equal(weight, before)
    assert not np.array_equal(found[0], own[0])
    untrained = begin(use_ema=True)
    for other in (begin(), untrained, keras.Sequential([keras.layers.Dense(1)])):
        before = other.get_weights()
        with training.averaged_weights(other):
            for weight, expected in zip(other.get_weights(), before, strict=True):
                np.testing.assert_array_equal(weight, expected)


def test_tokens_are_counted_beyond_what_float32_tells_apart():
    count, labels = training.TokenCount(), np.ones((3000, 3001), "int32")
    labels[:, 0] = 0
    for _ in range(3):
        count.update_state(labels, None)
    count.update_state(np.array([[1, 2, 0]]), None)
    assert float(count.result()) == 27_000_002


def test_the_speed_needs_a_count(begin):
    with pytest.raises(ValueError, match="metric='tokens'.*'loss'"):
        fit(begin(), [training.TokensPerSecond()])


def test_a_translation_is_shown_early_once_and_after_each_epoch():
    now, shown = [0.0], []

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            now[0] += 4  # seconds

    look = training.ShowTranslation(
        lambda texts: [text.upper() for text in texts], "a", "b", 5, shown.append
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.monotonic", lambda: now[0])
        fit(linear_model(), [Clock(), look], epochs=2)
    assert [message.split()[:3] for message in shown] == [
        ["after", "3", "batches:"],
        ["after", "epoch", "1:"],
        ["after", "epoch", "2:"],
    ]
    assert all("translation A\n  reference   b" in message for message in shown)


def test_time_that_is_over_ends_a_training_after_its_epoch():
    assert fit(linear_model(), [training.TimeLimit(1e-9)], epochs=3).epoch == [0]
    assert fit(linear_model(), [training.TimeLimit(60)], epochs=3).epoch == [0, 1, 2]


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: training.TimeLimit(0), "`minutes` .* minutes=0"),
        (
            lambda: training.ShowTranslation(list, "a", "b", -1),
            "`seconds` .* seconds=-1",
        ),
    ],
)
def test_callbacks_name_what_is_wrong(make, named):
    with pytest.raises(ValueError, match=named):
        make()
