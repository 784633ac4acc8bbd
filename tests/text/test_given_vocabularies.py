"""Vocabularies made elsewhere: word pieces of BERT, and Keras's text vectorization."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_attention.text import (
    VectorizationTokenizer,
    WordPieceTokenizer,
    language_dataset,
    load_tokenizer,
    translation_dataset,
)
from tests.hostile_texts import BLANKS, INVALID

LINES = [
    "What's your name? My name is Dooli!",
    "  one,two  three\tFOUR ",
    "ÉCOLE, école; 학교 学校。",
    "",
    "[unk] [start] word",
    "a\u00a0b\u200bc\u3000d",
]
PIECES = [
    *("[PAD]", "[unused1]", "[unused2]", "[UNK]", "[CLS]", "[SEP]"),
    *("what", "'", "s", "your", "name", "?", "My", "my", "is", "do", "##o", "##li"),
    *("one", ",", "two", "!", "é", "##c", "##ole", "学", "校", "e", "학", "##교"),
]


@keras.saving.register_keras_serializable("keras_attention_tests")
def in_pieces(text):
    """A standardization of one's own."""
    return tf.strings.regex_replace(tf.strings.lower(text, "utf-8"), "([,.!?])", r" \1")


@keras.saving.register_keras_serializable("keras_attention_tests")
def at_commas(text):
    """A split of one's own, which leaves empty words."""
    return tf.strings.split(text, ",")


def _layer(**options):
    layer = keras.layers.TextVectorization(**options)
    layer.adapt(["[start] [end] START END start,end s e", *LINES[:3]])
    return layer


def _name(value):
    return getattr(value, "__name__", str(value))


STANDARDIZATIONS = (None, "lower", "strip_punctuation", "lower_and_strip_punctuation")
SPLITS = ("whitespace", "character", at_commas, None)


@pytest.mark.whole
@pytest.mark.parametrize("split", SPLITS, ids=_name)
@pytest.mark.parametrize("standardize", [*STANDARDIZATIONS, in_pieces], ids=_name)
def test_ids_are_those_of_the_layer(standardize, split, tmp_path):
    layer = _layer(standardize=standardize, split=split)
    words = layer.get_vocabulary()
    tokenizer = VectorizationTokenizer.from_layer(layer, start=words[2], end=words[3])
    tokenizer.save(tmp_path / "words.json")
    loaded = load_tokenizer(tmp_path / "words.json")
    assert loaded.checksum() == tokenizer.checksum()
    texts = [*LINES, *(line.upper() for line in LINES), BLANKS]
    # Without its padding, which is no id of a word.
    rows = np.asarray(layer(texts)).reshape(len(texts), -1)
    expected = [row[row != 0].tolist() for row in rows]
    for own in (tokenizer, loaded):
        assert own.tokenize(texts).to_list() == expected
        assert [len(row) for row in own.split(texts).to_list()] == [
            len(row) for row in expected
        ]


def test_words_come_back():
    layer = _layer(standardize="lower")
    tokenizer = VectorizationTokenizer.from_layer(layer)
    ids = tokenizer.tokenize(["one,two  unheard three"])
    assert tokenizer.detokenize(ids).numpy()[0].decode() == "one,two \u2047 three"
    assert tokenizer.tokens(ids).numpy()[0].tolist() == [b"one,two", b"[UNK]", b"three"]
    assert tokenizer.split(["one,two  unheard"]).to_list() == [[b"one,two", b"unheard"]]
    ends = [[tokenizer.start_id, ids[0, 0], tokenizer.end_id, ids[0, 2], 0]]
    assert tokenizer.detokenize(ends).numpy().tolist() == [b"one,two"]
    letters = VectorizationTokenizer(
        ["", "?", "s", "e", "a", "b"], None, "character", start="s", end="e"
    )
    assert letters.detokenize([[4, 5, 4]]).numpy().tolist() == [b"aba"]


