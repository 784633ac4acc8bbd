"""Sampling against the probabilities of tables."""

import functools

import keras
import numpy as np
import pytest

from keras_attention.decoding import Greedy, Sampling
from tests.backends import compiled, to_numpy
from tests.small_models import SOURCE, build
from tests.toy_search import END, START, Transitions, log_softmax

VOCABULARY, ROWS = 9, 4001
SOURCES = np.zeros((ROWS, 2), "int32")
ALLOWED = [1, *range(3, VOCABULARY)]


def _table(seed=1):
    table = np.random.default_rng(seed).normal(size=(1, VOCABULARY, VOCABULARY))
    return 1.5 * table.astype("float32")


@functools.cache
def _search(length, **options):
    search = Sampling(length, **options)

    def run(tables, source):
        return list(search.search(Transitions(tables), source))

    return compiled(run)


def _probabilities(scores, temperature=1.0):
    """Of the ids that may be written, with those of all others zero."""
    scores = np.array(scores) / temperature
    chances = np.zeros(VOCABULARY)
    chances[ALLOWED] = np.exp(scores[ALLOWED])
    return chances / chances.sum()


def _kept(chances, top_k=None, top_p=None, min_p=0.0):
    """Probabilities after the limits, by a sorted list."""
    ranked = sorted(range(VOCABULARY), key=lambda number: -chances[number])[:top_k]
    share = chances[ranked] / chances[ranked].sum()
    if top_p is not None:
        count = 1 + int((np.cumsum(share) < top_p).sum())
        ranked, share = ranked[:count], share[:count]
    kept = [
        number for number, p in zip(ranked, share, strict=True) if p >= min_p * share[0]
    ]
    result = np.zeros(VOCABULARY)
    result[kept] = chances[kept] / chances[kept].sum()
    return result


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0.5},
        {"temperature": 3.0},
        {"top_k": 1},
        {"top_k": 3},
        {"top_k": 99},
        {"top_p": 0.6},
        {"top_p": 0.01},
        {"top_p": 1.0},
        {"min_p": 0.3},
        {"min_p": 1.0},
        {"temperature": 2.0, "top_k": 5, "top_p": 0.8, "min_p": 0.2},
    ],
    ids=str,
)
def test_ids_come_as_often_as_they_are_probable(options):
    table = _table()
    ids = to_numpy(_search(1, seed=11, **options)(table, SOURCES))[0][:, 0, 0]
    limits = {**options}
    chances = _probabilities(log_softmax(table[0, START]), limits.pop("temperature", 1))
    expected = _kept(chances, **limits)
    found = np.bincount(ids, minlength=VOCABULARY) / ROWS
    assert not found[expected == 0].any()
    deviation = np.sqrt(expected * (1 - expected) / ROWS)
    # Rare ids come some times more or less than a normal distribution tells.
    assert (np.abs(found - expected) <= 4.5 * deviation + 3 / ROWS).all()


def test_each_step_draws_anew():
    table = np.zeros((1, VOCABULARY, VOCABULARY), "float32")
    table[..., END] = -99
    ids = to_numpy(_search(3, seed=11)(table, SOURCES))[0][:, 0] == 4
    share = 1 / 6
    both = ids[:, 0] & ids[:, 1]
    assert abs(ids.mean() - share) < 0.02
    assert abs(both.mean() - share**2) < 0.02
    assert abs((ids[:, 0] & ids[:, 2]).mean() - share**2) < 0.02


def test_scores_are_log_probabilities_and_samples_stand_in_their_order():
    table = _table()
    options = {"seed": 5, "temperature": 0.7, "top_k": 4, "num_samples": 6}
    ids, lengths, scores, _ = to_numpy(_search(5, **options)(table, SOURCES[:13]))
    assert ids.shape == (13, 6, 5)
    assert (np.diff(scores, axis=1) <= 0).all()
    assert len(np.unique(ids.reshape(-1, 5), axis=0)) > 20
    for row, place in np.ndindex(13, 6):
        written = ids[row, place, : lengths[row, place]].tolist()
        assert not ids[row, place, lengths[row, place] :].any()
        before = [START, *written[:-1]]
        expected = sum(
            log_softmax(table[0, last])[chosen]
            for last, chosen in zip(before, written, strict=True)
        )
        np.testing.assert_allclose(scores[row, place], expected, atol=1e-4)


@pytest.mark.slow
def test_a_seed_makes_the_same_samples_and_none_makes_others():
    model = build("transformer")
    options = {"num_samples": 5}
    seeded = [Sampling(6, seed=3, **options) for _ in range(2)]
    first, again, other = (
        search(model, SOURCE).ids for search in (seeded[0], seeded[0], seeded[1])
    )
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, other)
    assert not np.array_equal(first, Sampling(6, seed=4, **options)(model, SOURCE).ids)
    free = Sampling(6, **options)
    one, two = free(model, SOURCE).ids, free(model, SOURCE).ids
    assert not np.array_equal(one, two)


@pytest.mark.one_backend
def test_of_the_most_probable_alone_it_is_greedy_search():
    model = build("rnn")
    found = Sampling(6, top_k=1, num_samples=2)(model, SOURCE)
    expected = Greedy(6)(model, SOURCE)
    for place in range(2):
        np.testing.assert_array_equal(found.ids[:, place], expected.ids[:, 0])
        np.testing.assert_allclose(
            found.attention[:, place], expected.attention[:, 0], atol=1e-6
        )
    np.testing.assert_allclose(found.scores[:, 0], expected.scores[:, 0], atol=1e-4)


@pytest.mark.slow
@pytest.mark.one_backend
def test_compiled_by_xla_a_seed_makes_the_same_samples_too():
    model = build("transformer")
    options = {"top_p": 0.8, "num_samples": 3, "jit_compile": True}
    first, again, other = (
        Sampling(6, seed=seed, **options)(model, SOURCE) for seed in (2, 2, 3)
    )
    np.testing.assert_array_equal(first.ids, again.ids)
    assert not np.array_equal(first.ids, other.ids)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "`temperature` must .* Received: temperature=0"),
        ({"top_k": 0}, "`top_k` must .* Received: top_k=0"),
        ({"top_p": 0}, "`top_p` must .* Received: top_p=0"),
        ({"top_p": 1.1}, "`top_p` must .* Received: top_p=1.1"),
        ({"min_p": -0.1}, "`min_p` must .* Received: min_p=-0.1"),
        ({"num_samples": 0}, "`num_samples` must .* Received: num_samples=0"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Sampling(5, **options)


def test_it_is_made_anew_of_its_configuration():
    search = Sampling(7, 0.5, 3, 0.9, 5, min_p=0.1, num_samples=2, min_length=2)
    config = keras.saving.serialize_keras_object(search)
    restored = keras.saving.deserialize_keras_object(config)
    assert isinstance(restored, Sampling)
    assert restored.get_config() == search.get_config()
    assert repr(restored) == "Sampling(max_length=7)"
