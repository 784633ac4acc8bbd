import doctest
import hashlib
import importlib
import itertools
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import english_korean
from english_korean import (
    endings,
    hangul,
    lexicon,
    split,
)
from english_korean.conjugation import Verb
from english_korean.noun_phrases import Sampler
from english_korean.sentences import draw

from tests.korean import has_final

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
