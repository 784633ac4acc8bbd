"""Beams whose finished outputs give way to others, against the same in Python."""

import functools

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.decoding import BeamSearch, Hypotheses
from tests.backends import compiled, to_numpy
from tests.small_models import SOURCE, build
from tests.toy_search import END, PAD, START, Transitions, log_softmax, outputs

KINDS, VOCABULARY, LENGTH = 3, 7, 5
SOURCES = np.array([[1, 4, 4], [2, 4, 4], [2, 5, 0]], "int32")
ALL = 1 + 4 + 16 + 64 + 256 * 5
RULES = {
    "exact": {"stopping": "exact"},
    "current length": {"stopping": "current_length"},
    "count": {"stopping": "count"},
    "patient": {"stopping": "count", "patience": 2.0},
    "impatient": {"stopping": "count", "patience": 0.5},
    "forced": {"stopping": "current_length", "force_end": True},
    "forced, exact": {"force_end": True},
    "forced, count": {"stopping": "count", "force_end": True},
    "first": {"stopping": "first"},
    "first of one": {"stopping": "first", "num_hypotheses": 1},
}
seeds = st.integers(0, 10_000)
bonuses = st.sampled_from([-9.0, 0.0, 1.0, 3.0])


def _tables(seed, end_bonus=0.0):
    tables = np.random.default_rng(seed).normal(size=(KINDS, VOCABULARY, VOCABULARY))
    tables[:, :, END] += end_bonus
    return 2 * tables.astype("float32")


@functools.cache
def _search(**options):
    search = BeamSearch(
        max_length=LENGTH, finished="replace", normalization="length", **options
    )

    def run(tables, source):
        return list(search.search(Transitions(tables, attends="id"), source))

    return compiled(run)


def _found(tables, **options):
    return Hypotheses(*to_numpy(_search(**options)(tables, SOURCES)))


def beam(
    table,
    beams,
    penalty,
    stopping="exact",
    patience=1.0,
    num_hypotheses=None,
    force_end=False,
):
    """Scores and ids of what ends, best first."""

    def normalize(score, length):
        return score / length**penalty

    wanted = num_hypotheses or beams
    begun, ended, is_first = [([], 0.0)], [], False
    for length in range(1, LENGTH + 1):
        candidates = []
        for ids, score in begun:
            scores = log_softmax(table[ids[-1] if ids else START])
            for last, more in enumerate(scores):
                if last not in (PAD, START):
                    candidates.append(([*ids, last], score + more))
        candidates.sort(key=lambda candidate: -candidate[1])
        begun = []
        for rank, (ids, score) in enumerate(candidates[: 2 * beams]):
            if ids[-1] == END or (length == LENGTH and not force_end):
                is_first |= rank == 0
                if rank < beams:
                    ended.append((normalize(score, length), ids))
            elif len(begun) < beams:
                begun.append((ids, score))
        ended.sort(key=lambda output: -output[0])
        if stopping == "count":
            if len(ended) >= max(1, int(beams * patience + 0.5)):
                break
            continue
        if stopping == "first":
            if is_first and len(ended) >= wanted:
                break
            continue
        ended = ended[:beams]
        if not begun:
            break
        longest = LENGTH + force_end if stopping == "exact" else length
        bound = normalize(begun[0][1], longest)
        if len(ended) == beams and bound <= ended[-1][0]:
            break
    else:
        forced = begun if force_end else []
        ended += [(normalize(score, LENGTH + 1), ids) for ids, score in forced]
        ended.sort(key=lambda output: -output[0])
    return ended[:wanted]


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize(("beams", "penalty"), [(1, 1.0), (2, 0.6), (3, 1.0), (4, 0.0)])
@given(seed=seeds, end_bonus=bonuses)
def test_it_finds_what_such_a_beam_in_python_finds(
    rules, beams, penalty, seed, end_bonus
):
    tables = _tables(seed, end_bonus)
    found = _found(tables, num_beams=beams, length_penalty=penalty, **RULES[rules])
    for row, (kind, *_) in enumerate(SOURCES):
        expected = beam(tables[kind], beams, penalty, **RULES[rules])
        count = len(expected)
        scores = [score for score, _ in expected]
        np.testing.assert_allclose(found.scores[row, :count], scores, atol=1e-4)
        assert np.isneginf(found.scores[row, count:]).all()
        assert not found.lengths[row, count:].any()
        # Outputs of the same transitions have the same score, and stand for each other.
        written = [tuple(ids[ids > 0]) for ids in found.ids[row, :count]]
        assert len({*written}) == count
        of_output = {tuple(ids): score for ids, score in outputs(tables[kind], LENGTH)}
        forced = RULES[rules].get("force_end", False)
        own = [
            of_output[ids] / (len(ids) + (forced and ids[-1] != END)) ** penalty
            for ids in written
        ]
        np.testing.assert_allclose(own, scores, atol=1e-4)
        for rank in range(count):
            length = found.lengths[row, rank]
            assert not found.ids[row, rank, length:].any()
            # Attention goes to the position of each id that was read.
            read = [START, *written[rank][:-1]]
            attended = found.attention[row, rank, :length].argmax(-1)
            np.testing.assert_array_equal(attended, np.array(read) % 3)


@given(seed=seeds, end_bonus=bonuses)
def test_a_wide_beam_finds_the_best_of_all(seed, end_bonus):
    tables = _tables(seed, end_bonus)
    found = _found(tables, num_beams=ALL, num_hypotheses=4, length_penalty=1.0)
    for row, (kind, *_) in enumerate(SOURCES):
        scores = [score / len(ids) for ids, score in outputs(tables[kind], LENGTH)]
        expected = sorted(scores, reverse=True)[:4]
        np.testing.assert_allclose(found.scores[row], expected, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("rules", ["current length", "patient"])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_models_are_searched_by_calls_too(rules, jit_compile):
    model = build("transformer")
    search = BeamSearch(
        3, 7, finished="replace", jit_compile=jit_compile, **RULES[rules]
    )
    found = search(model, SOURCE)
    again = search(model, SOURCE[:1])
    assert found.ids.shape == (len(SOURCE), 3, 7)
    np.testing.assert_array_equal(again.ids[0], found.ids[0])
    fewer = search.with_options(num_beams=2)(model, SOURCE)
    alone = BeamSearch(2, 7, finished="replace", **RULES[rules])(model, SOURCE)
    np.testing.assert_array_equal(fewer.ids[:, :2], alone.ids)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"finished": "drop"}, "`finished` must be .* finished='drop'"),
        ({"stopping": "early"}, "`stopping` must be .* stopping='early'"),
        ({"stopping": "count"}, "`stopping` .* stopping='count', finished='keep'"),
        ({"force_end": True}, "`force_end` .* force_end=True, finished='keep'"),
        ({"finished": "replace", "num_groups": 2}, "`num_groups` .*num_groups=2"),
        ({"patience": 0}, "`patience` must be .* patience=0"),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        BeamSearch(**{"num_beams": 4, "max_length": 5, **options})


def test_it_is_made_again_from_its_configuration():
    search = BeamSearch(3, 5, finished="replace", stopping="count", patience=1.5)
    config = keras.saving.serialize_keras_object(search)
    restored = keras.saving.deserialize_keras_object(config)
    assert restored.get_config() == search.get_config()
