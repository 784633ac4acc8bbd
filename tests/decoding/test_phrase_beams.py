"""Beams that hold given phrases, against all outputs that there are."""

import functools

import keras
import numpy as np
import pytest

from keras_attention.decoding import BeamSearch
from keras_attention.decoding.phrases import Phrases, Words, make_phrases
from tests.backends import compiled, to_numpy
from tests.toy_search import END, START, Transitions, outputs

KINDS, VOCABULARY, LENGTH = 3, 6, 4
SOURCES = np.array([[1, 4, 4], [2, 4, 4], [0, 5, 0]], "int32")
ALL = 200  # an output may hold phrases in several ways
# Id 5 continues a word, and may be continued, as 4 may.
WORDS = Words(
    np.array([False, False, False, False, False, True]),
    np.array([False, False, False, False, True, True]),
)
ANY = Words(np.zeros(VOCABULARY, "bool"), np.zeros(VOCABULARY, "bool"))


def _tables(seed):
    tables = np.random.default_rng(seed).normal(size=(KINDS, VOCABULARY, VOCABULARY))
    return 2 * tables.astype("float32")


@functools.cache
def _search(beams, has_words=False, **options):
    search = BeamSearch(
        beams, LENGTH, length_penalty=1.0, normalization="length", **options
    )

    def run(tables, phrases):
        own = search.with_phrases(Phrases(*phrases), WORDS if has_words else None)
        return list(own.search(Transitions(tables), SOURCES)[:3])

    return compiled(run)


def find(tables, wanted, beams, **options):
    phrases = [keras.ops.convert_to_tensor(part) for part in make_phrases(wanted)]
    return to_numpy(_search(beams, **options)(tables, phrases))


def holds(ids, forms):
    return any(
        [*ids[place : place + len(form)]] == [*form]
        for form in forms
        for place in range(len(ids))
    )


def ways(table, ids, phrases, words, place=0, held=frozenset(), late=0, closed=False):
    """For each parse of an output, how many phrases are missing and how many are late.

    A parse marks some places as phrases, which do not overlap. It may end early only
    with all of them, and where the end is most probable it has to start one. By `words`
    what is glued to a word is no phrase, and nothing is glued to a phrase.
    """
    if place == len(ids):
        is_whole = len(held) == len(phrases)
        if is_whole or ids[-1] != END or len(ids) == LENGTH:
            yield len(phrases) - len(held), late
        return
    before = ids[place - 1] if place else START
    goes_on, is_open = words
    fit = {
        (number, (*form,))
        for number, forms in enumerate(phrases)
        for form in forms
        if number not in held and not (goes_on[form[0]] and is_open[before])
    }
    may_follow = [index for index in (1, 3, 4, 5) if not (closed and goes_on[index])]
    is_over = (
        fit
        and place + 1 < LENGTH
        and max(may_follow, key=table[before].__getitem__) == END
    )
    if not is_over and ids[place] in may_follow:
        yield from ways(table, ids, phrases, words, place + 1, held, late)
    for number, form in fit:
        part = ids[place : place + len(form)]
        is_cut = place + len(form) > LENGTH and len(ids) == LENGTH
        if (*part,) != form[: len(part)] or (len(part) < len(form) and not is_cut):
            continue
        yield from ways(
            table,
            ids,
            phrases,
            words,
            place + len(part),
            held if is_cut else held | {number},
            late + bool(is_over),
            not is_cut and is_open[form[-1]],
        )


def ranked(table, phrases, words):
    """Outputs by what they lack, what is late, and their scores."""
    found = []
    for ids, score in outputs(table, LENGTH):
        of_output = [*ways(table, ids, phrases, words)]
        if of_output:
            found.append((*min(of_output), -score / len(ids), ids))
    return sorted(found)


