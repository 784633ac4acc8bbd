"""Averages of saved weights against NumPy's mean."""

import keras
import numpy as np
import pytest

from keras_attention.training import average_checkpoints
from tests.small_models import build
from tests.tensors import randomize


@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
def test_weights_become_their_mean(tmp_path, ending):
    model, saved, paths = build("rnn", dropout=0.2), [], []
    for seed in range(3):
        randomize(model, seed=seed)
        saved.append([weight.copy() for weight in model.get_weights()])
        paths.append(tmp_path / f"{seed}{ending}")
        (model.save if ending == ".keras" else model.save_weights)(paths[-1])
    average_checkpoints(model, iter(paths))
    for weight, *own in zip(model.get_weights(), *saved, strict=True):
        if weight.dtype == np.float32:
            np.testing.assert_allclose(weight, np.mean(own, axis=0), atol=1e-6)
        else:
            np.testing.assert_array_equal(weight, own[-1])


def test_weights_stay_when_a_file_is_of_another_model(tmp_path):
    model, other = (
        keras.Sequential([keras.Input((1,)), keras.layers.Dense(units)])
        for units in (3, 5)
    )
    model.save_weights(tmp_path / "own.weights.h5")
    other.save_weights(tmp_path / "other.weights.h5")
    randomize(model, seed=5)
    before = model.get_weights()
    paths = [tmp_path / "own.weights.h5", tmp_path / "other.weights.h5"]
    with pytest.raises(ValueError, match="shape"):
        average_checkpoints(model, paths)
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)


def test_no_path_is_refused():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match=r"`paths` must .* Received: \[\]"):
        average_checkpoints(model, [])
