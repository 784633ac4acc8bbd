"""Beam search against enumeration, against a beam in Python, and on models."""

import functools
import itertools
import math

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.decoding import BeamSearch, Greedy, Hypotheses
from tests.backends import compiled, one_operation_at_a_time, to_numpy
from tests.small_models import SOURCE, build
from tests.toy_search import END, PAD, START, Transitions, beam, outputs

KINDS, VOCABULARY, LENGTH = 3, 7, 4
SOURCES = np.array([[1, 4, 4], [2, 4, 4], [2, 5, 0]], "int32")
# Ids 1, 4, 5, 6 and the end: so many outputs of at most four.
ALL = 1 + 4 + 16 + 64 * 5
PENALTIES = {
    "log-probability": {"length_penalty": 0.0},
    "gnmt": {"length_penalty": 0.6},
    "mean": {"length_penalty": 1.0, "normalization": "length"},
    "long": {"length_penalty": 2.5, "normalization": "length"},
}
every_penalty = pytest.mark.parametrize("penalty", PENALTIES)
seeds = st.integers(0, 10_000)
bonuses = st.sampled_from([-9.0, 0.0, 1.0, 3.0])


def _tables(seed, end_bonus=0.0):
    tables = np.random.default_rng(seed).normal(size=(KINDS, VOCABULARY, VOCABULARY))
    tables[:, :, END] += end_bonus
    return 2 * tables.astype("float32")


@functools.cache
def _search(**options):
    def run(tables, source):
        model = Transitions(tables, attends="id")
        return list(BeamSearch(max_length=LENGTH, **options).search(model, source))

    return compiled(run)


def _found(tables, **options):
    return Hypotheses(*to_numpy(_search(**options)(tables, SOURCES)))


def _normalized(score, length, penalty):
    options = PENALTIES[penalty]
    base = length if "normalization" in options else (5 + length) / 6
    return score / base ** options["length_penalty"]


def _ranked(candidates, penalty):
    scored = [(_normalized(score, len(ids), penalty), ids) for ids, score in candidates]
    return sorted(scored, key=lambda output: -output[0])


def _written(found, row):
    """Outputs of a row as lists, without the places that are empty."""
    return [
        ids[:length].tolist()
        for ids, length in zip(found.ids[row], found.lengths[row], strict=True)
        if length
    ]


def _check(found, row, expected, possible):
    """The expected scores, each that of its ids, and no output twice.

    Outputs of the same transitions have the same score, so ids may stand in another
    order.
    """
    scores = [score for score, _ in expected]
    np.testing.assert_allclose(found.scores[row], scores, atol=1e-4)
    of_output = {tuple(ids): score for score, ids in possible}
    written = {tuple(ids) for ids in _written(found, row)}
    assert len(written) == len(expected)
    by_ids = sorted((of_output[ids] for ids in written), reverse=True)
    np.testing.assert_allclose(found.scores[row], by_ids, atol=1e-4)


@every_penalty
@given(seed=seeds, end_bonus=bonuses)
def test_a_wide_beam_finds_the_best_of_all(penalty, seed, end_bonus):
    tables = _tables(seed, end_bonus)
    found = _found(tables, num_beams=ALL, **PENALTIES[penalty])
    for row, (kind, *_) in enumerate(SOURCES):
        expected = _ranked(outputs(tables[kind], LENGTH), penalty)
        _check(found, row, expected, expected)


@pytest.mark.parametrize(
    ("num_beams", "penalty"), [(2, "gnmt"), (3, "long"), (5, "mean")]
)
@given(seed=seeds, end_bonus=bonuses)
def test_it_keeps_what_a_beam_in_python_keeps(num_beams, penalty, seed, end_bonus):
    tables = _tables(seed, end_bonus)
    found = _found(tables, num_beams=num_beams, **PENALTIES[penalty])
    for row, (kind, *_) in enumerate(SOURCES):
        expected = _ranked(beam(tables[kind], LENGTH, num_beams), penalty)
        _check(found, row, expected, _ranked(outputs(tables[kind], LENGTH), penalty))


