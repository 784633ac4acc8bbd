"""Characters, and their exact way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.text import CharacterTokenizer


@given(lines=st.lists(st.text(max_size=13), min_size=1, max_size=5))
def test_text_comes_back_exactly(lines):
    tokenizer = CharacterTokenizer.train(["x", *lines])
    ids = tokenizer.tokenize(lines)
    assert [len(row) for row in ids.to_list()] == [len(line) for line in lines]
    assert [text.decode() for text in tokenizer.detokenize(ids).numpy()] == lines


def test_blanks_at_both_ends_are_kept():
    line = "  16+75 \t가\u3000\n "
    tokenizer = CharacterTokenizer.train([line])
    assert tokenizer.detokenize(tokenizer.tokenize([line])).numpy()[0].decode() == line


def test_sorted_by_frequency_then_code_point():
    lines = ["cab나", "bc가", "c\U0001f600\uffe6"]
    vocabulary = ("c", "b", "a", "가", "나", "\uffe6", "\U0001f600")
    assert CharacterTokenizer.train(lines).vocabulary == vocabulary
    assert CharacterTokenizer.train(lines, 7).vocabulary == vocabulary[:3]
    assert CharacterTokenizer.train(lines).vocabulary_size == 11


def test_more_lines_than_a_chunk_are_counted():
    lines = ["a"] * 4099 + ["b"] * 4101
    assert CharacterTokenizer.train(lines).vocabulary == ("b", "a")


def test_unknown_characters_render_as_a_mark():
    tokenizer = CharacterTokenizer(["a", " "])
    assert tokenizer.tokenize(["ab a"]).to_list() == [[4, 1, 5, 4]]
    assert tokenizer.detokenize([[4, 1, 5, 4]]).numpy()[0].decode() == "a\u2047 a"


def test_the_vocabulary_is_checked():
    with pytest.raises(ValueError, match=r"`vocabulary` must hold single.*'ab'"):
        CharacterTokenizer(["a", "ab"])
    with pytest.raises(ValueError, match=r"`vocabulary_size` must.*=4"):
        CharacterTokenizer.train(["ab"], 4)