WANTED = [
    # One, of one id or two; another form of it; two; and none.
    ([[[4]]], [[[4, 5]]], []),
    ([[[4, 1], [5]]], [[[5, 5], [5, 4]]], [[[1]], [[4]]]),
    # One that is the beginning of another, and twice the same.
    ([[[4]], [[4, 5]]], [[[4, 4]]], [[[5]], [[5]]]),
    # More than there is room for.
    ([[[4, 5, 4]], [[5, 5]]], [[[1, 1, 1, 1, 1]]], [[[1, 4, 5, 4]]]),
    # One form that is the beginning of another, or continues a word.
    ([[[4], [4, 5]], [[1]]], [[[5, 4], [5], [5, 1, 4]], [[4]]], [[[4, 5, 5], [4]]]),
    ([], [], []),
]


@pytest.mark.whole
@pytest.mark.parametrize("wanted", WANTED, ids=str)
@pytest.mark.parametrize("finished", ["keep", "replace"])
@pytest.mark.parametrize("has_words", [False, True])
def test_a_beam_of_all_finds_the_best_that_hold_the_phrases(
    wanted, finished, has_words
):
    tables = _tables(len(str(wanted)))
    ids, lengths, scores = find(
        tables, wanted, ALL, finished=finished, has_words=has_words
    )
    words = WORDS if has_words else ANY
    for row, own in enumerate(wanted):
        expected = ranked(tables[SOURCES[row, 0]], own, words)
        for place in range(3):
            missing, late, score, _ = expected[place]
            if place and missing + late:
                break
            written = ids[row, place, : lengths[row, place]].tolist()
            tolerance = 5e-3 if missing else 5e-4 if late else 1e-5
            assert scores[row, place] == pytest.approx(-score, abs=tolerance)
            if not missing:
                # The order of ids may change nothing of the score.
                alike = [one for *_, value, one in expected if value < score + 1e-5]
                assert written in alike


@pytest.mark.parametrize("seed", range(4))
def test_few_beams_hold_the_phrases_too(seed):
    tables = _tables(seed)
    wanted = [[[[4, 5]], [[1]]], [[[5]]], []]
    ids, lengths, scores = find(tables, wanted, 4)
    for row, own in enumerate(wanted):
        written = ids[row, 0, : lengths[row, 0]].tolist()
        assert all(holds(written, forms) for forms in own)
        missing, late, best, _ = ranked(tables[SOURCES[row, 0]], own, ANY)[0]
        assert not missing
        assert late or scores[row, 0] <= -best + 1e-4


def test_without_phrases_beams_are_those_of_replaced_ones():
    tables = _tables(5)
    found = find(tables, [[], [], []], 3, finished="replace")
    search = BeamSearch(
        3, LENGTH, length_penalty=1.0, normalization="length", finished="replace"
    )
    plain = search.search(Transitions(tables), SOURCES)
    np.testing.assert_array_equal(found[0], to_numpy(plain.ids))
    np.testing.assert_allclose(found[2], to_numpy(plain.scores), rtol=1e-5)


def test_sizes_are_rounded_and_rows_filled_up():
    found = make_phrases([[[[4, 5], [4, 1]], [[END]]], []], steps=(8, 4, 4), rows=3)
    assert found.ids.shape == (3, 8, 4)
    assert found.is_wanted.tolist() == [[True, True, False, False], *[[False] * 4] * 2]
    # Forms of a phrase share a node, and phrases do not.
    assert found.ids[0, 0].tolist() == [4, END, 0, 0]
    assert found.ids[0, 1].tolist() == [5, 1, 0, 0]
    assert found.phrases[0].tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert found.is_end[0].tolist() == [False, False, True, True, True, *[False] * 3]
    assert not found.ids[1:].any()


@pytest.mark.parametrize("form", [[], [4, 0]])
def test_a_phrase_has_ids(form):
    with pytest.raises(ValueError, match=r"Received: \["):
        make_phrases([[[form]]])


def test_groups_hold_no_phrases():
    search = BeamSearch(4, LENGTH, num_groups=2)
    with pytest.raises(ValueError, match="num_groups=2"):
        search.with_phrases(make_phrases([[[[4]]]]))
