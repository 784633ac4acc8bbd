"""Unknown words of a translation, replaced by words of the source."""

import numpy as np
import pytest
import tensorflow as tf

from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.text import UNKNOWN, CharacterTokenizer, WordTokenizer
from keras_attention.translation.graph_unknown import replace_unknown
from tests.backends import BACKEND
from tests.translators import KOREAN, make_model, make_translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="a Translator runs on TensorFlow only"
)
NAMES = ["My name is Dooli", "one Dooli two Pororo", "Pororo, Dooli and Crong", ""]


def test_each_place_takes_what_it_attended_to_most():
    words = tf.RaggedTensor.from_row_lengths(["a", "b", "c", "d", "e"], [2, 3, 0, 0])
    ids = [[1, 5, 1, 3], [5, 3, 0, 0], [1, 3, 0, 0], [1, 3, 0, 0]]
    attention = np.zeros((4, 4, 4), "float32")
    attention[0, 0, 1] = attention[0, 2, 0] = 0.8
    attention[0, 0, 0] = 0.2
    attention[2, 0, 2] = 1  # an end, which stands for nothing
    texts = ["\u2047 five \u2047", "five", " \u2047 ", "\u2047 and \u2047"]
    found = replace_unknown(
        tf.constant(texts), tf.constant(ids), attention, words, UNKNOWN
    )
    # In the last one, the model wrote one of the two signs itself.
    expected = ["b five a", "five", "", "\u2047 and \u2047"]
    assert [text.decode() for text in found.numpy()] == expected


def test_no_rows_give_no_rows():
    nothing = tf.constant([], tf.string)
    words = tf.RaggedTensor.from_row_lengths(nothing, tf.constant([], tf.int64))
    ids, attention = tf.zeros([0, 3], tf.int32), tf.zeros([0, 3, 2])
    assert replace_unknown(nothing, ids, attention, words, UNKNOWN).shape == (0,)


def _translator(architecture, tokenizers, search, **options):
    model = make_model(architecture, *(one.vocabulary_size for one in tokenizers))
    kernel, bias = model.output_projection.get_weights()
    bias[UNKNOWN] += 3
    model.output_projection.set_weights([kernel, bias])
    return Translator(model, *tokenizers, search, 17, **options)


@pytest.mark.parametrize(
    "search", [Greedy(7), BeamSearch(3, 7)], ids=["greedy", "beam"]
)
def test_a_translator_puts_source_words_in(search):
    tokenizers = (
        WordTokenizer.train(["My name is one two"]),
        WordTokenizer.train(KOREAN),
    )
    plain = _translator("transformer", tokenizers, search)
    replacing = _translator("transformer", tokenizers, search, replace_unknown=True)
    replaced = 0
    for text, found in zip(NAMES, plain.hypotheses(NAMES), strict=True):
        words = [*text.replace(",", " ,").split(), ""]
        for one, other in zip(found, replacing.hypotheses([text])[0], strict=True):
            expected = one.text
            for row, token in enumerate(one.target_tokens):
                if token == "<unk>":
                    source = words[int(one.attention[row].argmax())]
                    expected = expected.replace("\u2047", source, 1)
                    replaced += 1
            assert other.text.split() == expected.split()
            assert other.target_tokens == one.target_tokens
    assert replaced > 5
    best = [found[0].text for found in replacing.hypotheses(NAMES)]
    assert replacing(NAMES) == best


@pytest.mark.slow
def test_it_is_saved_and_exported(tmp_path):
    tokenizers = (
        WordTokenizer.train(["My name is one two"]),
        WordTokenizer.train(KOREAN),
    )
    translate = _translator("recurrent", tokenizers, None, replace_unknown=True)
    expected = translate(NAMES)
    assert any(word in " ".join(expected) for word in ("Dooli", "Pororo", "Crong"))
    translate.save(tmp_path / "saved")
    assert Translator.load(tmp_path / "saved")(NAMES) == expected
    translate.export(tmp_path / "exported", check=False)
    serve = tf.saved_model.load(tmp_path / "exported").signatures["attend"]
    found = serve(text=tf.constant(NAMES))["translation"].numpy()
    assert [text.decode() for text in found] == expected


def test_it_needs_attention():
    letters = CharacterTokenizer.train(["abc"])
    model = make_model("without attention", *[letters.vocabulary_size] * 2)
    translate = Translator(model, letters, letters, replace_unknown=True)
    with pytest.raises(ValueError, match="`replace_unknown` needs a model with attent"):
        translate(["abc"])


@pytest.mark.slow
def test_candidates_are_put_in_the_order_of_the_scores():
    translate = make_translator("beam")
    found = [[best.text for best in row] for row in translate.hypotheses(NAMES[:3])]
    scores = [
        {one: score.log_probability for one, score in zip(row, scored, strict=True)}
        for row, text in zip(found, NAMES, strict=False)
        for scored in [translate.score([text] * len(row), row)]
    ]
    ranked = translate.rerank(NAMES[:3], [row[::-1] for row in found], length_penalty=0)
    for row, expected in zip(ranked, scores, strict=True):
        assert row == sorted(expected, key=expected.get, reverse=True)
    assert translate.rerank(["a", "b"], [[], ["c"]]) == [[], ["c"]]
    with pytest.raises(ValueError, match="`candidates` must have .*1 candidates for 2"):
        translate.rerank(["a", "b"], [["c"]])
