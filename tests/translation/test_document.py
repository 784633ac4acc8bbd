"""Documents through translators that say what they do."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from keras_attention.documents import FORMATS
from tests.documents.test_formats import TEXTS
from tests.word_translator import WordTranslator


@pytest.mark.whole
@pytest.mark.parametrize("name", TEXTS)
def test_what_is_translated_to_itself_stays(name):
    document, _ = TEXTS[name]
    translator = WordTranslator(str)
    found = translator.document(document, name)
    if not any(one.is_new for one in FORMATS[name](document)):
        assert found == document
    assert translator.asked


TEXT = "See **the red** [page](http://x.y) and `code x`. Then {name} has %d files."


def test_markup_and_names_are_kept_in_any_order_of_words():
    up = WordTranslator(str.upper)
    assert up.document(TEXT, "markdown") == (
        "SEE **THE RED** [PAGE](http://x.y) AND `code x`. THEN {name} HAS %d FILES."
    )
    counts = Counter()
    backwards = WordTranslator(str.upper, lambda places: [*places][::-1])
    found = backwards.document(TEXT, "markdown", counts=counts)
    assert found == (
        "SEE **RED THE** [PAGE](http://x.y) AND `code x`. THEN {name} HAS %d FILES."
    )
    assert counts["in_parts"] == 2
    found = backwards.document("<p>One <b>two three</b> four.</p>", "html")
    assert found == "<p>FOUR. <b>THREE TWO</b> ONE</p>"


def test_another_hypothesis_keeps_what_the_best_loses():
    spoiled = [lambda text: text.replace("%d", ""), lambda text: text.replace("7", "8")]
    translator = WordTranslator(
        lambda word: word if "%" in word else word.upper(), spoiled=spoiled
    )
    counts = Counter()
    assert translator.document("It has %d of 7 files", counts=counts) == (
        "IT HAS %d OF 7 FILES"
    )
    assert counts == {"sentences": 1}
    # A number is not worth a translation in parts.
    only = WordTranslator(lambda word: word.upper().replace("7", "SEVEN"))
    assert only.document("It has 7 files") == "IT HAS SEVEN FILES"


def test_signs_beside_what_is_kept_are_kept_too():
    # A model that has no signs, ends what it says, and turns it round.
    def speak(word):
        return word if "@" in word else f"{word.strip('.,:;()<>').upper()}."

    translator = WordTranslator(speak, lambda places: [*places][::-1])
    found = translator.document("Ask me <a@b.c>, he said (http://d.e), or them.")
    assert found == "ME. ASK <a@b.c>, SAID. HE (http://d.e), THEM. OR."
    found = translator.document("<p><b>Note</b>: read it, <i>please</i>", "html")
    assert found == "<p><b>NOTE</b>: IT. READ, <i>PLEASE</i>"


def test_a_sentence_that_is_too_long_is_cut_at_clauses():
    short = WordTranslator(str.upper, limit=6)
    words = "one two three four, five six seven eight nine ten eleven twelve"
    counts = Counter()
    assert short.document(words, counts=counts) == words.upper()
    assert max(len(text.split()) for text in short.asked) <= 5
    marked = words.replace("six seven", "<b>six {x} seven</b>")
    expected = words.upper().replace("SIX SEVEN", "<b>SIX {x} SEVEN</b>")
    assert short.document(marked, "html") == expected
    endless = "x" * 400
    assert short.document(endless) == endless.upper()


def test_lines_and_columns_of_a_message_stay():
    up = WordTranslator(str.upper)
    document = 'msgid "Use:\\n  -h    help\\tx\\n"\nmsgstr ""\n'
    found = up.document(document, "po")
    assert found.endswith('"USE:\\n"\n"  -H    HELP\\tX\\n"\n')


def test_a_sentence_without_a_blank_is_cut_where_it_must_be():
    class Letters(WordTranslator):
        @property
        def source(self):
            return SimpleNamespace(lengths=lambda texts: np.array([*map(len, texts)]))

    text = "今日は学校に行きましたそれから買い物をして帰りました"
    translator = Letters(str, limit=9)
    counts = Counter()
    assert translator.document(text, counts=counts) == text
    assert max(map(len, translator.asked)) <= 9
    assert counts["in_parts"] > 0


def test_values_of_a_program_keep_their_order():
    backwards = WordTranslator(
        lambda word: word if "%" in word else word.upper(),
        lambda places: [*places][::-1],
    )
    assert backwards.document("%s has %d files") == "%s HAS %d FILES"


def test_a_model_reads_masks_where_it_has_some():
    translator = WordTranslator(str.upper)
    found = translator.document(TEXT, "markdown", mask="<X{}>")
    assert found == (
        "SEE **THE RED** [PAGE](http://x.y) AND `code x`. THEN {name} HAS %d FILES."
    )
    assert translator.asked == [
        "See the red page and <X0>.",
        "Then <X0> has <X1> files.",
    ]


def test_nothing_and_what_has_no_letters_stays():
    translator = WordTranslator(str.upper)
    for text in ("", "\n\n", "12:30 -- 3\r\n", "%s\n", "{x} http://a.b\n"):
        assert translator.document(text) == text
    assert translator.asked == []


def test_an_unknown_format_is_named():
    with pytest.raises(ValueError, match="format='docx'"):
        WordTranslator(str).document("x", "docx")
