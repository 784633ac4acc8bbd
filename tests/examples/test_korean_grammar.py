import dataclasses
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from english_korean import (
    conjugation,
    endings,
    english,
    grammar,
    hangul,
)
from english_korean.actions import head_of
from english_korean.compounds import Utterance
from english_korean.conjugation import Verb
from english_korean.descriptions import complement, name_is
from english_korean.grammar import Clause, Head, Phrase
from english_korean.moods import ASKED, time_phrase
from english_korean.noun_phrases import person, place_phrase
from english_korean.sentences import compose

from tests.korean import has_final

SYLLABLES = st.characters(min_codepoint=ord("가"), max_codepoint=ord("힣"))


@given(SYLLABLES)
def test_letters_agree_with_unicode(syllable):
    letters = hangul.split(syllable)
    assert hangul.join(*letters) == syllable
    assert bool(letters.final) == has_final(syllable)


@pytest.mark.parametrize(
    ("particle", "closed", "liquid", "opened"),
    [
        ("은/는", "책은", "교실은", "학교는"),
        ("이/가", "책이", "교실이", "학교가"),
        ("을/를", "책을", "교실을", "학교를"),
        ("과/와", "책과", "교실과", "학교와"),
        ("으로/로", "책으로", "교실로", "학교로"),
    ],
)
def test_particles(particle, closed, liquid, opened):
    nouns = ("책", "교실", "학교")
    attached = [hangul.attach(noun, particle) for noun in nouns]
    assert attached == [closed, liquid, opened]


# stem, class: polite, polite past, formal, honorific, future, if, formal past honorific
FORMS = """
읽 - 읽어요 읽었어요 읽습니다 읽으세요 읽을 읽으면 읽으셨습니다
닫 - 닫아요 닫았어요 닫습니다 닫으세요 닫을 닫으면 닫으셨습니다
입 - 입어요 입었어요 입습니다 입으세요 입을 입으면 입으셨습니다
가 - 가요 갔어요 갑니다 가세요 갈 가면 가셨습니다
오 - 와요 왔어요 옵니다 오세요 올 오면 오셨습니다
배우 - 배워요 배웠어요 배웁니다 배우세요 배울 배우면 배우셨습니다
마시 - 마셔요 마셨어요 마십니다 마시세요 마실 마시면 마시셨습니다
보내 - 보내요 보냈어요 보냅니다 보내세요 보낼 보내면 보내셨습니다
쉬 - 쉬어요 쉬었어요 쉽니다 쉬세요 쉴 쉬면 쉬셨습니다
공부하 - 공부해요 공부했어요 공부합니다 공부하세요 공부할 공부하면 공부하셨습니다
쓰 - 써요 썼어요 씁니다 쓰세요 쓸 쓰면 쓰셨습니다
바쁘 - 바빠요 바빴어요 바쁩니다 바쁘세요 바쁠 바쁘면 바쁘셨습니다
예쁘 - 예뻐요 예뻤어요 예쁩니다 예쁘세요 예쁠 예쁘면 예쁘셨습니다
만들 - 만들어요 만들었어요 만듭니다 만드세요 만들 만들면 만드셨습니다
살 - 살아요 살았어요 삽니다 사세요 살 살면 사셨습니다
듣 ㄷ 들어요 들었어요 듣습니다 들으세요 들을 들으면 들으셨습니다
걷 ㄷ 걸어요 걸었어요 걷습니다 걸으세요 걸을 걸으면 걸으셨습니다
돕 ㅂ 도와요 도왔어요 돕습니다 도우세요 도울 도우면 도우셨습니다
쉽 ㅂ 쉬워요 쉬웠어요 쉽습니다 쉬우세요 쉬울 쉬우면 쉬우셨습니다
짓 ㅅ 지어요 지었어요 짓습니다 지으세요 지을 지으면 지으셨습니다
빨갛 ㅎ 빨개요 빨갰어요 빨갛습니다 빨가세요 빨갈 빨가면 빨가셨습니다
하얗 ㅎ 하얘요 하얬어요 하얗습니다 하야세요 하얄 하야면 하야셨습니다
누렇 ㅎ 누레요 누렜어요 누렇습니다 누러세요 누럴 누러면 누러셨습니다
어떻 ㅎ 어때요 어땠어요 어떻습니다 어떠세요 어떨 어떠면 어떠셨습니다
부르 르 불러요 불렀어요 부릅니다 부르세요 부를 부르면 부르셨습니다
고르 르 골라요 골랐어요 고릅니다 고르세요 고를 고르면 고르셨습니다
모르 르 몰라요 몰랐어요 모릅니다 모르세요 모를 모르면 모르셨습니다
의사이 이 의사예요 의사였어요 의사입니다 의사세요 의사일 의사이면 의사셨습니다
학생이 이 학생이에요 학생이었어요 학생입니다 학생이세요 학생일 학생이면 학생이셨습니다
"""


