"""Frozen weights stay as they are, and adapters are what merging makes of them."""

import keras
import numpy as np
import pytest

from keras_attention import training
from keras_attention.models import language_model
from tests.backends import to_numpy
from tests.small_models import INPUTS, MODELS, TARGET, build

LABELS = np.where(TARGET != 0, 5, 0)


def train(model, inputs=INPUTS, labels=LABELS):
    # Two steps run sooner than they are traced.
    model.compile("adam", training.MaskedCrossEntropy(), run_eagerly=True)
    model.fit(inputs, labels, epochs=2, verbose=0)


def values(model):
    return {weight.path: to_numpy(weight) for weight in model.weights}


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "options"), MODELS)
def test_merged_adapters_give_what_they_gave(architecture, options, tmp_path):
    model = build(architecture, **options)
    before, count = to_numpy(model(INPUTS)), len(model.trainable_weights)
    training.enable_lora(model, rank=2, lora_alpha=3)
    np.testing.assert_array_equal(to_numpy(model(INPUTS)), before)
    fixed = {
        weight.path: to_numpy(weight)
        for weight in model.weights
        if "lora" not in weight.name
    }
    train(model)
    for path, value in values(model).items():
        assert ("lora" in path) == (not np.array_equal(value, fixed.get(path)))
    adapted = to_numpy(model(INPUTS))
    assert np.abs(adapted - before).max() > 1e-3
    training.merge_lora(model)
    np.testing.assert_allclose(to_numpy(model(INPUTS)), adapted, atol=1e-5)
    assert not any("lora" in weight.name for weight in model.weights)
    assert len(model.trainable_weights) == count
    model.save(tmp_path / "merged.keras")
    loaded = keras.models.load_model(tmp_path / "merged.keras")
    np.testing.assert_allclose(to_numpy(loaded(INPUTS)), adapted, atol=1e-5)
    train(model)  # all of it
    kept = {path: value for path, value in fixed.items() if "kernel" in path}
    assert all(np.any(values(model)[path] != value) for path, value in kept.items())


def test_adapters_come_and_go_once():
    model = build("transformer")
    with pytest.raises(ValueError, match="`model` must have adapters"):
        training.merge_lora(model)
    with pytest.raises(ValueError, match="rank=0"):
        training.enable_lora(model, 0)
    training.enable_lora(model, 2)
    with pytest.raises(ValueError, match="no adapters yet"):
        training.enable_lora(model, 2)
    table = keras.Sequential([keras.layers.Embedding(5, 3)])
    table.build((None, 4))
    with pytest.raises(ValueError, match="must have dense layers"):
        training.enable_lora(table, 2)


@pytest.mark.filterwarnings("ignore:.*`quantize` method:UserWarning")
@pytest.mark.filterwarnings("ignore:.*skipped:UserWarning")
def test_quantized_adapters_are_not_merged(frozen_heap):
    model = build("transformer", num_layers=1)
    model.quantize("int8")
    training.enable_lora(model, 2)
    before = values(model)
    with pytest.raises(ValueError, match="must not be quantized"):
        training.merge_lora(model)
    for path, value in values(model).items():
        np.testing.assert_array_equal(value, before[path])


@pytest.mark.parametrize("names", [["encoder"], ["block_0", "logits/bias"], []])
def test_frozen_weights_stay(names):
    model = build("transformer", num_layers=2)
    training.freeze(model, *names)
    before = values(model)
    if not names:
        assert not model.trainable_weights
        return
    train(model)
    for path, value in values(model).items():
        frozen = any(name in path for name in names)
        if frozen:
            np.testing.assert_array_equal(value, before[path], err_msg=path)
    moved = [p for p, v in values(model).items() if np.any(v != before[p])]
    assert moved
    assert not any(name in path for name in names for path in moved)
    training.unfreeze(model)
    assert len(model.trainable_weights) == len(model.weights)


def test_a_name_that_nothing_has_is_an_error_and_freezes_nothing():
    model = language_model(11, num_layers=1, num_heads=2, embedding_dim=8)
    with pytest.raises(ValueError, match=r"begin with \[.*'decoder'.*'encoder'"):
        training.freeze(model, "decoder", "encoder")
    assert len(model.trainable_weights) == len(model.weights)
