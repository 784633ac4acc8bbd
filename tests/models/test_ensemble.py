"""Ensembles: mean probabilities, in a full pass, step by step and in searches."""

import keras
import numpy as np
import pytest

from keras_attention import training
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.models import Ensemble
from tests.backends import to_numpy
from tests.small_models import INPUTS, IS_REAL, SOURCE, TARGET, build, decode
from tests.tensors import randomize


def _models():
    models = [build("transformer"), build("rnn", attention=None), build("transformer")]
    randomize(models[2], seed=4)
    return models


def _probabilities(model):
    return to_numpy(keras.ops.softmax(model(INPUTS)))


@pytest.mark.one_backend
def test_probabilities_are_the_mean_of_those_of_the_models():
    models = _models()
    expected = np.mean([_probabilities(model) for model in models], axis=0)
    np.testing.assert_allclose(_probabilities(Ensemble(models)), expected, atol=1e-6)


def test_steps_equal_a_full_pass_and_attention_is_a_mean():
    models = _models()
    ensemble = Ensemble(models)
    logits, attention = decode(ensemble, SOURCE, TARGET, TARGET.shape[1])
    np.testing.assert_allclose(
        logits[IS_REAL], to_numpy(ensemble(INPUTS))[IS_REAL], atol=1e-4
    )
    own = [decode(model, SOURCE, TARGET, TARGET.shape[1])[1] for model in models]
    np.testing.assert_allclose(attention, (own[0] + own[2]) / 2, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("which", [[0, 1], [0, 2]], ids=["copied", "shared"])
def test_searches_take_it(which):
    models = _models()
    ensemble = Ensemble([models[index] for index in which])
    found = BeamSearch(3, 5, length_penalty=0.0)(ensemble, SOURCE)
    scores = to_numpy(ensemble.log_probabilities(SOURCE, found.ids[:, 0])).sum(axis=1)
    np.testing.assert_allclose(found.scores[:, 0], scores, atol=1e-3)
    alone = Ensemble(models[:1])
    np.testing.assert_array_equal(
        Greedy(5)(alone, SOURCE).ids, Greedy(5)(models[0], SOURCE).ids
    )


@pytest.mark.one_backend
def test_it_is_saved_and_loaded(tmp_path):
    ensemble = Ensemble(_models()[:2])
    ensemble.save(tmp_path / "ensemble.keras")
    loaded = keras.models.load_model(tmp_path / "ensemble.keras")
    np.testing.assert_allclose(
        _probabilities(loaded), _probabilities(ensemble), atol=1e-6
    )
    assert isinstance(loaded, Ensemble)


def test_limits_are_those_of_the_shortest():
    long = build("transformer", positions="learned", max_length=9)
    short = build("transformer", positions="learned", max_length=7)
    for models in ([long, short], [short, long, build("rnn")]):
        ensemble = Ensemble(models)
        assert ensemble.source_embedding.max_length == 7
        assert ensemble.target_embedding.max_length == 7


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (lambda: [], r"`models` must hold .* Received: models=\[\]"),
        (lambda: [3], r"`models` must hold .* Received: models=\[3\]"),
        (
            lambda: [build("rnn"), build("rnn", target_vocabulary_size=14)],
            r"`models` must have the same .* \[\(11, 13\), \(11, 14\)\]",
        ),
    ],
)
def test_wrong_models_are_named(models, message):
    with pytest.raises(ValueError, match=message):
        Ensemble(models())


@pytest.mark.one_backend
def test_it_is_evaluated_by_its_own_loss_and_not_by_those_of_its_models():
    models = _models()[::2]
    models[0].compile(
        loss=training.MaskedCrossEntropy(), metrics=[training.MaskedAccuracy()]
    )
    ensemble = Ensemble(models)
    ensemble.compile(
        loss=training.MaskedCrossEntropy(), metrics=[training.Perplexity()]
    )
    found = ensemble.evaluate(INPUTS, TARGET, verbose=0, return_dict=True)
    probabilities = _probabilities(ensemble)
    picked = np.take_along_axis(probabilities, TARGET[..., None], axis=-1)[..., 0]
    expected = -np.log(picked)[TARGET != 0].mean()
    assert found.keys() == {"loss", "perplexity"}
    assert found["loss"] == pytest.approx(expected, rel=1e-4)
    assert found["perplexity"] == pytest.approx(np.exp(expected), rel=1e-4)