@pytest.mark.parametrize("row", FORMS.split("\n")[1:-1])
def test_conjugation_of_every_class(row):
    stem, irregular, *expected = row.split()
    verb = Verb(stem, irregular.strip("-"))
    assert [
        endings.finish(verb),
        endings.finish(verb, "past"),
        endings.finish(verb, is_formal=True),
        endings.finish(verb, honorific=True),
        endings.finish(verb, "future").removesuffix(" 거예요"),
        endings.connect(verb, "present", "으면"),
        endings.finish(verb, "past", honorific=True, is_formal=True),
    ] == expected


EAT = Verb("먹", honorific="드시")
SLEEP = Verb("자", honorific="주무시")
KNOW = Verb("알", opposite=Verb("모르", "르"))


@pytest.mark.parametrize(
    ("verb", "tense", "options", "expected"),
    [
        (Verb("읽"), "progressive", "", "읽고 있어요"),
        (Verb("읽"), "progressive", "honorific is_formal", "읽고 계십니다"),
        (Verb("읽"), "progressive", "negative", "읽고 있지 않아요"),
        (EAT, "progressive", "honorific", "드시고 계세요"),
        (EAT, "past", "honorific negative", "드시지 않으셨어요"),
        (EAT, "future", "honorific is_formal", "드실 겁니다"),
        (EAT, "future", "is_formal question", "먹을 겁니까"),
        (Verb("만들"), "can", "", "만들 수 있어요"),
        (Verb("만들"), "can", "honorific negative", "만드실 수 없어요"),
        (Verb("듣", "ㄷ"), "must", "", "들어야 해요"),
        (SLEEP, "must", "honorific is_formal", "주무셔야 합니다"),
        (Verb("쓰"), "want", "", "쓰고 싶어요"),
        (Verb("쓰"), "want", "negative", "쓰고 싶지 않아요"),
        (Verb("쓰"), "want", "other", "쓰고 싶어 해요"),
        (SLEEP, "want", "other honorific", "주무시고 싶어 하세요"),
        (KNOW, "present", "negative", "몰라요"),
        (KNOW, "present", "honorific negative is_formal", "모르십니다"),
        (KNOW, "present", "is_formal question", "압니까"),
        (conjugation.copula("의사"), "present", "negative", "의사가 아니에요"),
        (conjugation.copula("군인"), "past", "negative", "군인이 아니었어요"),
        (conjugation.copula("군인"), "present", "honorific is_formal", "군인이십니다"),
    ],
)
def test_auxiliaries_and_negation(verb, tense, options, expected):
    flags = dict.fromkeys(options.split(), True)
    assert endings.conjugate(verb, tense, **flags) == expected


def test_requests_and_proposals():
    assert endings.request(Verb("돕", "ㅂ"), favor=True) == "도와주세요"
    assert endings.request(Verb("열"), favor=True, is_formal=True) == "열어 주십시오"
    assert endings.request(SLEEP) == "주무세요"
    assert endings.forbid(Verb("걷", "ㄷ")) == "걷지 마세요"
    assert endings.forbid(EAT, is_formal=True) == "드시지 마십시오"
    assert endings.propose(Verb("돕", "ㅂ")) == "도웁시다"


