"""What an earlier version saved loads, and gives what it gave there."""

import shutil
import zipfile

import keras
import numpy as np
import pytest

from keras_attention import training
from tests.backends import HAS_DOUBLE, to_numpy
from tests.earlier_version import VERSIONS, names, read_settings, unpack
from tests.earlier_version.make import build, compile_model, examples_for, results


def every(kind):
    saved = [(version, name) for version in VERSIONS for name in names(version, kind)]
    return pytest.mark.parametrize(("version", "name"), saved)


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """From a version, a kind and a name to a folder, which no test changes."""
    roots = {
        version: unpack(version, tmp_path_factory.mktemp(version))
        for version in VERSIONS
    }
    return lambda version, *parts: roots[version].joinpath(*parts)


def read_arrays(path):
    with np.load(path) as saved:
        return {name: saved[name] for name in saved.files}


def assert_close(found, expected, tolerance=1e-5):
    scale = np.max(np.abs(expected), initial=1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale)


def assert_logits(model, folder):
    inputs, _ = examples_for(model)
    expected = read_arrays(folder / "outputs.npz")["logits"]
    assert_close(to_numpy(model(inputs)), expected, 1e-4)


@every("layers")
def test_layers_load(version, name, folder_of):
    folder = folder_of(version, "layers", name)
    inputs, expected = (
        [*read_arrays(folder / f"{part}.npz").values()]
        for part in ("inputs", "outputs")
    )
    model = keras.saving.load_model(folder / "model.keras")
    outputs = keras.tree.flatten(to_numpy(model(inputs)))
    for pair in zip(outputs, expected, strict=True):
        assert_close(*pair)


@every("models")
def test_models_load(version, name, folder_of):
    if name.endswith("float64") and not HAS_DOUBLE:
        pytest.skip("this backend has no float64")
    folder = folder_of(version, "models", name)
    found = results(keras.saving.load_model(folder / "model.keras"))
    expected = read_arrays(folder / "outputs.npz")
    is_half = name.endswith("bfloat16")
    assert_close(found["logits"], expected["logits"], 0.05 if is_half else 1e-4)
    if not is_half:
        assert_close(found["scores"], expected["scores"], 1e-4)
        np.testing.assert_array_equal(found["ids"], expected["ids"])


@every("models")
def test_a_model_that_is_built_again_takes_their_weights(
    version, name, folder_of, tmp_path
):
    folder = folder_of(version, "models", name)
    arguments = read_settings(folder)["arguments"]
    if arguments is None:
        pytest.skip("not as a builder gives it")
    model = build(*arguments)
    with zipfile.ZipFile(folder / "model.keras") as saved:
        weights = saved.extract("model.weights.h5", tmp_path)
    model.load_weights(weights)
    assert_logits(model, folder)


@pytest.mark.slow
@every("trainings")
def test_a_training_that_was_compiled_loads(version, name, folder_of):
    folder = folder_of(version, "trainings", name)
    model = keras.saving.load_model(folder / "model.keras")
    loss, *_ = model.evaluate(*examples_for(model), verbose=0)
    expected = read_arrays(folder / "outputs.npz")
    assert_close(loss, expected["loss"])
    model.fit(*examples_for(model), verbose=0)
    assert model.optimizer.iterations == 3


@every("trainings")
def test_a_backup_is_restored(version, name, folder_of, tmp_path):
    folder = folder_of(version, "trainings", name)
    model = build(*read_settings(folder)["arguments"])
    compile_model(model)
    shutil.copytree(folder / "backup", tmp_path / "backup")
    backup = training.Backup(tmp_path / "backup")
    history = model.fit(*examples_for(model), epochs=2, callbacks=[backup], verbose=0)
    assert history.epoch == []
    assert_logits(model, folder)
    assert model.optimizer.iterations == 2
