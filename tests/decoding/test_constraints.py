"""Rules that outputs keep to, against enumeration of the outputs that keep them."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.decoding import BeamSearch, Greedy, Hypotheses, Sampling
from keras_attention.decoding.constraints import Constraints
from keras_attention.special_ids import SpecialIds
from tests.backends import compiled, to_numpy
from tests.small_models import SOURCE, build
from tests.toy_search import END, PAD, START, Transitions, log_softmax, outputs

KINDS, VOCABULARY, LENGTH = 3, 7, 5
SOURCES = np.array([[1, 4, 4, 4], [2, 4, 4, 0], [2, 5, 0, 0]], "int32")
ALL = 1 + 4 + 16 + 64 + 256 * 5
PREFIXES = np.array([[4, 6], [5, 0], [0, 0]], "int32")
SEARCHES = {
    "beam": lambda **rules: BeamSearch(ALL, LENGTH, length_penalty=0.0, **rules),
    "greedy": lambda **rules: Greedy(LENGTH, **rules),
    "sampling": lambda **rules: Sampling(LENGTH, seed=3, num_samples=7, **rules),
}


def _repeats(ids, last, size):
    """Whether one more id ends a run that is there already."""
    longer = [*ids, last]
    runs = [tuple(longer[i : i + size]) for i in range(len(longer) - size + 1)]
    return len(runs) > 0 and runs[-1] in runs[:-1]


# Options, and whether an id may follow others in a row with so many source ids.
RULES = {
    "suppressed": (
        {"suppressed_ids": [1, 5]},
        lambda ids, last, row: last not in (1, 5),
    ),
    "ngrams of one": (
        {"no_repeat_ngram_size": 1},
        lambda ids, last, row: not _repeats(ids, last, 1),
    ),
    "ngrams of two": (
        {"no_repeat_ngram_size": 2},
        lambda ids, last, row: not _repeats(ids, last, 2),
    ),
    "ngrams longer than outputs": (
        {"no_repeat_ngram_size": 9},
        lambda ids, last, row: True,
    ),
    "fewest": (
        {"min_length": 3},
        lambda ids, last, row: last != END or len(ids) + 1 >= 3,
    ),
    "fewest of the source": (
        {"min_length": 2, "min_length_ratio": 0.9},
        lambda ids, last, row: last != END or len(ids) + 1 >= [4, 3, 2][row],
    ),
    "renormalized": (
        {"suppressed_ids": [5], "min_length": 3, "renormalize": True},
        lambda ids, last, row: last != 5 and (last != END or len(ids) + 1 >= 3),
    ),
}
every_rule = pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule != "renormalized"]
)
every_search = pytest.mark.parametrize("search", SEARCHES)
seeds = st.integers(0, 10_000)


def _tables(seed):
    tables = np.random.default_rng(seed).normal(size=(KINDS, VOCABULARY, VOCABULARY))
    return 2 * tables.astype("float32")


@functools.cache
def _search(name, rule):
    search = SEARCHES[name](**(RULES[rule][0] if rule else {}))

    def run(tables, source, prefix):
        found = search.search(Transitions(tables, "id"), source, prefix)
        return list(found)

    return compiled(run)


def _outputs(found, row):
    """Outputs of a row with their scores, without the places that are empty."""
    parts = found.ids[row], found.lengths[row], found.scores[row]
    return [
        (ids[:length].tolist(), score)
        for ids, length, score in zip(*parts, strict=True)
        if length
    ]


def _check(found, allowed_of, seed):
    tables = _tables(seed)
    for row, (kind, *_) in enumerate(SOURCES):
        possible = outputs(tables[kind], LENGTH, functools.partial(allowed_of, row))
        by_ids = {tuple(ids): score for ids, score in possible}
        own = _outputs(found, row)
        assert own
        for ids, score in own:
            np.testing.assert_allclose(score, by_ids[tuple(ids)], atol=1e-4)
        yield row, tables[kind], own, by_ids


@every_search
@given(seed=seeds)
def test_what_rules_leave_can_be_made_certain_together(search, seed):
    tables = _tables(seed)
    found = Hypotheses(
        *to_numpy(_search(search, "renormalized")(tables, SOURCES, None))
    )
    _, is_allowed = RULES["renormalized"]
    for row, (kind, *_) in enumerate(SOURCES):
        for ids, score in _outputs(found, row):
            expected = 0.0
            for t, chosen in enumerate(ids):
                logits = tables[kind][ids[t - 1] if t else START]
                left = [
                    last
                    for last in range(VOCABULARY)
                    if last not in (PAD, START) and is_allowed(ids[:t], last, row)
                ]
                expected += log_softmax(logits[left])[left.index(chosen)]
            np.testing.assert_allclose(score, expected, atol=1e-4)


def test_nothing_is_left_without_a_number_that_is_none():
    scores = np.log(np.full((1, 4), 0.25, "float32"))
    written = np.array([[1, 3, 0]])
    rules = Constraints(1, 1.0, (), renormalize=True)
    found = to_numpy(rules.apply(scores, written, 2, SpecialIds(START, END)))
    assert np.isneginf(found).all()


@every_rule
@every_search
@given(seed=seeds)
def test_outputs_keep_the_rules(search, rule, seed):
    found = Hypotheses(*to_numpy(_search(search, rule)(_tables(seed), SOURCES, None)))
    _, is_allowed = RULES[rule]

    def allowed(row, ids, last):
        return is_allowed(ids, last, row)

    for row, table, own, by_ids in _check(found, allowed, seed):
        if search == "beam":
            assert {tuple(ids) for ids, _ in own} == set(by_ids)
        if search == "greedy":
            ids = own[0][0]
            for t, chosen in enumerate(ids):
                scores = log_softmax(table[ids[t - 1] if t else START])
                may_follow = [
                    last
                    for last in range(VOCABULARY)
                    if last not in (PAD, START) and allowed(row, ids[:t], last)
                ]
                assert chosen == max(may_follow, key=scores.__getitem__)


@pytest.mark.whole
@pytest.mark.parametrize("size", [1, 2, 3, 4])
@given(seed=seeds, index=st.integers(0, LENGTH))
def test_no_run_is_written_twice(size, seed, index):
    random = np.random.default_rng(seed)
    ids = random.integers(END + 1, VOCABULARY, (7, LENGTH)).astype("int32")
    scores = random.normal(size=(7, VOCABULARY)).astype("float32")
    found = to_numpy(
        Constraints(size, 1.0, ()).apply(scores, ids, index, SpecialIds(START, END))
    )
    for row, last in np.ndindex(7, VOCABULARY):
        is_repeated = _repeats(ids[row, :index].tolist(), last, size)
        if is_repeated or last in (PAD, START):
            assert found[row, last] == -np.inf
        else:
            assert found[row, last] == scores[row, last]


@every_search
@given(seed=seeds)
def test_outputs_begin_as_they_must(search, seed):
    found = to_numpy(_search(search, None)(_tables(seed), SOURCES, PREFIXES))

    def allowed(row, ids, last):
        wanted = [*PREFIXES[row], PAD, PAD, PAD, PAD][len(ids)]
        return wanted in (PAD, last)

    for _, _, own, by_ids in _check(Hypotheses(*found), allowed, seed):
        if search == "beam":
            assert {tuple(ids) for ids, _ in own} == set(by_ids)


@pytest.mark.whole
@every_search
@pytest.mark.parametrize(
    ("ratio", "most"),
    [(1.0, [4, 3, 2]), (0.7, [3, 3, 2]), (0.1, [1, 1, 1]), (9, [5] * 3)],
)
def test_the_source_tells_how_long_outputs_may_be(search, ratio, most):
    tables = _tables(5)
    tables[:, :, END] = -30
    found = SEARCHES[search](max_length_ratio=ratio)
    found = to_numpy(found.search(Transitions(tables), np.asarray(SOURCES)))
    np.testing.assert_array_equal(found.lengths[:, 0], most)


@every_search
def test_a_product_that_is_whole_is_not_rounded_up(search):
    tables = _tables(5)
    tables[:, :, END] = -30
    source = np.ones((1, 10), "int32")
    found = SEARCHES[search](max_length_ratio=0.3)  # in float32 a little more than 3
    found = to_numpy(found.search(Transitions(tables), source))
    np.testing.assert_array_equal(found.lengths[:, 0], [3])


@pytest.mark.parametrize("penalty", [1.7, 0.4])
@given(seed=seeds)
def test_what_was_written_is_penalized(penalty, seed):
    table = _tables(seed)[1]
    ids, score = [], 0.0
    while len(ids) < LENGTH and END not in ids:
        scores = log_softmax(table[ids[-1] if ids else START])
        for last in set(ids):
            scores[last] *= penalty
        allowed = [last for last in range(VOCABULARY) if last not in (PAD, START)]
        ids.append(max(allowed, key=scores.__getitem__))
        score += scores[ids[-1]]
    found = to_numpy(_penalized(penalty)(_tables(seed), SOURCES[:1]))
    assert found[0][0, 0, : len(ids)].tolist() == ids
    np.testing.assert_allclose(found[2][0, 0], score, atol=1e-4)


@functools.cache
def _penalized(penalty):
    def run(tables, source):
        search = Greedy(LENGTH, repetition_penalty=penalty)
        return list(search.search(Transitions(tables), source))

    return compiled(run)


def test_a_prefix_may_hold_what_is_suppressed():
    model = build("transformer")
    prefix = np.array([[5, 6], [7, 0], [0, 0]])
    found = Greedy(6, suppressed_ids=[5, 6, 7])(model, SOURCE, prefix)
    assert found.ids[0, 0, :2].tolist() == [5, 6]
    assert found.ids[1, 0, 0] == 7
    assert not np.isin(found.ids[0, 0, 2:], [5, 6, 7]).any()
    expected = Greedy(6, suppressed_ids=[5, 6, 7])(model, SOURCE)
    np.testing.assert_array_equal(found.ids[2], expected.ids[2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_length": -1}, "`min_length` must be .* Received: min_length=-1"),
        ({"max_length_ratio": 0}, "`max_length_ratio` must .*: max_length_ratio=0"),
        ({"min_length_ratio": -1}, "`min_length_ratio` must .*: min_length_ratio=-1"),
        ({"min_length_ratio": math.nan}, "`min_length_ratio` must .*=nan"),
        ({"no_repeat_ngram_size": 0.5}, "`no_repeat_ngram_size` must .*=0.5"),
        ({"repetition_penalty": 0}, "`repetition_penalty` must .*=0"),
        ({"suppressed_ids": [4, -1]}, "`suppressed_ids` must .*: suppressed_ids=-1"),
        ({"suppressed_ids": 4}, "`suppressed_ids` must be a list .*: suppressed_ids=4"),
    ],
)
def test_wrong_rules_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Greedy(5, **options)


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ([4, 5, 6], r"`prefix` must be integer ids .* Received: shape=\(3,\)"),
        ([[4], [3], [4]], "`prefix` must hold neither .*, 2 and 3"),
        ([[4]], "`prefix` must have as many rows .*: 1 rows, source with 3"),
        ([[4], [99], [4]], "`prefix` must hold ids from 0 to .*: ids from 4 to 99"),
        ([[4], [-4], [4]], "`prefix` must hold ids from 0 to .*: ids from -4 to 4"),
    ],
)
def test_wrong_prefixes_are_named(prefix, message):
    with pytest.raises(ValueError, match=message):
        Greedy(5)(build("transformer", num_layers=1), SOURCE, prefix)


def test_the_end_of_outputs_cannot_be_suppressed():
    model = build("transformer", num_layers=1)
    with pytest.raises(ValueError, match=r"`suppressed_ids` must not hold 3, .*\(3,\)"):
        Greedy(5, suppressed_ids=[3])(model, SOURCE)


def test_what_is_no_id_of_the_model_cannot_be_suppressed():
    model = build("transformer", num_layers=1)
    with pytest.raises(ValueError, match=r"`suppressed_ids` must be below .*\(99,\)"):
        Greedy(5, suppressed_ids=[99])(model, SOURCE)


def test_an_empty_prefix_is_none():
    model = build("transformer", num_layers=1)
    found = Greedy(5, suppressed_ids=np.array([4]))(model, SOURCE, np.ones((3, 0), int))
    expected = Greedy(5, suppressed_ids=[4])(model, SOURCE)
    np.testing.assert_array_equal(found.ids, expected.ids)
