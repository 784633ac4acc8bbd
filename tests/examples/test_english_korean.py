import dataclasses
import doctest
import hashlib
import importlib
import itertools
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import english_korean
from english_korean import (
    conjugation,
    endings,
    english,
    grammar,
    hangul,
    lexicon,
    split,
)
from english_korean.actions import head_of
from english_korean.compounds import Utterance
from english_korean.conjugation import Verb
from english_korean.descriptions import complement, name_is
from english_korean.grammar import Clause, Head, Phrase
from english_korean.moods import ASKED, time_phrase
from english_korean.noun_phrases import Sampler, person, place_phrase
from english_korean.sentences import compose, draw

EXAMPLES = Path(english_korean.__file__).parents[1]
MODULES = sorted(
    path.stem
    for path in (EXAMPLES / "english_korean").glob("*.py")
    if path.stem not in ("__init__", "__main__")
)
FUNCTION_WORDS = """
    a an the this that these those my no not i we you it there who what where when
    why how am is are was were do does did will can cannot must want wants wanted
    to be let please at in on under by with from for and but because if name weather
    two three four every day week weekends days often always sometimes now yesterday
    last month morning today tomorrow next weekend evening sir professor everyone
"""
SYLLABLES = st.characters(min_codepoint=ord("가"), max_codepoint=ord("힣"))


def has_final(word):
    """Tells by Unicode's own decomposition, not by this package's arithmetic."""
    return len(unicodedata.normalize("NFD", word[-1])) == 3


@pytest.fixture(scope="module")
def pairs():
    return english_korean.corpus()


def words_of(sentence):
    return [
        word.removesuffix("'s")
        for word in re.findall(r"[A-Za-z']+", sentence)
        if word != "'s"
    ]


def content_of(sentence, base_of):
    return {
        base_of.get(word) or base_of.get(word.lower())
        for word in words_of(sentence)
        if word in base_of or word.lower() in base_of
    }


@pytest.fixture(scope="module")
def base_of():
    """Maps every spelling of a content word to the word."""
    return {
        form: word
        for word, forms in english_korean.content_forms().items()
        for form in forms
    }


@pytest.mark.parametrize("name", MODULES)
def test_documented_examples_run(name):
    module = importlib.import_module(f"english_korean.{name}")
    assert doctest.testmod(module).failed == 0


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


def test_every_english_sentence_has_one_translation():
    translations = {}
    for seed in (2, 3, 5):
        sampler = Sampler(seed)
        for _ in range(7_000):
            sentence = draw(sampler)
            known = translations.setdefault(sentence.english, sentence.korean)
            assert known == sentence.korean


def test_counts_and_first_pair(pairs):
    assert [len(part) for part in pairs[:3]] == [22_000, 500, 1_000]
    assert ("My name is Dooli.", "내 이름은 둘리입니다.") in pairs.training


def test_no_english_sentence_occurs_twice(pairs):
    every = [pair[0] for part in pairs[:3] for pair in part]
    assert len(set(every)) == len(every)


def test_lengths(pairs):
    lengths = {len(pair[0].split()) for part in pairs[:3] for pair in part}
    assert lengths == set(range(3, 13))


def test_every_word_is_known_and_belongs_to_one_entry(pairs, base_of):
    forms = english_korean.content_forms()
    assert len(base_of) == sum(map(len, forms.values()))
    function_words = set(FUNCTION_WORDS.split())
    assert not function_words & base_of.keys()
    unknown = {
        word
        for part in pairs[:3]
        for sentence, _ in part
        for word in words_of(sentence)
        if word not in base_of
        and word.lower() not in base_of
        and word.lower() not in function_words
    }
    assert unknown == set()


def test_no_training_sentence_holds_a_reserved_pair(pairs, base_of):
    reserved = {frozenset(pair) for pair in pairs.reserved}
    assert len(reserved) > 100
    for sentence, _ in pairs.training:
        content = sorted(content_of(sentence, base_of))
        together = set(map(frozenset, itertools.combinations(content, 2)))
        assert together.isdisjoint(reserved), sentence


def test_every_judged_sentence_holds_a_reserved_pair(pairs, base_of):
    for sentence, _ in pairs.validation + pairs.held_out:
        content = content_of(sentence, base_of)
        assert any(content.issuperset(pair) for pair in pairs.reserved), sentence


def test_judged_sentences_differ_in_what_is_new(pairs, base_of):
    used = Counter(
        pair
        for sentence, _ in pairs.held_out
        for pair in pairs.reserved
        if content_of(sentence, base_of).issuperset(pair)
    )
    assert len(used) > 0.6 * len(pairs.reserved)
    assert used.most_common(1)[0][1] < 100


def test_every_word_is_frequent_in_training(pairs, base_of):
    counts = Counter(
        base_of.get(word) or base_of.get(word.lower()) or word.lower()
        for sentence, _ in pairs.training
        for word in words_of(sentence)
    )
    assert min(counts.values()) >= 50
    assert min(counts[word] for word in english_korean.content_forms()) >= 75


