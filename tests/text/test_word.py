"""Words and punctuation marks, and their way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.text import WordTokenizer
from tests.text.scripts import single_spaced

JOINED = "\x1e"


def back(tokenizer, text):
    return tokenizer.detokenize(tokenizer.tokenize([text])).numpy()[0].decode()


def pieces(tokenizer, text):
    names = tokenizer.tokens(tokenizer.tokenize([text]))
    return [name.decode() for name in names.flat_values.numpy()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, world.", "Hello , world ."),
        ("I don't know; you'd've?", "I don't know ; you'd've ?"),
        ("I don\u2019t.", "I don\u2019t ."),
        ("'so' he's", "' so ' he's"),
        ("the dogs' 'n' cats", "the dogs ' ' n ' cats"),
        ('He said: "no!" (twice).', 'He said : " no ! " ( twice ) .'),
        ("well-known 3.14%", "well - known 3 . 14 %"),
        ("내 이름은 '둘리'입니다.", "내 이름은 ' 둘리 ' 입니다 ."),
        ("o'b'c'd a'가 가'a 'o'가", "o'b'c'd a ' 가 가 ' a ' o ' 가"),
        ("e\u0301te\u0301 ক্ষ नमस्ते", "e\u0301te\u0301 ক্ষ नमस्ते"),
        ("(a) (b)((c))", "( a ) ( b ) ( ( c ) )"),
        ("\u2764\ufe0f\U0001f600!", "\u2764\ufe0f \U0001f600 !"),
        ("a_b", "a _ b"),
        ("10\u00a0000\u202f!", "10 \u00a0 000 \u202f !"),
        (" \x1fa\0\t b\n", "a b"),
    ],
)
def test_cuts_and_joins(text, expected):
    tokenizer = WordTokenizer.train([text])
    assert pieces(tokenizer, text) == expected.split(" ")
    assert back(tokenizer, text) == single_spaced(text)


ALPHABET = (
    "ab가나é1'\u2019\"().,!?;:-_%\u20ac\U0001f600\u0301\u200d \t\u00a0\u3000\x1e\x1f\0"
)


@given(text=st.text(ALPHABET, min_size=1, max_size=17))
def test_known_text_comes_back_but_for_its_blanks(text):
    if not text.strip():
        return
    tokenizer = WordTokenizer.train([text])
    assert back(tokenizer, text) == single_spaced(text)


@given(
    words=st.lists(
        st.tuples(
            st.from_regex(r"[a-zß-ö가-힣]{1,5}", fullmatch=True),
            st.sampled_from(".,!?;:"),
        ),
        min_size=1,
    )
)
def test_each_word_and_each_mark_is_a_piece(words):
    text = " ".join("".join(word) for word in words)
    tokenizer = WordTokenizer.train([text])
    assert pieces(tokenizer, text) == [piece for word in words for piece in word]


def test_sorted_by_frequency_then_code_point():
    lines = ["b a c 나 가", "c b B", "c \U0001f600 \uffe6"]
    vocabulary = WordTokenizer.train(lines).vocabulary
    assert vocabulary == ("c", "b", "B", "a", "가", "나", "\uffe6", "\U0001f600")
    assert WordTokenizer.train(lines, 7).vocabulary == ("c", "b", "B")
    assert WordTokenizer.train(lines, minimum_count=2).vocabulary == ("c", "b")
    assert WordTokenizer.train(iter(lines), 5, minimum_count=2).vocabulary == ("c",)
    assert WordTokenizer.train(lines).vocabulary_size == 12


def test_marks_remember_their_spacing():
    tokenizer = WordTokenizer.train(['"a" , b, -c - d-e'])
    assert set(tokenizer.vocabulary) == {
        *"abcde",
        f'"{JOINED}',
        f'{JOINED}"',
        ",",
        f"{JOINED},",
        f"-{JOINED}",
        "-",
        f"{JOINED}-{JOINED}",
    }


def test_a_mark_with_new_spacing_takes_its_most_frequent_one():
    tokenizer = WordTokenizer.train(["a, b, c", "b ,"])
    joined = tokenizer.tokenize(["a, b"]).to_list()[0][1]
    assert tokenizer.tokenize(["a,b"]).to_list()[0][1] == joined
    assert back(tokenizer, "a ,b") == "a, b"


def test_unknown_words_do_not_touch_their_neighbours():
    tokenizer = WordTokenizer.train(["Hello, world!"])
    assert back(tokenizer, "Hello, Dooli!") == "Hello, \u2047!"
    assert tokenizer.tokenize(["Dooli"]).to_list() == [[1]]


def test_special_pieces_cannot_be_written():
    tokenizer = WordTokenizer.train(["<s> <unk> </s>"])
    assert min(tokenizer.tokenize(["<s> <unk> </s>"]).to_list()[0]) > 3
    assert back(tokenizer, "<s> <unk> </s>") == "<s> <unk> </s>"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vocabulary_size": 4}, "`vocabulary_size` must.*vocabulary_size=4"),
        ({"vocabulary_size": True}, "`vocabulary_size` must.*=True"),
        ({"minimum_count": 0}, "`minimum_count` must.*minimum_count=0"),
        ({"minimum_count": 3}, "`minimum_count` must leave.*=3.*occurs 2 times"),
    ],
)
def test_training_arguments_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        WordTokenizer.train(["a b a"], **options)


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ([], r"at least one piece.*vocabulary=\[\]"),
        ("ab", "at least one piece.*vocabulary='ab'"),
        (["a", ""], "not empty.*''"),
        (["a", 3], "not empty.*3"),
        (["a", "b", "a"], "each piece once.*'a' twice"),
    ],
)
def test_the_vocabulary_is_checked(vocabulary, message):
    with pytest.raises(ValueError, match=f"`vocabulary` must.*{message}"):
        WordTokenizer(vocabulary)