@every_penalty
@given(seed=seeds, end_bonus=bonuses)
def test_one_beam_is_greedy_search(penalty, seed, end_bonus):
    tables = _tables(seed, end_bonus)
    found = _found(tables, num_beams=1, **PENALTIES[penalty])
    greedy = _greedy()(tables, SOURCES)
    expected = Hypotheses(*to_numpy(greedy))
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.lengths, expected.lengths)
    np.testing.assert_array_equal(found.attention, expected.attention)
    for row in range(len(SOURCES)):
        score = _normalized(expected.scores[row, 0], expected.lengths[row, 0], penalty)
        np.testing.assert_allclose(found.scores[row, 0], score, atol=1e-4)


@functools.cache
def _greedy():
    def run(tables, source):
        return list(Greedy(LENGTH).search(Transitions(tables, "id"), source))

    return compiled(run)


@pytest.mark.parametrize(
    ("num_hypotheses", "penalty"), [(1, "gnmt"), (1, "long"), (2, "log-probability")]
)
@given(seed=seeds, end_bonus=bonuses)
def test_fewer_hypotheses_are_the_first_of_all(
    num_hypotheses, penalty, seed, end_bonus
):
    tables, options = _tables(seed, end_bonus), PENALTIES[penalty]
    whole = _found(tables, num_beams=4, **options)
    found = _found(tables, num_beams=4, num_hypotheses=num_hypotheses, **options)
    for part, expected in zip(found, whole, strict=True):
        np.testing.assert_array_equal(part, expected[:, :num_hypotheses])


@given(seed=seeds, end_bonus=bonuses)
def test_attention_is_that_of_each_hypothesis(seed, end_bonus):
    found = _found(_tables(seed, end_bonus), num_beams=4)
    for row, place in itertools.product(range(len(SOURCES)), range(4)):
        ids, length = found.ids[row, place], found.lengths[row, place]
        read = [START, *ids[: length - 1]]
        expected = np.zeros((LENGTH, 3))
        expected[:length] = np.eye(3)[[last % 3 for last in read]]
        np.testing.assert_array_equal(found.attention[row, place], expected)


@given(seed=seeds, end_bonus=bonuses)
def test_coverage_counts_what_was_attended_to_of_the_source(seed, end_bonus):
    tables = _tables(seed, end_bonus)
    found = _found(tables, num_beams=ALL, length_penalty=0.0, coverage_penalty=0.3)
    for row, source in enumerate(SOURCES):
        real, kind = source != PAD, source[0]
        expected = []
        for ids, score in outputs(tables[kind], LENGTH):
            covered = {last % 3 for last in [START, *ids[:-1]]}
            missed = sum(real[place] and place not in covered for place in range(3))
            expected.append(score + 0.3 * missed * math.log(1e-6))
        expected.sort(reverse=True)
        np.testing.assert_allclose(found.scores[row], expected, atol=1e-4)


@pytest.mark.whole("tensorflow")
@pytest.mark.parametrize("diversity", [0.0, 0.7, 50.0])
@given(seed=seeds, end_bonus=bonuses)
def test_groups_avoid_what_others_wrote(diversity, seed, end_bonus):
    tables = _tables(seed, end_bonus)
    options = {"num_groups": 2, "diversity": diversity, "length_penalty": 0.0}
    found = _found(tables, num_beams=4, **options)
    for row, (kind, *_) in enumerate(SOURCES):
        kept = beam(tables[kind], LENGTH, 4, 2, diversity)
        distinct = {tuple(ids): score for ids, score in kept}
        expected = sorted(distinct.values(), reverse=True)
        missing = [-math.inf] * (4 - len(expected))
        np.testing.assert_allclose(found.scores[row], expected + missing, atol=1e-4)
        assert len({tuple(ids) for ids in _written(found, row)}) == len(distinct)
    # What two groups have written counts once among the outputs asked for.
    fewer = _found(tables, num_beams=4, num_hypotheses=2, **options)
    np.testing.assert_allclose(fewer.scores, found.scores[:, :2], atol=1e-4)