@pytest.mark.parametrize("lowercase", [False, True])
def test_pieces_are_those_of_bert(lowercase, tmp_path):
    import tensorflow_text

    bert = tensorflow_text.FastBertTokenizer(
        PIECES, lower_case_nfd_strip_accents=lowercase
    )
    WordPieceTokenizer(PIECES, lowercase).save(tmp_path / "pieces.json")
    tokenizer = load_tokenizer(tmp_path / "pieces.json")
    assert tokenizer.lowercase is lowercase
    found = tokenizer.tokenize(LINES)
    assert found.to_list() == bert.tokenize(LINES).to_list()
    assert any(3 in row for row in found.to_list())
    assert (tokenizer.start_id, tokenizer.end_id, tokenizer.unknown_id) == (4, 5, 3)


def test_pieces_are_joined_to_words():
    tokenizer = WordPieceTokenizer(PIECES)
    ids = tokenizer.tokenize(["My name is dooli!", "unheard"])
    texts = [text.decode() for text in tokenizer.detokenize(ids).numpy()]
    assert texts == ["My name is dooli !", "\u2047"]
    assert tokenizer.tokens([[4, 15, 16, 3, 5, 0]]).numpy().tolist() == [
        [b"[CLS]", b"do", b"##o", b"[UNK]", b"[SEP]", b""]
    ]
    assert tokenizer.split(["do unheard!"]).to_list() == [[b"do", b"unheard", b"!"]]


def test_bytes_that_are_no_text_are_read():
    layer = _layer(standardize=None)
    for tokenizer in (
        WordPieceTokenizer(PIECES, True),
        VectorizationTokenizer.from_layer(layer),
    ):
        ids = tokenizer.tokenize(list(INVALID))
        assert len(tokenizer.detokenize(ids)) == len(INVALID)
        assert int(tf.reduce_max(ids)) < tokenizer.vocabulary_size


def test_batches_begin_and_end_with_their_ids():
    bert = WordPieceTokenizer(PIECES)
    layer = _layer(standardize="lower")
    words = VectorizationTokenizer.from_layer(layer)
    options = {"batch_size": 2, "bucket": 1}
    pairs = ["is name"], ["one,two three"]
    # A layer is as good as its tokenizer.
    inputs, labels = next(iter(translation_dataset(*pairs, bert, layer, **options)))
    assert inputs["source"].numpy().tolist() == [[14, 10, 5]]
    one, two = words.tokenize(["one,two three"]).to_list()[0]
    assert inputs["target"].numpy().tolist() == [[words.start_id, one, two]]
    assert labels.numpy().tolist() == [[one, two, words.end_id]]
    texts, labels = next(iter(language_dataset(["is name"], bert, **options)))
    assert texts.numpy().tolist() == [[4, 14, 10]]
    assert labels.numpy().tolist() == [[14, 10, 5]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WordPieceTokenizer(PIECES[:3]), r"`unknown` must .*'\[UNK\]'"),
        (
            lambda: WordPieceTokenizer(PIECES, start="[PAD]"),
            r"`start` must .*'\[PAD\]'",
        ),
        (lambda: WordPieceTokenizer(PIECES, end="[UNK]"), "must differ"),
        (lambda: WordPieceTokenizer([*PIECES, "my"]), "'my' twice"),
        (lambda: WordPieceTokenizer(PIECES, 1), "`lowercase` must .*1"),
        (lambda: VectorizationTokenizer(["", "u", "s", "e"], "upper"), "`standardize`"),
        (lambda: VectorizationTokenizer(["", "u", "s"], split="lines"), "`split` must"),
        (lambda: VectorizationTokenizer([]), "`vocabulary` must be a list"),
        (
            lambda: VectorizationTokenizer.from_layer(_layer()),
            r"`start` must .*start='\[start\]', vocabulary=\['', '\[UNK\]'",
        ),
        (
            lambda: VectorizationTokenizer.from_layer(_layer(output_mode="count")),
            "`layer` must have output_mode='int'.*='count'",
        ),
        (
            lambda: VectorizationTokenizer.from_layer(_layer(ngrams=2)),
            "`layer` must have ngrams=None.* ngrams=2",
        ),
    ],
)
def test_what_does_not_fit_is_said(make, message):
    with pytest.raises(ValueError, match=message):
        make()
