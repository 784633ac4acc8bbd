"""Strings to strings: order, independence of rows, hypotheses, and odd strings."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from keras_attention import Translator
from keras_attention.decoding import Greedy, Sampling
from keras_attention.text import END, PAD, START
from keras_attention.translation import Hypothesis
from tests.backends import BACKEND
from tests.translators import (
    ENGLISH,
    MAX_LENGTH,
    TOKENIZERS,
    make_model,
    make_translator,
    translator,
)

on_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="graphs of strings are of TensorFlow only"
)
architectures = pytest.mark.parametrize("architecture", ["transformer", "recurrent"])

TEXTS = [
    "My name is Dooli.",
    "",
    "you?",
    "I do not know my name, do you?",
    "is",
    "one two three",
    "What? What!",
    "four five",
    "a",
    "name is what is name",
    "do you know",
    "Dooli and Dooli",
    "three two one",
]
ODD = [
    "",
    " ",
    "\t \n\r",
    "\u3000",
    "\0",
    "one\0two\0",
    "\ud800",
    b"\xff\xfe",
    b"one \xc3",
    b"\xed\xa0\x80\0",
    "e\u0301\u200d\u202e",
    "둘리",
    *(chr(plane * 0x10000 + 0x1234) * 3 for plane in range(17)),
    "one two " * 500,
    "x" * 5000,
]


@pytest.mark.skipif(BACKEND == "tensorflow", reason="here it is a graph")
def test_on_another_backend_it_is_saved_and_exported(tmp_path):
    translate = make_translator("transformer")
    written = translate(["one two", ""])
    assert written[1] == ""
    translate.save(tmp_path / "translator")
    loaded = Translator.load(tmp_path / "translator")
    for one, other in zip(
        loaded.model.get_weights(), translate.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert loaded(["one two", ""]) == written
    # It is tried in a fresh process, and compared with what TensorFlow gives.
    loaded.export(tmp_path / "saved_model", check=["one two", "내 이름은"] * 3000)
    assert (tmp_path / "saved_model" / "saved_model.pb").is_file()
    with pytest.raises(FileExistsError):
        loaded.export(tmp_path / "saved_model")


@on_tensorflow
@architectures
def test_rows_keep_their_order_and_do_not_influence_each_other(architecture):
    translate = translator(architecture)
    together = translate.hypotheses(TEXTS)
    translations = translate(TEXTS)
    assert len(set(translations)) > 5
    assert len({len(found[0].target_tokens) for found in together}) > 1
    for text, translation, found in zip(TEXTS, translations, together, strict=True):
        assert translate(text) == translation == found[0].text
        ((alone,),) = translate.hypotheses([text])
        assert alone.score == pytest.approx(found[0].score, abs=1e-5)
        assert alone.source_tokens == found[0].source_tokens
        assert alone.target_tokens == found[0].target_tokens
        np.testing.assert_allclose(alone.attention, found[0].attention, atol=1e-5)


@on_tensorflow
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_any_tokenizers_serve(kind):
    translate = make_translator("recurrent", kind)
    translations = translate(TEXTS)
    assert len(set(translations)) > 1
    shuffled = np.random.default_rng(3).permutation(len(TEXTS))
    again = translate([TEXTS[index] for index in shuffled])
    assert again == [translations[index] for index in shuffled]


@on_tensorflow
def test_lists_tuples_arrays_and_bytes_are_taken():
    translate = translator()
    expected = translate(TEXTS)
    assert translate(tuple(TEXTS)) == expected
    assert translate(np.array(TEXTS)) == expected
    assert translate([text.encode() for text in TEXTS]) == expected
    assert translate([]) == translate.hypotheses([]) == []


@on_tensorflow
@pytest.mark.parametrize(
    "texts", [None, b"one", [3], [["one"]], iter(["one"]), np.array("one")]
)
def test_anything_but_strings_is_refused(texts):
    for call in (translator(), translator().hypotheses):
        with pytest.raises(ValueError, match="`texts` must be a list of strings"):
            call(texts)
    with pytest.raises(ValueError, match=r"`texts`.*Received: texts='one'"):
        translator().hypotheses("one")
    with pytest.raises(ValueError, match="`references` must be a list of strings"):
        translator().score(["one"], texts)
    with pytest.raises(ValueError, match="for each text.* 2 references for 1 texts"):
        translator().score(["one"], ["one", "two"])
    for candidates in ("one", [texts]):
        with pytest.raises(ValueError, match="`candidates` must "):
            translator().rerank(["one"], candidates)
    with pytest.raises(ValueError, match="`length_penalty` must .*=nan"):
        translator().rerank(["one"], [["one"]], math.nan)


@on_tensorflow
@architectures
def test_scores_are_those_of_the_whole_model(architecture):
    translate = translator(architecture)
    references = TEXTS[1:] + TEXTS[:1]
    scores = translate.score(TEXTS, references)
    for text, reference, score in zip(TEXTS, references, scores, strict=True):
        source, ids = (
            [*tokenizer.tokenize([line]).to_list()[0], END]
            for tokenizer, line in (
                (translate.source_tokenizer, text),
                (translate.target_tokenizer, reference),
            )
        )
        source = [*source[: min(16, len(source) - 1)], END]
        inputs = {
            "source": np.array([source]),
            "target": np.array([[START, *ids[:-1]]]),
        }
        logits = np.array(translate.model(inputs)[0], "float64")
        normalizer = np.log(np.exp(logits).sum(axis=-1))
        expected = logits[np.arange(len(ids)), ids] - normalizer
        np.testing.assert_allclose(score.log_probabilities, expected, atol=1e-4)
        assert score.log_probability == pytest.approx(expected.sum(), abs=1e-3)
        pieces = translate.target_tokenizer.tokens([ids]).numpy()[0]
        assert score.tokens == [piece.decode() for piece in pieces]


@on_tensorflow
@architectures
def test_a_hypothesis_is_what_the_whole_model_finds_best(architecture):
    """Each token is the best after those before it, as the whole model sees them."""
    translate = translator(architecture)
    source_ids, target_ids = (
        {piece.decode(): index for index, piece in enumerate(pieces)}
        for pieces in (
            tokenizer.tokens(range(tokenizer.vocabulary_size)).numpy()
            for tokenizer in (translate.source_tokenizer, translate.target_tokenizer)
        )
    )
    lengths = set()
    for (found,) in translate.hypotheses([text for text in TEXTS if text]):
        source = [source_ids[piece] for piece in found.source_tokens]
        ids = [target_ids[piece] for piece in found.target_tokens]
        logits = translate.model(
            {"source": np.array([source]), "target": np.array([[START, *ids[:-1]]])}
        )
        logits = np.array(logits[0], "float64")
        normalizer = np.log(np.exp(logits).sum(axis=-1))
        taken = logits[np.arange(len(ids)), ids]
        assert found.score == pytest.approx((taken - normalizer).sum(), abs=1e-3)
        logits[:, [PAD, START]] = -np.inf
        assert list(logits.argmax(axis=-1)) == ids
        assert END not in ids[:-1]
        assert ids[-1] == END or len(ids) == MAX_LENGTH
        words = translate.target_tokenizer.detokenize([ids]).numpy()[0].decode()
        assert found.text == words
        lengths.add(len(ids))
    assert len(lengths) > 1


@on_tensorflow
@architectures
def test_attention_has_a_row_for_each_token_written(architecture):
    translate = translator(architecture)
    pieces = translate.source_tokenizer.tokens(
        translate.source_tokenizer.tokenize(TEXTS)
    )
    for expected, (found,) in zip(pieces, translate.hypotheses(TEXTS), strict=True):
        expected = [piece.decode() for piece in expected.numpy()][:16]
        assert found.source_tokens == [*expected, "</s>"]
        shape = len(found.target_tokens), len(found.source_tokens)
        assert found.attention.shape == shape
        assert found.attention.dtype == np.float32
        np.testing.assert_allclose(found.attention.sum(axis=1), 1, atol=1e-5)


@on_tensorflow
def test_several_samples_of_each_text():
    search = Sampling(MAX_LENGTH, top_p=0.9, num_samples=3)
    for found in make_translator("transformer", search=search).hypotheses(ENGLISH):
        assert len(found) == 3
        for one in found:
            shape = len(one.target_tokens), len(one.source_tokens)
            assert one.attention.shape == shape


@on_tensorflow
def test_a_model_without_attention_gives_none():
    translate = translator("without attention")
    assert {found.attention for (found,) in translate.hypotheses(TEXTS)} == {None}


@on_tensorflow
@pytest.mark.parametrize(
    ("architecture", "kind", "texts"),
    [
        ("transformer", "characters", [""]),
        ("recurrent", "words", ["", " ", "\t\n", "\u3000"]),
        ("recurrent", "two sentencepiece models", ["", " ", "\t\n", "\u3000"]),
    ],
)
def test_nothing_is_translated_by_nothing(architecture, kind, texts):
    translate = make_translator(architecture, kind)
    assert translate(texts) == [""] * len(texts)
    for (found,) in translate.hypotheses([*texts, ENGLISH[0]])[:-1]:
        assert (found.text, found.score) == ("", 0)
        assert found.source_tokens == found.target_tokens == ["</s>"]
        np.testing.assert_allclose(found.attention, [[1]])


@on_tensorflow
@pytest.mark.parametrize(
    ("architecture", "kind"),
    [
        ("transformer", "characters"),
        ("recurrent", "words"),
        ("recurrent", "two sentencepiece models"),
    ],
)
def test_odd_strings_give_a_result_and_change_no_other(architecture, kind):
    translate = make_translator(architecture, kind)
    translations = translate(ODD + TEXTS)
    assert translations[len(ODD) :] == translate(TEXTS)
    assert translations[: len(ODD)] == [translate([text])[0] for text in ODD]
    assert all(isinstance(text, str) for text in translations)
    assert len(translate.hypotheses(ODD)) == len(ODD)


@on_tensorflow
@given(st.one_of(st.binary(max_size=29), st.text(max_size=29)))
def test_any_string_gives_a_result_and_changes_no_other(text):
    translate = translator("recurrent")
    first, odd, last = translate([TEXTS[0], text, TEXTS[3]])
    assert (first, last) == (translate(TEXTS[0]), translate(TEXTS[3]))
    assert [odd] == translate([text])


@on_tensorflow
@pytest.mark.parametrize(
    ("options", "max_source_length", "limit"),
    [
        ({}, 7, 7),
        ({"positions": "learned", "max_length": MAX_LENGTH}, 97, MAX_LENGTH),
        ({"positions": "sinusoidal", "max_length": MAX_LENGTH}, 97, MAX_LENGTH),
        ({"positions": "learned", "max_length": 13}, 7, 7),
    ],
)
def test_what_is_too_long_is_cut(options, max_source_length, limit):
    source, target = TOKENIZERS["characters"]()
    sizes = source.vocabulary_size, target.vocabulary_size
    model = make_model("transformer", *sizes, **options)
    translate = Translator(model, source, target, Greedy(5), max_source_length)
    text = "My name is Dooli. What is your name?"
    ((found,),) = translate.hypotheses([text])
    assert found.source_tokens == [*text[: limit - 1], "</s>"]
    kept, shorter, with_others = translate([text[: limit - 1], text[:3], text])
    assert found.text == kept == translate(text) == with_others
    assert shorter == translate(text[:3])


@on_tensorflow
def test_no_more_texts_at_once_than_the_batch_size_and_short_ones_together():
    class Watched(Greedy):
        def search(self, model, source):
            rows = tf.shape(source)[0]
            tf.debugging.assert_less_equal(rows, 3)
            # Ten letters and their end, with no text of one letter beside them.
            lengths = tf.math.count_nonzero(source, axis=1)
            tf.debugging.assert_equal(lengths, tf.broadcast_to(lengths[0], [rows]))
            return super().search(model, source)

    source, target = TOKENIZERS["characters"]()
    model = make_model("recurrent", source.vocabulary_size, target.vocabulary_size)
    translate = Translator(model, source, target, Watched(2), batch_size=3)
    assert len(translate(["aaaaaaaaaa", "a"] * 3)) == 6


@on_tensorflow
def test_the_search_left_out_writes_as_much_as_the_model_can():
    source, target = TOKENIZERS["characters"]()
    sizes = source.vocabulary_size, target.vocabulary_size
    model = make_model("transformer", *sizes, positions="learned", max_length=7)
    assert Translator(model, source, target).search.max_length == 7
    assert len(Translator(model, source, target)(list(ENGLISH))) == len(ENGLISH)
    shared = translator()
    plain = Translator(shared.model, shared.source_tokenizer, shared.target_tokenizer)
    assert plain.search.max_length == 128


@on_tensorflow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": keras.Sequential()}, "`model` must be a `Seq2Seq`.*Sequential"),
        ({"source": "characters"}, r"`source_tokenizer`.*with \d+ ids, model with 7"),
        ({"target": "characters"}, r"`target_tokenizer`.*with \d+ ids, model with 7"),
        ({"search": "greedy"}, "`search` must be.*'greedy'"),
        ({"search": Greedy(9).with_options(max_length=3)}, "`search`.*`with_options`"),
        ({"search": Greedy(13)}, r"`search` must not.*\(max_length=13\).*=11"),
        ({"max_source_length": 0}, "`max_source_length`.*=0"),
        ({"batch_size": 2.5}, r"`batch_size`.*=2\.5"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    class Letters:
        vocabulary_size = 7

    arguments = dict(arguments)
    if "model" not in arguments:
        arguments["model"] = make_model(
            "transformer", 7, 7, positions="learned", max_length=MAX_LENGTH
        )
    sides = [
        TOKENIZERS[arguments.pop(side)]()[0] if side in arguments else Letters()
        for side in ("source", "target")
    ]
    model = arguments.pop("model")
    with pytest.raises(ValueError, match=message):
        Translator(model, *sides, **arguments)


def test_an_alignment_pairs_each_token_with_what_it_attended_to_most():
    attention = np.array([[0.1, 0.3, 0.6], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1]])
    found = Hypothesis("a b", -1.0, ["x", "y", "</s>"], ["a", "b", "</s>"], attention)
    assert found.alignment() == [(1, 0), (0, 1)]
    cut = found._replace(target_tokens=["a", "b", "</s>"], is_complete=False)
    assert cut.alignment() == [(1, 0), (0, 1), (1, 2)]  # that token is written so
    empty = Hypothesis("", 0.0, ["</s>"], ["</s>"], np.ones((1, 1)))
    assert empty.alignment() == []
    with pytest.raises(ValueError, match="needs attention"):
        Hypothesis("", 0.0, ["x"], ["a"], None).alignment()