@pytest.mark.parametrize(
    ("word", "form", "expected"),
    [
        ("study", english.third_person, "studies"),
        ("watch", english.third_person, "watches"),
        ("have", english.third_person, "has"),
        ("run", english.participle, "running"),
        ("wear", english.participle, "wearing"),
        ("use", english.participle, "using"),
        ("rest", english.past, "rested"),
        ("draw", english.past, "drew"),
        ("live", english.past, "lived"),
        ("child", english.plural, "children"),
        ("dictionary", english.plural, "dictionaries"),
        ("sandwich", english.plural, "sandwiches"),
        ("umbrella", english.with_article, "an umbrella"),
        ("university", english.with_article, "a university"),
    ],
)
def test_english_forms(word, form, expected):
    assert form(word) == expected


def said(clause, vocative=""):
    sentence = compose(Utterance((clause,)), vocative)
    return sentence.english, sentence.korean


def test_a_question_to_somebody_addressed():
    newspaper = Phrase("object", "the newspaper", "신문을")
    clause = Clause(head_of("read"), person("doctor"), "past", question=True)
    clause = clause.having(time_phrase("yesterday"), newspaper)
    assert said(clause, "Sir") == (
        "Sir, did the doctor read the newspaper yesterday?",
        "선생님, 의사는 어제 신문을 읽었습니까?",
    )


def test_times_and_places_come_before_objects():
    book = Phrase("object", "a book", "책을")
    friend = Phrase("companion", "with my friend", "{my} 친구와")
    clause = Clause(head_of("read"), person("grandmother"), "progressive")
    clause = clause.having(book, place_phrase("library"), friend, time_phrase("now"))
    assert said(clause) == (
        "My grandmother is reading a book with my friend at the library now.",
        "우리 할머니께서는 지금 내 친구와 도서관에서 책을 읽고 계세요.",
    )
    assert said(clause, "Everyone")[1] == (
        "여러분, 저희 할머니께서는 지금 제 친구와 도서관에서 책을 읽고 계십니다."
    )


def test_the_hearer_is_unsaid_and_honored_when_addressed():
    clause = Clause(head_of("go"), person("you"), "want", question=True)
    clause = clause.having(ASKED["where to"])
    assert said(clause) == ("Where do you want to go?", "어디에 가고 싶어요?")
    assert said(clause, "Professor")[1] == "교수님, 어디에 가고 싶으십니까?"


def test_adverbs_of_frequency_stand_before_the_main_verb():
    clause = Clause(head_of("walk"), person("nurse"), negative=True)
    clause = clause.having(time_phrase("often"), place_phrase("park"))
    assert said(clause) == (
        "The nurse does not often walk in the park.",
        "간호사는 자주 공원에서 걷지 않아요.",
    )


def test_professions_and_names():
    doctor = Clause(Head("doctor", conjugation.copula("의사")), person("father"))
    doctor = doctor.having(complement("a doctor"))
    assert said(doctor) == ("My father is a doctor.", "우리 아버지께서는 의사세요.")
    name = compose(Utterance((name_is("Jihun", "cousin"),)), "", True)
    assert name[:2] == ("My cousin's name is Jihun.", "내 사촌의 이름은 지훈입니다.")


def test_two_clauses():
    apple = Phrase("object", "an apple", "사과를")
    tea = Phrase("object", "tea", "차를")
    mother = Clause(head_of("eat"), person("mother"), "past", phrases=(apple,))
    singer = Clause(head_of("drink"), person("singer"), "past", phrases=(tea,))
    contrast = compose(Utterance((mother, singer), ", but ", "지만"))
    assert contrast[:2] == (
        "My mother ate an apple, but the singer drank tea.",
        "우리 어머니께서는 사과를 드셨지만 가수는 차를 마셨어요.",
    )
    unsaid = dataclasses.replace(person("mother"), english="", korean="")
    second = dataclasses.replace(singer, subject=unsaid)
    sequence = compose(Utterance((mother, second), " and ", "고"), "Sir")
    assert sequence[:2] == (
        "Sir, my mother ate an apple and drank tea.",
        "선생님, 저희 어머니께서는 사과를 드시고 차를 드셨습니다.",
    )


def test_speaker_words_are_plain_and_humble():
    clause = Clause(head_of("have"), person("we"))
    clause = clause.having(Phrase("object", "my key", "{my} 열쇠가"))
    assert grammar.say_korean(clause) == "우리는 내 열쇠가 있어요"
    assert grammar.say_korean(clause, formal=True, humble=True) == (
        "저희는 제 열쇠가 있습니다"
    )
