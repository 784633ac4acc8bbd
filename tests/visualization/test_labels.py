"""Tokens as labels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.visualization.labels import LONGEST, token_label, token_labels


@pytest.mark.parametrize(
    ("token", "label"),
    [
        ("▁Dooli", "Dooli"),
        ("li", "li"),
        ("▁my▁name", "my name"),
        ("▁", "␣"),
        (" ", "␣"),
        ("", ""),
        ("둘리", "둘리"),
        ("\u1103\u116e\u11af", "둘"),
        ("둘리".encode(), "둘리"),
        (b"a\xffb", "a\ufffdb"),
        ("a\nb\tc", "a b c"),
        ("a\x00b", "a\ufffdb"),
        ("$x_1$", "$x_1$"),
        ("abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx"),
        ("abcdefghijklmnopqrstuvwxy", "abcdefghijklmnopqrstuvw…"),
    ],
)
def test_a_label_is_what_a_person_reads(token, label):
    assert token_label(token) == label


@given(st.one_of(st.text(max_size=37), st.binary(max_size=37)))
def test_any_token_gives_one_short_printable_line(token):
    label = token_label(token)
    assert label.isprintable()
    assert len(label) <= LONGEST
    assert bool(label) == bool(token)


def test_any_iterable_of_strings_gives_labels():
    assert token_labels("names", (b"a", "▁b"), 2, "row") == ["a", "b"]


@pytest.mark.parametrize(
    ("tokens", "shown"), [("ab", "'ab'"), ([3, 5], r"\[3, 5\]"), (None, "None")]
)
def test_anything_but_strings_is_refused(tokens, shown):
    with pytest.raises(ValueError, match=f"`names` must be a list .*{shown}"):
        token_labels("names", tokens, 2, "row")


def test_another_number_of_strings_is_refused():
    with pytest.raises(ValueError, match=r"`names`.*3 tokens for 2 rows"):
        token_labels("names", ["a", "b", "c"], 2, "row")
