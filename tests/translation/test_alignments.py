"""Words of a text and its translation that belong together."""

import numpy as np
import pytest

from keras_attention.translation.alignments import Alignment, find_words


@pytest.mark.parametrize(
    ("text", "parts", "expected"),
    [
        ("I see it.", ["I", "see", "it", "."], [0, 1, 2, 2]),
        ("I see it.", ["I", "", "s", "ee", "", "it", "."], [0, 1, 1, 1, 2, 2, 2]),
        ("ab  ab", ["a", "b", " ", " ", "a", "b"], [0, 0, 1, 1, 1, 1]),
        (" a\tb", ["a", "b"], [0, 1]),
        ("나는 개를", ["", "나", "는", "", "개", "를"], [0, 0, 0, 1, 1, 1]),
        ("ﬁne day", ["fine", "day"], [0, 1]),  # a part that the text does not hold
        ("", [], []),
        ("a", ["a", "", "x"], [0, 0, 0]),
        ("  ", [" "], [0]),
    ],
)
def test_parts_belong_to_the_words_that_hold_them(text, parts, expected):
    assert find_words(text, parts) == expected


def test_words_are_aligned_by_all_their_tokens():
    # 2 words of 1 and 3 tokens, from 2 words of 2 and 1 tokens.
    attention = np.array(
        [[0.1, 0.1, 0.8], [0.3, 0.3, 0.4], [0.3, 0.3, 0.4], [0.1, 0.1, 0.8]], "float32"
    )
    found = Alignment(
        ["a", "b", "c"], ["w", "x", "y", "z"], [0, 0, 1], [0, 1, 1, 1], attention
    )
    assert found.tokens() == [(2, 0), (2, 1), (2, 2), (2, 3)]
    # The second word attends to the first with 1.4 in sum, and to the second with 1.6.
    assert found.words() == [(1, 0), (1, 1)]
    some = found._replace(attention=attention[:, [2, 1, 0]], source_words=[0, 1, 1])
    assert some.words() == [(0, 0), (0, 1)]
    even = attention.copy()
    even[1:] = [0.35, 0.35, 0.3]
    assert found._replace(attention=even).words() == [(1, 0), (0, 1)]


def test_nothing_is_aligned_with_nothing():
    nothing = Alignment([], ["a"], [], [0], np.zeros((1, 0), "float32"))
    assert nothing.tokens() == nothing.words() == []
