"""Options of a search that each call chooses: numbers given to a compiled graph."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_attention.decoding import BeamSearch, Greedy, Hypotheses, Sampling
from tests.backends import compiled, to_numpy
from tests.small_models import SOURCE, build
from tests.toy_search import Transitions, beam, greedy, outputs

KINDS, VOCABULARY, LENGTH, BEAMS = 3, 7, 5, 4
SOURCES = np.array([[1, 4, 4], [2, 4, 4]], "int32")
SEARCHES = {"beam": BeamSearch(BEAMS, LENGTH), "greedy": Greedy(LENGTH)}


@functools.cache
def _search(name):
    def run(tables, source, *options):
        search = SEARCHES[name]
        search = search.with_options(
            **dict(zip(search.options(), options, strict=True))
        )
        return list(search.search(Transitions(tables, attends="id"), source))

    return compiled(run)


def _find(name, tables, *options):
    options = (
        np.array(o, "int32" if isinstance(o, int) else "float32") for o in options
    )
    options = map(ops.convert_to_tensor, options)
    return Hypotheses(*to_numpy(_search(name)(tables, SOURCES, *options)))


def _tables(seed):
    tables = np.random.default_rng(seed).normal(size=(KINDS, VOCABULARY, VOCABULARY))
    return 2 * tables.astype("float32")


@given(
    seed=st.integers(0, 10_000),
    max_length=st.integers(-1, LENGTH + 2),
    num_beams=st.integers(-1, BEAMS + 2),
    num_hypotheses=st.integers(-1, BEAMS + 2),
    length_penalty=st.sampled_from([0.0, 0.6, 2.5, -1.0, math.nan]),
)
def test_a_beam_is_as_wide_and_as_long_as_asked(
    seed, max_length, num_beams, num_hypotheses, length_penalty
):
    tables = _tables(seed)
    asked = max_length, num_beams, num_hypotheses, length_penalty
    found = _find("beam", tables, *asked)
    # What is out of range is taken for the nearest that is possible.
    longest = min(max(max_length, 1), LENGTH)
    places = min(max(num_beams, 1), BEAMS)
    count = min(max(num_hypotheses, 1), places)
    penalty = length_penalty if length_penalty > 0 else 0.0
    for row, (kind, *_) in enumerate(SOURCES):

        def score(output):
            ids, log_probability = output
            return log_probability / ((5 + len(ids)) / 6) ** penalty

        kept = sorted(map(score, beam(tables[kind], longest, places)), reverse=True)
        kept = kept[:count] + [-np.inf] * max(count - len(kept), 0)
        np.testing.assert_allclose(found.scores[row, :count], kept, atol=1e-4)
        possible = {
            tuple(ids): score((ids, p)) for ids, p in outputs(tables[kind], longest)
        }
        for place in range(BEAMS):
            ids = found.ids[row, place, : found.lengths[row, place]]
            if place < count and np.isfinite(found.scores[row, place]):
                expected = possible[tuple(ids.tolist())]
                assert found.scores[row, place] == pytest.approx(expected, abs=1e-4)
            else:
                assert len(ids) == 0
                assert found.scores[row, place] == -np.inf
                assert not found.attention[row, place].any()


@given(seed=st.integers(0, 10_000), max_length=st.integers(-1, LENGTH + 2))
def test_greedy_search_is_as_long_as_asked(seed, max_length):
    tables = _tables(seed)
    found = _find("greedy", tables, max_length)
    for row, (kind, *_) in enumerate(SOURCES):
        ids, score = greedy(tables[kind], min(max(max_length, 1), LENGTH))
        assert found.ids[row, 0, : len(ids)].tolist() == ids
        assert found.lengths[row, 0] == len(ids)
        assert found.scores[row, 0] == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("options", [{"temperature": 0.0}, {"min_p": 7.0}])
def test_samples_of_no_chance_are_greedy(options):
    model = build("rnn")
    found = Sampling(6, seed=3).with_options(**options)(model, SOURCE)
    np.testing.assert_array_equal(found.ids, Greedy(6)(model, SOURCE).ids)


@pytest.mark.whole
@pytest.mark.parametrize("options", [{"temperature": 0.3}, {"min_p": 0.2}])
def test_samples_are_drawn_as_by_a_search_made_so(options):
    model = build("rnn")
    found = Sampling(6, seed=3, num_samples=9).with_options(**options)(model, SOURCE)
    expected = Sampling(6, seed=3, num_samples=9, **options)(model, SOURCE)
    np.testing.assert_array_equal(found.ids, expected.ids)
    usual = Sampling(6, seed=3, num_samples=9)(model, SOURCE)
    assert (found.ids != usual.ids).any()


def test_options_without_bounds_are_the_largest_possible():
    model = build("rnn")
    for search, name, most in (
        (Sampling(6, seed=3), "temperature", 1e6),
        (BeamSearch(3, 6), "length_penalty", 10.0),
    ):
        found = search.with_options(**{name: math.inf})(model, SOURCE)
        expected = search.with_options(**{name: most})(model, SOURCE)
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_array_equal(found.scores, expected.scores)


def test_each_row_may_have_its_length():
    model = build("rnn")
    found = Greedy(6).with_options(max_length=np.array([2, 5, 1]))(model, SOURCE[:3])
    expected = Greedy(6)(model, SOURCE[:3])
    for row, most in enumerate([2, 5, 1]):
        length = min(most, expected.lengths[row, 0])
        assert found.lengths[row, 0] == length
        assert (found.ids[row, 0, :length] == expected.ids[row, 0, :length]).all()


def test_the_search_itself_stays_as_it_is():
    search = BeamSearch(3, 6)
    other = search.with_options(num_beams=2, max_length=4)
    assert search.options() == {
        "max_length": 6,
        "num_beams": 3,
        "num_hypotheses": 3,
        "length_penalty": 0.6,
    }
    assert {name: int(one) for name, one in other.options().items()}["num_beams"] == 2
    assert search.get_config() == BeamSearch(3, 6).get_config()
    with pytest.raises(ValueError, match="for calls alone"):
        other.get_config()


@pytest.mark.parametrize(
    ("search", "name"),
    [
        (Greedy(6), "max_length"),
        (BeamSearch(3, 6), "num_beams"),
        (BeamSearch(3, 6), "length_penalty"),
        (Sampling(6), "temperature"),
    ],
)
def test_a_search_is_not_changed_in_vain(search, name):
    with pytest.raises(AttributeError, match=f"`{name}` of a search cannot .*{name}=2"):
        setattr(search, name, 2)
    assert search.get_config()[name] != 2


def test_options_have_one_type_each():
    assert type(BeamSearch(2, 6, 1).options()["length_penalty"]) is float
    assert type(Sampling(6, 1).options()["temperature"]) is float
    assert type(Greedy(6).options()["max_length"]) is int


def test_what_a_search_does_not_know_is_named():
    with pytest.raises(ValueError, match=r"Greedy .* \['max_length'\].*'num_beams'"):
        Greedy(4).with_options(num_beams=2)
    with pytest.raises(ValueError, match="'num_beams'"):
        BeamSearch(4, num_groups=2).with_options(num_beams=2)
