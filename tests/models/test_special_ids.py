"""Models that begin and end with ids of their own."""

import keras
import numpy as np
import pytest

from keras_attention import models
from keras_attention.decoding import BeamSearch, Greedy, Sampling
from tests.backends import to_numpy
from tests.own_layers import best_by_enumeration
from tests.tensors import randomize

OWN = {"start_id": 5, "end_id": 2}
SMALL = {"embedding_dim": 8, "dropout": 0.0}
SOURCE = np.array([[7, 9, 2, 0], [8, 3, 7, 2]], "int32")
BUILDERS = {
    "transformer": lambda **ids: models.transformer(
        11, 6, num_layers=1, num_heads=2, **SMALL, **ids
    ),
    "rnn_seq2seq": lambda **ids: models.rnn_seq2seq(11, 6, units=8, **SMALL, **ids),
    "gnmt": lambda **ids: models.gnmt(
        11, 6, units=8, num_layers=2, attention_units=4, **SMALL, **ids
    ),
    "preset": lambda **ids: models.bahdanau2015(
        11, 6, embedding_dim=8, units=8, readout_units=4, **ids
    ),
}
every_builder = pytest.mark.parametrize("name", BUILDERS)


@pytest.fixture(params=BUILDERS)
def model(request):
    keras.utils.set_random_seed(2)
    return randomize(BUILDERS[request.param](**OWN), seed=5)


def test_searches_begin_and_end_with_them(model):
    found = BeamSearch(64, max_length=3, length_penalty=0.0)(model, SOURCE)
    expected = best_by_enumeration(model, SOURCE, 3, 5, end=2)
    for row, best in enumerate(expected):
        for place, (ids, score) in enumerate(best):
            assert found.ids[row, place, : found.lengths[row, place]].tolist() == ids
            np.testing.assert_allclose(found.scores[row, place], score, atol=1e-4)
    for search in (Greedy(6), Sampling(6, seed=1)):
        written = search(model, SOURCE).ids
        assert not (written == 5).any()
        for row in written[:, 0]:
            assert not (row == 2).any() or not row[row.tolist().index(2) + 1 :].any()


def test_scores_are_those_of_the_whole_model(model):
    labels = np.array([[3, 2, 0], [4, 3, 4]])
    target = np.array([[5, 3, 0], [5, 4, 3]])
    logits = to_numpy(model({"source": SOURCE, "target": target}))
    log_probs = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    expected = np.take_along_axis(log_probs, labels[..., None], 2)[..., 0] * (
        labels > 0
    )
    np.testing.assert_allclose(
        to_numpy(model.log_probabilities(SOURCE, labels)), expected, atol=1e-4
    )


def test_they_are_saved_and_copied(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for other in (loaded, keras.models.clone_model(model)):
        assert (other.start_id, other.end_id) == (5, 2)
    joined = models.Ensemble([model, loaded])
    assert (joined.start_id, joined.end_id) == (5, 2)
    np.testing.assert_array_equal(
        Greedy(4)(joined, SOURCE).ids, Greedy(4)(model, SOURCE).ids
    )


@pytest.mark.parametrize("architecture", ["transformer", "rnn"])
def test_language_models_have_them_too(architecture, tmp_path):
    model = models.language_model(7, architecture, **SMALL, start_id=6, end_id=2)
    randomize(model, seed=3)
    found = BeamSearch(8, max_length=4)(model, np.array([[4, 5, 2, 0]]))
    assert (found.ids[0, :, :2] == [4, 5]).all()
    assert not (found.ids == 6).any()
    for ids, length in zip(found.ids[0], found.lengths[0], strict=True):
        assert not (ids[: length - 1] == 2).any()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.start_id, loaded.end_id) == (6, 2)
    labels = np.array([[4, 5, 3, 2, 0]])
    target = np.array([[6, 4, 5, 3, 0]])
    logits = to_numpy(model(target))
    log_probs = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    expected = [0.0, 0.0, log_probs[0, 2, 3], log_probs[0, 3, 2], 0.0]
    scores = to_numpy(loaded.log_probabilities(np.array([[4, 5, 2]]), labels))
    np.testing.assert_allclose(scores[0], expected, atol=1e-4)


@every_builder
@pytest.mark.parametrize(
    "ids", [(5, 5), (0, 2), (2, 0), (2, 6), (-1, 2), (2, 1.5)], ids=str
)
def test_they_are_two_ids_of_the_target(name, ids):
    with pytest.raises(ValueError, match=r"`(start_id|end_id)`"):
        BUILDERS[name](start_id=ids[0], end_id=ids[1])


def test_an_ensemble_begins_and_ends_in_one_way():
    make = BUILDERS["transformer"]
    with pytest.raises(ValueError, match="`models` must begin and end .*start=5"):
        models.Ensemble([make(), make(**OWN)])
