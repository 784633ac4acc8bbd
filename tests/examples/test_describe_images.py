"""The example that describes pictures: what it draws, and that it runs."""

import importlib
from pathlib import Path

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="the Translator needs TensorFlow"
)


@pytest.fixture
def example(monkeypatch):
    examples = Path(__file__).parents[2] / "examples"
    monkeypatch.syspath_prepend(str(examples))
    return importlib.import_module("describe_images")


def test_a_picture_shows_what_is_said(example):
    random = np.random.default_rng(3)
    half = example.SIZE // 2
    for description in example.DESCRIPTIONS[::97]:
        picture = example.draw(description, random)
        assert picture.shape == (example.SIZE, example.SIZE, 3)
        words = description.split()
        first, second = words[1], words[-2]
        relation = " ".join(words[3:-3])
        if relation == "left of":
            picture = picture.swapaxes(0, 1)
        parts = [picture[: half - 2], picture[half + 2 :]]
        for part, color in zip(parts, (first, second), strict=True):
            lit = part[part.max(axis=-1) > 0.6].mean(axis=0) > 0.3
            assert tuple(lit.astype(int)) == example.COLORS[color]


def test_patches_are_cut_row_by_row(example):
    size, patch = example.SIZE, example.PATCH
    picture = np.arange(size * size * 3).reshape(size, size, 3)
    patches = example.cut(picture)
    expected = picture[patch : 2 * patch, 2 * patch : 3 * patch]
    np.testing.assert_array_equal(patches[size // patch + 2], expected.ravel())


@pytest.mark.slow
def test_it_trains_describes_and_exports(example, capsys):
    small = ["--pictures", "96", "--epochs", "2", "--tested", "12", "--dim", "16"]
    # It also compares what the SavedModel says in a fresh process.
    share, chance = example.main(small)
    printed = capsys.readouterr().out
    assert f"{share:.1%} of 12 unseen descriptions are right" in printed
    assert f"{chance:.1%} of them with the pictures shuffled" in printed