def test_hypotheses_of_a_source_may_share_what_does_not_change():
    class Sharing(Transitions):
        def reorder(self, state, parents):
            source, count = state
            return source, keras.ops.take(count, parents, axis=0)

    tables, search = _tables(5), BeamSearch(4, max_length=LENGTH)
    found, expected = (
        search(model(tables, attends="id"), SOURCES) for model in (Sharing, Transitions)
    )
    for part, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, other)


@pytest.mark.one_backend
def test_it_stops_once_nothing_unfinished_can_win():
    tables = np.full((KINDS, VOCABULARY, VOCABULARY), -9.0, "float32")
    tables[:, START, END], tables[:, START, 4], tables[:, START, 5] = 2, 1, 1
    tables[:, 4, 4] = tables[:, 5, 5] = 3
    source = keras.ops.convert_to_tensor(SOURCES)
    for asked, steps, lengths in ((1, 1, [1]), (2, 9, [1, 9])):
        model = Transitions(tables)
        search = BeamSearch(3, 9, length_penalty=0.0, num_hypotheses=asked)
        with one_operation_at_a_time():
            found = search.search(model, source)
        assert model.steps == steps
        assert to_numpy(found.lengths).tolist() == [lengths] * 3


def test_places_without_an_output_are_empty():
    tables = np.full((KINDS, VOCABULARY, VOCABULARY), 0.0, "float32")
    suppressed = (1, 4, 5, 6)
    found = _found(tables, num_beams=3, suppressed_ids=suppressed)
    assert found.lengths.tolist() == [[1, 0, 0]] * 3
    assert found.ids[:, 0, 0].tolist() == [END] * 3
    assert not found.ids[:, 1:].any()
    assert np.isneginf(found.scores[:, 1:]).all()
    # And where nothing may follow at all, as in greedy search.
    model, source = Transitions(tables), np.asarray(SOURCES)
    for search in (BeamSearch, Greedy):
        found = search(max_length=4, min_length=3, suppressed_ids=suppressed)
        found = to_numpy(found.search(model, source))
        assert not found.lengths.any()
        assert not found.ids.any()
        assert np.isneginf(found.scores).all()
    assert not found.attention[:, 1:].any()


MODELS = {
    "transformer": ("transformer", {}),
    "rnn": ("rnn", {"bidirectional": True}),
    "rnn without attention": ("rnn", {"attention": None}),
}
every_model = pytest.mark.parametrize("name", list(MODELS))


def _model(name):
    architecture, options = MODELS[name]
    return build(architecture, **options)


def _log_probs(model, source, target):
    logits = to_numpy(model({"source": source, "target": target}))
    return to_numpy(keras.ops.log_softmax(logits))


@pytest.mark.one_backend
@every_model
def test_a_wide_beam_finds_the_best_of_all_outputs_of_a_model(name):
    model, ids = _model(name), [1, *range(4, 13)]
    complete = [
        *([END],),
        *([first, END] for first in ids),
        *([first, second, END] for first in ids for second in ids),
        *([first, second, third] for first in ids for second in ids for third in ids),
    ]
    target = np.array([[START, *output, 0, 0, 0][:4] for output in complete], "int32")
    source = np.repeat(SOURCE[:1], len(target), axis=0)
    log_probs = _log_probs(model, source, target)
    scores = np.array(
        [
            sum(log_probs[row, t, last] for t, last in enumerate(output))
            / ((5 + len(output)) / 6) ** 0.6
            for row, output in enumerate(complete)
        ]
    )
    found = BeamSearch(len(complete), max_length=3)(model, SOURCE[:1])
    order = np.argsort(-scores)
    np.testing.assert_allclose(found.scores[0], scores[order], atol=1e-3)
    assert _written(found, 0)[0] == complete[order[0]]
    assert sorted(_written(found, 0)) == sorted(complete)


@pytest.mark.parametrize(
    ("name", "options"), [("transformer", {}), ("rnn", {"num_groups": 2})]
)
def test_compiled_by_xla_it_finds_the_same(name, options):
    model = _model(name)
    expected = BeamSearch(4, 6, **options)(model, SOURCE)
    found = BeamSearch(4, 6, jit_compile=True, **options)(model, SOURCE)
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)


