"""How sure a translator is of a translation, in shares of its words.

A word counts as right where a reference has it. How probable the model finds the pieces
of a word says how often it is right, once it is calibrated: log-odds are divided by a
temperature (Guo et al. 2017) that is learned from held-out text. The confidence of a
translation is the mean of its words', which is the share of them to be expected right.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_attention.translation.alignments import find_words

BINS = 10  # of confidences, over which an error is measured
_LEAST, _MOST = 0.02, 50.0  # temperatures
_CLOSEST = 1e-6  # to 0 and 1


class Confidence(NamedTuple):
    """How sure a translator is of a translation.

    Attributes:
        share: of its words that are to be expected right, from 0 to 1.
        words: those that blanks divide, and how probably each is right.
    """

    share: float
    words: list[tuple[str, float]]


class Calibration(NamedTuple):
    """What was learned of held-out text.

    Attributes:
        temperature: by which log-odds are divided; above 1 where the model is too sure.
        words: how many there were.
        error_before: expected calibration error (Naeini et al. 2015) without it: by how
            much confidence and share of right words differ, over ten ranges.
        error: the same with it, on the same text.
    """

    temperature: float
    words: int
    error_before: float
    error: float


def word_probabilities(
    text: str, parts: Sequence[str], log_probabilities: np.ndarray
) -> np.ndarray:
    """How probable the model finds each word of a translation, `(words,)`.

    Args:
        text: the translation.
        parts: of it that its tokens stand for.
        log_probabilities: of the tokens, the end included; what lies beyond them is
            beyond what the model writes, and not probable at all.
    """
    words = find_words(text, parts)
    found = np.zeros(len(text.split()))
    np.add.at(found, words[: len(log_probabilities)], log_probabilities[: len(words)])
    found[max(words[: len(log_probabilities)], default=-1) + 1 :] = -np.inf
    return np.exp(found)


def right_words(text: str, reference: str) -> np.ndarray:
    """Whether a reference has each word of a translation, as often, `(words,)`."""
    left = Counter(reference.split())
    found = []
    for word in text.split():
        found.append(left[word] > 0)
        left[word] -= 1
    return np.array(found, "bool")


def temper(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities whose log-odds are divided by a temperature."""
    return _sigmoid(_log_odds(probabilities) / temperature)


def fit_temperature(probabilities: np.ndarray, is_right: np.ndarray) -> float:
    """The temperature by which words are as often right as they are said to be.

    That with the highest likelihood, of which there is one.
    """
    odds = _log_odds(probabilities)
    least, most = 1 / _MOST, 1 / _LEAST
    for _ in range(60):
        middle = (least + most) / 2
        slope = np.sum((_sigmoid(middle * odds) - is_right) * odds)
        least, most = (least, middle) if slope > 0 else (middle, most)
    return float(1 / middle)


def calibration_error(probabilities: np.ndarray, is_right: np.ndarray) -> float:
    """The expected calibration error; 0 without a word."""
    bins = reliability(probabilities, is_right)
    total = max(1, sum(count for *_, count in bins))
    return sum(abs(said - share) * count for said, share, count in bins) / total


def reliability(
    probabilities: np.ndarray, is_right: np.ndarray
) -> list[tuple[float, float, int]]:
    """Mean probability, share of right ones and their number, of ten ranges."""
    places = np.minimum((probabilities * BINS).astype("int64"), BINS - 1)
    found = []
    for place in range(BINS):
        chosen = places == place
        if chosen.any():
            said, share = probabilities[chosen].mean(), is_right[chosen].mean()
            found.append((float(said), float(share), int(chosen.sum())))
    return found


def make_confidence(text: str, probabilities: np.ndarray) -> Confidence:
    """The confidence of a translation by those of its words."""
    words = zip(text.split(), map(float, probabilities), strict=True)
    share = float(probabilities.mean()) if len(probabilities) else 0.0
    return Confidence(share, [*words])


def find_probabilities(
    translator: Any, texts: Sequence[Any], translations: Sequence[str]
) -> list[np.ndarray]:
    """How probable a translator finds each word of some translations."""
    from keras_attention.translation.list_tokenizer import as_lists

    scores = translator.score(texts, translations)
    parts = as_lists(translator.target_tokenizer).split(translations)
    return [
        word_probabilities(text, own, score.log_probabilities)
        for text, own, score in zip(translations, parts, scores, strict=True)
    ]


def _log_odds(probabilities):
    inside = np.clip(probabilities, _CLOSEST, 1 - _CLOSEST)
    return np.log(inside) - np.log1p(-inside)


def _sigmoid(odds):
    return 1 / (1 + np.exp(-odds))
