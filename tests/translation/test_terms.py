"""Terms that translations have to hold, on whichever backend Keras runs."""

from collections import Counter

import pytest

from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.models import Ensemble
from keras_attention.translation import Glossary
from tests.translation.test_any_backend import SOURCE, TARGET, TEXTS, make_plain
from tests.word_translator import WordTranslator

BEAMS = BeamSearch(3, 9)


def make(architecture, search=BEAMS):
    if architecture != "ensemble":
        return make_plain(architecture, search)
    models = [make_plain(name, search).model for name in ("transformer", "recurrent")]
    return Translator(Ensemble(models), SOURCE, TARGET, search, 12, 4)


@pytest.mark.parametrize("architecture", ["transformer", "recurrent", "ensemble"])
def test_translations_hold_terms(architecture):
    translate = make(architecture)
    plain = translate.hypotheses(TEXTS)
    terms = [[("마라",)], [], [("나가", "다다다"), ("라",)], [], [("가",)]]
    found = translate.hypotheses(TEXTS, terms=terms)
    for ranked, before, own in zip(found, plain, terms, strict=True):
        if own:
            for forms in own:
                assert any(form in ranked[0].text for form in forms)
            assert ranked[0].score > -100
        else:
            assert [one.text for one in ranked] == [one.text for one in before]


def test_a_glossary_finds_them():
    translate = make("transformer")
    glossary = Glossary({"abc": ["마마"], "ab": ["라라"], "c": ["다다"]})
    texts = ["ab", "c abc", "abcd"]
    *held, last = best(translate.hypotheses(texts, terms=glossary))
    for text, translation in zip(texts[:2], held, strict=True):
        assert glossary.find(text)
        assert not glossary.missing(text, translation)
    assert last == translate(["abcd"])[0]


def best(found):
    return [ranked[0].text for ranked in found]


@pytest.mark.parametrize("search", [BEAMS, Greedy(9)], ids=["beams", "greedy"])
@pytest.mark.parametrize("architecture", ["transformer", "recurrent"])
def test_translations_begin_as_asked(architecture, search):
    translate = make(architecture, search)
    plain = translate.hypotheses(TEXTS)
    begun = ["나", "", "", "다 라다라가마나다라", plain[4][0].text[:1]]
    found = translate.hypotheses(TEXTS, prefixes=begun)
    for ranked, before, beginning in zip(found, plain, begun, strict=True):
        if beginning:
            assert all(one.text.startswith(beginning[:9]) for one in ranked)
        else:
            assert [one.text for one in ranked] == [one.text for one in before]
    # What it would have written anyway changes nothing.
    assert found[4][0].text == plain[4][0].text
    assert found[4][0].score == pytest.approx(plain[4][0].score, abs=1e-4)
    if search is BEAMS:
        terms = [[("마마",)]] * len(TEXTS)
        both = translate.hypotheses(TEXTS, terms=terms, prefixes=["나"] * len(TEXTS))
        for text, (one, *_) in zip(TEXTS, both, strict=True):
            assert not text or (one.text[0] == "나" and "마마" in one.text)
    with pytest.raises(ValueError, match="prefixes"):
        translate.hypotheses(TEXTS, prefixes=["나"])


def test_what_cannot_be_written_is_left_out():
    translate = make("transformer")
    terms = [[("z가", "나나"), ("q",)]]
    ((first, *_),) = translate.hypotheses(["abc"], terms=terms)
    assert "나나" in first.text
    alone = translate.hypotheses(["abc"], terms=[[("q",)]])
    assert best(alone) == translate(["abc"])


def test_terms_need_beams_and_a_list_for_each_text():
    with pytest.raises(ValueError, match="`terms` need a `BeamSearch`"):
        make("transformer", Greedy(9)).hypotheses(["a"], terms=[[("가",)]])
    with pytest.raises(ValueError, match="terms"):
        make("transformer").hypotheses(["a", "b"], terms=[[("가",)]])


def test_a_document_holds_them_and_counts_what_it_lacks():
    glossary = Glossary({"cat": ["CAT"], "dog": ["Hund"]})
    counts = Counter()
    translator = WordTranslator(str.upper)
    translator.document(
        "The cat and\nthe dog.\n\nA cat.", terms=glossary, counts=counts
    )
    assert (counts["terms"], counts["missing_terms"]) == (3, 1)
    translator = make("transformer")
    found = translator.document("abc\n\nab", terms=Glossary({"ab": ["나마나"]}))
    assert "나마나" in found


class TestGlossary:
    def test_words_and_parts_of_words(self):
        glossary = Glossary({"cat": ["Katze"], "C++": ["C++"], "고양이": ["cat"]})
        assert [*glossary.find("A cat, no catalogue: (cat)")] == ["cat"]
        assert [*glossary.find("concat cat's")] == ["cat"]
        assert [*glossary.find("C++11 and C++.")] == ["C++"]
        # Korean writes particles at once.
        assert [*glossary.find("고양이가 길고양이를")] == ["고양이"]

    def test_the_longest_term_counts(self):
        glossary = Glossary({"York": ["a"], "New York": ["b"], "New York Times": ["c"]})
        found = glossary.find("The New York Times of New York, York")
        assert [*found] == ["New York Times", "New York", "York"]

    def test_case_is_ignored_if_asked(self):
        glossary = Glossary({"Straße": ["road"], "Web": ["web", "Web"]}, True)
        assert [*glossary.find("the WEB and a straße")] == ["Web", "Straße"]
        assert not Glossary({"Web": ["web"]}).find("the WEB")

    def test_a_file(self, tmp_path):
        path = tmp_path / "terms.tsv"
        path.write_text("cat\tKatze\tKater\n\ndog \t Hund\n", "utf-8")
        glossary = Glossary.read(path)
        assert glossary.entries == {"cat": ("Katze", "Kater"), "dog": ("Hund",)}

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("cat\tKatze\ndog\n", "line 2, 'dog'"),
            ("\tKatze\n", "line 1"),
            ("cat\tKatze\t\n", "line 1"),
            ("cat\ta\ncat\tb\n", "'cat' a second time in line 2"),
        ],
    )
    def test_a_wrong_file(self, text, named, tmp_path):
        path = tmp_path / "terms.tsv"
        path.write_text(text, "utf-8")
        with pytest.raises(ValueError, match=rf"terms\.tsv.*{named}"):
            Glossary.read(path)

    @pytest.mark.parametrize("entries", [{"": ["a"]}, {"a": []}, {"a": [" "]}])
    def test_what_is_empty(self, entries):
        with pytest.raises(ValueError, match="must not be empty"):
            Glossary(entries)