@pytest.mark.one_backend
@every_model
def test_rows_find_the_same_alone_and_in_any_order(name):
    model, search = _model(name), BeamSearch(3, max_length=6)
    together, backwards = search(model, SOURCE), search(model, SOURCE[::-1])
    np.testing.assert_array_equal(backwards.ids[::-1], together.ids)
    np.testing.assert_allclose(backwards.scores[::-1], together.scores, atol=1e-5)
    alone = search(model, SOURCE[1:2, :5])
    np.testing.assert_array_equal(alone.ids[0], together.ids[1])
    np.testing.assert_allclose(alone.scores[0], together.scores[1], atol=1e-5)


@every_model
def test_the_scores_are_those_of_full_passes(name):
    model = _model(name)
    found = BeamSearch(3, max_length=6, length_penalty=0.0)(model, SOURCE)
    _check_scores(model, found)


def _check_scores(model, found):
    assert (np.diff(found.scores, axis=1) <= 0).all()
    for place in range(3):
        ids = found.ids[:, place]
        target = np.concatenate([np.full((3, 1), START), ids[:, :-1]], axis=1)
        log_probs = _log_probs(model, SOURCE, target.astype("int32"))
        chosen = np.take_along_axis(log_probs, ids[..., None], axis=2)[..., 0]
        expected = (chosen * (ids != PAD)).sum(axis=1)
        np.testing.assert_allclose(found.scores[:, place], expected, atol=1e-3)


class Plain:
    """A model of which a search knows no more than it must."""

    def __init__(self, model):
        self.encode, self.start, self.step = model.encode, model.start, model.step


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"positions": "rotary", "embedding_dim": 12, "num_key_value_heads": 1},
        {"positions": "alibi"},
        {"positions": "relative"},
        {"attention_options": {"sliding_window": 2}},
    ],
    ids=str,
)
def test_a_shared_past_serves_as_copies_do(options):
    model = build("transformer", **options)
    search = BeamSearch(4, 6, num_groups=2, length_penalty=0.0)
    shared, copied = search(model, SOURCE), search(Plain(model), SOURCE)
    np.testing.assert_array_equal(shared.ids, copied.ids)
    np.testing.assert_allclose(shared.scores, copied.scores, atol=1e-5)
    np.testing.assert_allclose(shared.attention, copied.attention, atol=1e-5)
    _check_scores(model, shared)


def test_coverage_needs_attention():
    message = "`coverage_penalty` needs .* Received: coverage_penalty=0.2"
    with pytest.raises(ValueError, match=message):
        BeamSearch(2, 5, coverage_penalty=0.2)(_model("rnn without attention"), SOURCE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_beams": 0}, "`num_beams` must be .* Received: num_beams=0"),
        ({"length_penalty": -1}, "`length_penalty` must .*: length_penalty=-1"),
        ({"length_penalty": 11}, "`length_penalty` must be .* 0 to 10. .*=11"),
        ({"coverage_penalty": math.nan}, "`coverage_penalty` must .*=nan"),
        ({"diversity": math.inf}, "`diversity` must .*: diversity=inf"),
        ({"normalization": "words"}, "`normalization` must .*: normalization='words'"),
        ({"num_groups": 3}, "`num_groups` must divide .* num_groups=3, num_beams=4"),
        ({"num_hypotheses": 5}, "`num_hypotheses` must .*=5, num_beams=4"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        BeamSearch(**{"num_beams": 4, "max_length": 5, **options})


def test_it_is_made_anew_of_its_configuration():
    search = BeamSearch(
        6,
        17,
        0.3,
        0.1,
        normalization="length",
        num_hypotheses=2,
        num_groups=3,
        diversity=0.2,
        min_length=2,
        max_length_ratio=1.5,
        min_length_ratio=0.5,
        no_repeat_ngram_size=3,
        repetition_penalty=1.2,
        suppressed_ids=[1],
        jit_compile=True,
    )
    config = keras.saving.serialize_keras_object(search)
    restored = keras.saving.deserialize_keras_object(config)
    assert isinstance(restored, BeamSearch)
    assert restored.get_config() == search.get_config()
    assert repr(restored) == "BeamSearch(6, max_length=17)"