def test_judged_nouns_are_known_with_their_particles(pairs):
    """Korean tells a noun's role by its particle, so this checks the roles."""
    nouns = [
        entry.korean
        for table in (lexicon.PEOPLE, lexicon.THINGS, lexicon.PLACES)
        for entry in table.values()
    ]
    cases = ("에서", "에", "에게", "께", "께서는", "을", "를")
    phrases = {noun + case for noun in nouns for case in cases}
    known = Counter(token for _, korean in pairs.training for token in korean.split())
    judged = {
        token
        for _, korean in pairs.validation + pairs.held_out
        for token in korean.split()
        if token in phrases
    }
    assert len(judged) > 100
    assert min(known[token] for token in judged) >= 20


def test_particles_fit_their_nouns_in_the_whole_corpus(pairs):
    tokens = Counter(
        token
        for part in pairs[:3]
        for _, korean in part
        for token in re.findall(r"[가-힣]+", korean)
    )
    wrong, right = [], 0
    for table in (lexicon.PEOPLE, lexicon.THINGS, lexicon.PLACES):
        for noun in (entry.korean for entry in table.values()):
            fitting = "은이을과" if has_final(noun) else "는가를와"
            failing = "는가를와" if has_final(noun) else "은이을과"
            right += sum(tokens[noun + particle] for particle in fitting)
            wrong += [noun + p for p in failing if tokens[noun + p]]
    assert wrong == []
    assert right > 20_000


def test_politeness_follows_the_address(pairs):
    addressed = re.compile(r"^(Sir|Professor|Everyone), ")
    formal = re.compile(r"(니다|니까|십시오|시다)[.?]$")
    for sentence, korean in itertools.chain(*pairs[:3]):
        introduces = " name " in sentence
        if addressed.match(sentence):
            assert formal.search(korean), sentence
        elif not introduces and not sentence.startswith("Let's"):
            assert korean[-2:-1] == "요", sentence


def test_elders_are_honored(pairs):
    elder = re.compile("grandmother|grandfather|mother|father|teacher")
    for sentence, korean in itertools.chain(*pairs[:3]):
        if "께" in korean:
            assert elder.search(sentence), sentence
        assert sentence.endswith("?") == korean.endswith("?")
        assert "  " not in korean
        assert "{" not in korean


def test_same_arguments_give_the_same_corpus_in_every_process():
    program = (
        "import english_korean, hashlib;"
        "pairs = english_korean.corpus(7, 1_009, 101);"
        "print(hashlib.sha256(repr([*pairs[:3], sorted(pairs.reserved)])"
        ".encode()).hexdigest())"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=EXAMPLES,
        env={"PYTHONHASHSEED": "17", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = (english_korean.corpus(seed, 1_009, 101) for seed in (7, 11))
    content = repr([*first[:3], sorted(first.reserved)])
    assert result.stdout.strip() == hashlib.sha256(content.encode()).hexdigest()
    assert first.training != second.training


def test_main_writes_every_pair(tmp_path, capsys):
    path = tmp_path / "pairs.tsv"
    small = ["--training-pairs", "1009", "--held-out-pairs", "101"]
    english_korean.main([*small, "--output", str(path)])
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    parts = Counter(row[0] for row in rows)
    assert parts == {"training": 1_009, "validation": 500, "held_out": 101}
    pairs = english_korean.corpus(0, 1_009, 101)
    assert [tuple(row[1:]) for row in rows[:1_009]] == pairs.training
    english_korean.main([*small, "--show", "5"])
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 5
    assert {tuple(line.split("\t")) for line in shown} <= set(pairs.training)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hangul.split("ab"), "`syllable` must .* syllable='ab'"),
        (lambda: hangul.join("ㅏ", "ㄱ"), "`lead`, .* Received: lead='ㅏ'"),
        (lambda: hangul.attach("책", "도"), "`particle` must .* particle='도'"),
        (lambda: Verb("가", "ㄱ"), "`irregular` must .* irregular='ㄱ'"),
        (lambda: Verb("go"), "`syllable` must .* syllable='o'"),
        (lambda: endings.conjugate(Verb("가"), "soon"), "`tense` must .* tense='soon'"),
        (
            lambda: endings.conjugate(Verb("가"), "must", negative=True),
            "`tense` must .* tense='must', negative=True",
        ),
        (
            lambda: english_korean.corpus(training_pairs=997),
            "`training_pairs` must .* training_pairs=997",
        ),
        (
            lambda: english_korean.corpus(held_out_pairs=0),
            "`held_out_pairs` must .* held_out_pairs=0",
        ),
    ],
)
def test_errors_name_the_argument_and_its_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_more_pairs_than_the_grammar_says(monkeypatch):
    monkeypatch.setattr(split, "PATIENCE", 1)
    message = "must not exceed .* training_pairs=19997, held_out_pairs=11"
    with pytest.raises(ValueError, match=message):
        english_korean.corpus(training_pairs=19_997, held_out_pairs=11)


def test_speaker_words_are_plain_and_humble():
    clause = Clause(head_of("have"), person("we"))
    clause = clause.having(Phrase("object", "my key", "{my} 열쇠가"))
    assert grammar.say_korean(clause) == "우리는 내 열쇠가 있어요"
    assert grammar.say_korean(clause, formal=True, humble=True) == (
        "저희는 제 열쇠가 있습니다"
    )
