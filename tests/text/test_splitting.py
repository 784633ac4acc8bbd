"""Splits without leaks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_attention.text import split_by_source

SOURCES = [f"sentence {number % 83}" for number in range(101)]
TARGETS = [f"translation {number}" for number in range(101)]


@settings(deadline=None)
@given(
    choices=st.lists(st.integers(0, 29), min_size=31, max_size=97),
    validation=st.integers(1, 3),
    test=st.integers(1, 3),
    seed=st.integers(0, 2**40),
)
def test_no_source_stands_on_two_sides(choices, validation, test, seed):
    # some that stand once, so that each count can be met
    sources = [str(choice) for choice in choices] + ["a", "b", "c", "d", "e", "f"]
    targets = [f"target {index}" for index in range(len(sources))]
    split = split_by_source(
        sources, targets, validation=validation, test=test, seed=seed
    )
    sides = [set(side[0]) for side in split]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    pairs = [pair for side in split for pair in zip(*side, strict=True)]
    assert sorted(pairs) == sorted(zip(sources, targets, strict=True))
    for lines, _ in (split.validation, split.test):
        assert 1 <= len(lines) <= 3
    indices = [int(target.split()[1]) for target in split.train[1]]
    assert indices == sorted(indices)


@pytest.mark.parametrize(
    "variants",
    [
        ("Tom sees it.", "TOM SEES IT.", "tom sees it."),
        ("Tom sees it.", " Tom\u00a0sees  it.\t", "Tom\u3000sees\u200bit.\r"),
        ("caf\u00e9", "cafe\u0301", "CAFE\u0301", "cafe\u200d\u0301"),
        ("\uac00\ub098", "\u1100\u1161\u1102\u1161"),  # syllables and letters
        ("ABC 1", "\uff41\uff42\uff43 \uff11"),  # of full width
        ("Stra\u00dfe", "STRASSE", "Stra\u1e9ee", "stra\u00adsse"),
        ("\ufb01sh", "fish", "\ufefffish", "fi\u200csh"),
        ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"),  # two small sigmas
        ("I\u015eIK", "\u0131\u015f\u0131k", "i\u015fik"),  # Turkish
        ("\u0130STANBUL", "istanbul", "I\u0307stanbul"),
        ("\u2764\ufe0f ok", "\u2764 ok", "\u2764\ufe0e ok"),  # a heart in colour
        ("\u845b\U000e0100", "\u845b"),  # a variant of an ideograph
        ("", " ", "\0\u200b"),
    ],
    ids=ascii,
)
def test_variants_of_a_sentence_are_one_sentence(variants):
    sources = [*variants, "other", "another"]
    for seed in range(20):
        split = split_by_source(sources, sources, validation=1, test=1, seed=seed)
        assert split.train[0] == [*variants]


def test_a_sentence_without_variants_stays_where_it_was():
    # by the hash of the sentence as it is written
    sources = [f"Sentence {number}" for number in range(40)]
    split = split_by_source(sources, sources, validation=3, test=3, seed=1)
    assert split.validation[0] == ["Sentence 14", "Sentence 28", "Sentence 34"]
    assert split.test[0] == ["Sentence 23", "Sentence 24", "Sentence 27"]


def test_counts_and_shares():
    by_count = split_by_source(SOURCES, TARGETS, validation=11, test=7, seed=3)
    assert [len(side[0]) for side in by_count] == [83, 11, 7]
    by_share = split_by_source(SOURCES, TARGETS, validation=0.2, test=0.05, seed=3)
    assert [len(side[0]) for side in by_share] == [76, 20, 5]
    only_test = split_by_source(SOURCES, TARGETS, validation=0, test=5)
    assert only_test.validation == ([], [])
    tiny = split_by_source(SOURCES[:5], TARGETS[:5])
    assert [len(side[0]) for side in tiny] == [3, 1, 1]


@pytest.mark.slow
def test_depends_on_the_seed_and_on_nothing_else(fresh_process):
    split = split_by_source(SOURCES, TARGETS, seed=5)
    assert split != split_by_source(SOURCES, TARGETS, seed=6)
    turned = split_by_source(SOURCES[::-1], TARGETS[::-1], seed=5)
    for side, other in zip(split, turned, strict=True):
        assert sorted(side[1]) == sorted(other[1])
    script = (
        "from keras_attention.text import split_by_source\n"
        "sources = [f'sentence {n % 83}' for n in range(101)]\n"
        "targets = [f'translation {n}' for n in range(101)]\n"
        "print(split_by_source(sources, targets, seed=5).test)\n"
    )
    assert fresh_process(script).splitlines()[-1] == str(split.test)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation": -1}, "`validation` must.*validation=-1"),
        ({"test": 1.0}, r"`test` must.*test=1\.0"),
        ({"test": float("nan")}, "`test` must.*test=nan"),
        ({"test": "half"}, "`test` must.*test='half'"),
        ({"validation": True}, "`validation` must.*=True"),
        ({"seed": -1}, "`seed` must.*seed=-1"),
        ({"validation": 60, "test": 41}, "none for train.*validation=60, test=41"),
    ],
)
def test_arguments_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        split_by_source(SOURCES, TARGETS, **options)


def test_sides_are_checked():
    with pytest.raises(ValueError, match="2 source lines, 1 target lines"):
        split_by_source(["a", "b"], ["c"])
    with pytest.raises(ValueError, match="at least one sentence"):
        split_by_source([], [])
    with pytest.raises(ValueError, match=r"none for validation.*of 1 different"):
        split_by_source(["a"] * 5, ["b"] * 5, validation=1, test=1)
