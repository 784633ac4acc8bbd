"""How sure a translator is, on whichever backend Keras runs."""

from collections import Counter

import numpy as np
import pytest

from keras_attention import Translator
from keras_attention.decoding import BeamSearch
from keras_attention.translation.confidence import (
    Confidence,
    calibration_error,
    fit_temperature,
    reliability,
    right_words,
    temper,
    word_probabilities,
)
from keras_attention.translation.evaluation import measure_confidence
from tests.translation.test_any_backend import TEXTS, make_plain
from tests.word_translator import WordTranslator


def test_words_are_as_probable_as_all_their_pieces():
    parts = ["▁un", "e", "▁mai", "son", "."]
    log_probabilities = np.log([0.5, 0.8, 0.5, 0.5, 0.9, 0.7])  # the last of the end
    found = word_probabilities("une maison.", parts, log_probabilities)
    np.testing.assert_allclose(found, [0.4, 0.225])
    cut = word_probabilities("une maison.", parts, log_probabilities[:2])
    np.testing.assert_allclose(cut, [0.4, 0])
    assert word_probabilities("", [], log_probabilities[-1:]).shape == (0,)


def test_words_are_right_as_often_as_the_reference_has_them():
    assert right_words("a b a a c", "a c d a").tolist() == [True, False, True, False, 1]
    assert right_words("", "a").shape == (0,)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_of_drawn_words_is_found(temperature):
    random = np.random.default_rng(5)
    odds = random.normal(0.5, 2.0, 40_000)
    said = 1 / (1 + np.exp(-odds))
    is_right = random.random(len(odds)) < 1 / (1 + np.exp(-odds / temperature))
    found = fit_temperature(said, is_right)
    assert found == pytest.approx(temperature, rel=0.04)
    error = calibration_error(temper(said, found), is_right)
    assert error < 0.01
    assert error <= calibration_error(said, is_right) + 1e-3


def test_certain_words_leave_it_finite():
    for is_right in (np.ones(3, "bool"), np.zeros(3, "bool")):
        found = fit_temperature(np.array([0.0, 1.0, 1.0]), is_right)
        assert 0.01 < found < 60


def test_the_error_is_the_mean_difference_over_ranges():
    said = np.array([0.12, 0.18, 0.95, 1.0])
    is_right = np.array([True, False, True, True])
    ranges = [(0.15, 0.5, 2), (0.975, 1.0, 2)]
    np.testing.assert_allclose(reliability(said, is_right), ranges)
    expected = (0.35 * 2 + 0.025 * 2) / 4
    assert calibration_error(said, is_right) == pytest.approx(expected)
    assert calibration_error(said[:0], is_right[:0]) == 0


def test_a_translator_says_how_sure_it_is():
    translate = make_plain("transformer", BeamSearch(3, 7))
    translations = translate(TEXTS)
    found = translate.confidence(TEXTS, translations)
    scores = translate.score(TEXTS, translations)
    for text, translation, one, score in zip(
        TEXTS, translations, found, scores, strict=True
    ):
        assert [word for word, _ in one.words] == translation.split()
        if not text:
            assert one == Confidence(1.0, [])
        elif translation.split() == [translation]:  # all of its pieces
            total = np.exp(score.log_probabilities[: len(translation)].sum())
            np.testing.assert_allclose(one.words[0][1], total, rtol=1e-4)
        if one.words:
            mean = np.mean([share for _, share in one.words])
            assert one.share == pytest.approx(mean)


def test_what_is_learned_is_kept(tmp_path):
    translate = make_plain("transformer", BeamSearch(3, 7))
    references = ["가나 다", "", "가", "가", "나"]
    before = translate.confidence(TEXTS, translate(TEXTS))
    learned = translate.calibrate(TEXTS, references)
    assert learned.temperature == translate.confidence_temperature != 1
    assert learned.words == sum(len(one.words) for one in before)
    assert learned.error <= learned.error_before
    figures = measure_confidence(translate, TEXTS, references)
    assert figures.error == pytest.approx(learned.error)
    assert figures.error_before == pytest.approx(learned.error_before)
    assert [share for share, _ in figures.withheld] == [n / 10 for n in range(10)]
    expected = translate.confidence(TEXTS, references)
    assert expected != before
    short = translate.with_precision("float32")
    assert short.confidence(TEXTS, references) == expected
    # a tokenizer in Python alone is saved like the others
    translate.save(tmp_path / "saved")
    again = Translator.load(tmp_path / "saved")
    assert again.confidence_temperature == learned.temperature


class SureTranslator(WordTranslator):
    """One that is sure of short sentences."""

    def confidence(self, texts, translations):
        return [Confidence(1 / len(text.split()), []) for text in texts]


def test_documents_keep_what_it_is_not_sure_of():
    counts = Counter()
    found = SureTranslator(str.upper).document(
        "# One\n\nOne *two*. One two three {x}.",
        "markdown",
        min_confidence=0.4,
        counts=counts,
    )
    assert found == "# ONE\n\nONE *TWO.* One two three {x}.".replace("*TWO.*", "*TWO*.")
    assert counts["unsure"] == 1
    assert counts["sentences"] == 3
