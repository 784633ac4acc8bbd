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


def test_counts_and_shares():
    by_count = split_by_source(SOURCES, TARGETS, validation=11, test=7, seed=3)
    assert [len(side[0]) for side in by_count] == [83, 11, 7]
    by_share = split_by_source(SOURCES, TARGETS, validation=0.2, test=0.05, seed=3)
    assert [len(side[0]) for side in by_share] == [76, 20, 5]
    only_test = split_by_source(SOURCES, TARGETS, validation=0, test=5)
    assert only_test.validation == ([], [])
    tiny = split_by_source(SOURCES[:5], TARGETS[:5])
    assert [len(side[0]) for side in tiny] == [3, 1, 1]


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
