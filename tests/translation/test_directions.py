"""Models of several languages, and translators into one of them."""

import numpy as np
import pytest

from keras_attention import Translator
from keras_attention.decoding import BeamSearch
from keras_attention.text.plain import CharacterTokenizer
from keras_attention.translation.language_tags import add_tag, find_tags, without_tag
from tests.translation.test_any_backend import TARGET, TEXTS, make_plain

TAGS = {"fr": "<2fr>", "pt-BR": "<2pt-BR>"}
SOURCE = CharacterTokenizer(
    [*TAGS.values(), "<x0>", *" abcdefg"], user_symbols=[*TAGS.values(), "<x0>"]
)


@pytest.fixture(scope="module")
def several():
    return make_plain("transformer", BeamSearch(3, 7), SOURCE)


@pytest.mark.parametrize("language", TAGS)
def test_it_translates_texts_with_their_tag(several, language):
    one = several.to(language)
    tagged = [add_tag(text, TAGS[language]) for text in TEXTS]
    assert tagged[0] == f"{TAGS[language]} abc"
    assert tagged[1] == ""
    assert several.languages == [*TAGS]
    assert one(TEXTS) == several(tagged)
    assert one("abc") == several(tagged[0])
    assert [*one.stream(TEXTS)] == several(tagged)
    assert one([b"abc"]) == several(tagged[:1])
    np.testing.assert_allclose(
        [score.log_probability for score in one.score(TEXTS, ["가"] * len(TEXTS))],
        [score.log_probability for score in several.score(tagged, ["가"] * len(TEXTS))],
        rtol=1e-5,
    )
    held = one.hypotheses(["abc"], terms=[[("나나",)]])
    assert "나나" in held[0][0].text


def test_directions_differ(several):
    french, portuguese = (several.to(language) for language in TAGS)
    (first, *_), (second, *_) = (
        one.hypotheses(TEXTS)[0] for one in (french, portuguese)
    )
    assert first.score != second.score
    assert french.to("pt-BR").hypotheses(TEXTS)[0][0].score == second.score
    assert french.languages == several.languages


def test_tokens_words_and_attention_are_of_the_text_alone(several):
    one = several.to("fr")
    texts = ["ab cd", "", "a"]
    tagged = several.hypotheses([add_tag(text, "<2fr>") for text in texts])
    for text, own, ranked in zip(texts, one.hypotheses(texts), tagged, strict=True):
        for found, expected in zip(own, ranked, strict=True):
            count = 1 if text else 0
            assert found.text == expected.text
            assert found.source_tokens == expected.source_tokens[count:]
            np.testing.assert_array_equal(
                found.attention, expected.attention[:, count:]
            )
    aligned = one.align(texts, ["가 나", "가", "다"])
    assert aligned[0].source_tokens == [*" ab cd"]
    assert aligned[0].source_words == [0, 0, 0, 1, 1, 1]
    assert aligned[0].attention.shape == (3, 6)
    assert {word for word, _ in aligned[0].words()} <= {0, 1}


def test_what_is_longer_is_counted_with_the_tag(several):
    text = "a" * (several.source_limit - 1)
    assert several.source.lengths([text])[0] == several.source_limit
    one = several.to("fr")
    assert one.source.lengths([text])[0] == one.source_limit + 2  # a tag and a blank
    assert one.document("ab\n\ncd") == "\n\n".join(one(["ab", "cd"]))


def test_an_unknown_language_is_refused(several):
    with pytest.raises(ValueError, match=r"fr, pt-BR\. Received: language='ko'"):
        several.to("ko")
    with pytest.raises(ValueError, match="none by name"):
        make_plain("transformer", BeamSearch(3, 7)).to("ko")


def test_tags_of_both_kinds():
    assert find_tags(SOURCE) == TAGS
    assert find_tags(None) == {}
    assert find_tags(TARGET) == {}
    assert without_tag("<2fr> a <2ko>") == "a <2ko>"
    assert without_tag(">>fra<< a") == "a"
    assert without_tag("<2 fr> a") == "<2 fr> a"
    assert add_tag(b"a", "<2fr>") == b"<2fr> a"
    assert add_tag(" \t", "<2fr>") == " \t"


def test_a_saved_model_keeps_its_languages(several, tmp_path):
    several.save(tmp_path / "saved")
    again = Translator.load(tmp_path / "saved")
    assert again.to("fr")(TEXTS) == several.to("fr")(TEXTS)
