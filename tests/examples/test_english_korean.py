"""The sentence pairs that come along."""

from pathlib import Path

import pytest

from keras_attention import text

FOLDER = Path(__file__).parents[2] / "examples" / "english_korean"
SIZES = {"train": 22_000, "validation": 500, "test": 1_000}


@pytest.fixture(scope="module")
def parts():
    return {name: text.read_pairs(FOLDER / f"{name}.tsv") for name in SIZES}


def test_sizes_and_first_pair(parts):
    assert {name: len(sources) for name, (sources, _) in parts.items()} == SIZES
    assert [side[0] for side in parts["train"]] == [
        "My name is Dooli.",
        "내 이름은 둘리입니다.",
    ]


def test_no_source_occurs_twice(parts):
    sources = [source for part in parts.values() for source in part[0]]
    assert len(set(sources)) == len(sources)


def test_every_word_of_the_test_was_trained_on(parts):
    words = {
        name: {word for line in sources for word in line.rstrip(".?").lower().split()}
        for name, (sources, _) in parts.items()
    }
    assert words["validation"] | words["test"] <= words["train"]


def test_questions_are_questions_on_both_sides(parts):
    for sources, targets in parts.values():
        for source, target in zip(sources, targets, strict=True):
            assert source.endswith("?") == target.endswith("?"), source
