"""Tokenizers of plain Python do what the graphs of TensorFlow do."""

import functools
import importlib.util
import json
import pickle
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_attention import text
from keras_attention.text import VectorizationTokenizer, plain
from keras_attention.text.cleaning import Cleaning
from keras_attention.text.loading import TOKENIZERS
from keras_attention.text.plain import plain_tokenizer
from tests.backends import BACKEND
from tests.hostile_texts import BLANKS, INVALID, JOINERS, MARKERS, hostile_texts
from tests.text.plain_pairs import LINES, MAKERS, SYMBOLS, WORDS, as_text, pair
from tests.text.scripts import SCRIPTS

pytestmark = pytest.mark.filterwarnings("ignore:The corpus fills a vocabulary")

UNKNOWN_SCRIPT = 103
# A backend that is not TensorFlow.
OTHER = next(name for name in (BACKEND, "jax") if name != "tensorflow")
TRICKY = [
    *(*BLANKS, *JOINERS, *MARKERS, *SYMBOLS, *map(chr, range(0x20)), "\x7f", "\x85"),
    *("\u0301", "\u0307", "Σ", "İ", "I", "'", "\u2019", "\u2047", "\uff5e", "\uff21"),
    *("\ud800", "\udfff", "\ud83d\ude00", "\ue000", "\uffff", "\ufdd0", "\U0010ffff"),
    *(">>fr<<", ">>", "<<", "ﬃ", "½", "\u2603", "0", "aa", " a ", "don't.", "x" * 97),
]


@functools.cache
def known_characters():
    """What Unicode assigns in version 13, by which TensorFlow lower-cases.

    Some of what is later is folded, composed or stripped by one of two libraries alone.
    """
    codes = np.delete(np.arange(0x110000, dtype="int32"), slice(0xD800, 0xE000))
    scripts = tf.strings.unicode_script(codes).numpy()
    return "".join(map(chr, codes[scripts != UNKNOWN_SCRIPT].tolist()))


def texts():
    """Characters of all scripts, what is tricky, and bytes that are no UTF-8."""
    parts = st.one_of(
        st.sampled_from(TRICKY),
        st.integers(0, len(known_characters()) - 1).map(known_characters().__getitem__),
        st.sampled_from([word for line in LINES for word in line.split()]),
    )
    invalid = st.sampled_from([*INVALID, b"a", b" ", b"\0", "é가".encode()])
    return st.one_of(
        st.lists(parts, max_size=9).map("".join),
        st.lists(parts, max_size=9).map(" ".join),
        st.lists(invalid, max_size=5).map(b"".join),
    )


def assert_cut_alike(kind, batch):
    graphs, own = pair(kind)
    ids = own.tokenize(batch)
    assert ids == graphs.tokenize(batch).to_list()
    assert own.split(batch) == as_text(graphs.split(batch).to_list())
    return ids


def assert_written_alike(kind, rows):
    graphs, own = pair(kind)
    ragged = tf.ragged.constant(rows, tf.int64, ragged_rank=1)
    assert own.detokenize(rows) == as_text(graphs.detokenize(ragged).numpy().tolist())
    assert own.tokens(rows) == as_text(graphs.tokens(ragged).to_list())


@pytest.mark.whole
@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=8)
@given(data=st.data())
def test_texts_are_cut_alike(kind, data):
    ids = assert_cut_alike(kind, data.draw(st.lists(texts(), max_size=24)))
    assert_written_alike(kind, ids)


@pytest.mark.whole
@pytest.mark.parametrize("kind", MAKERS)
def test_any_ids_are_written_alike(kind):
    size, chance = pair(kind)[0].vocabulary_size, random.Random(kind)
    ids = [*range(-1, size + 1), *[*range(2), *range(4, 10)] * (size // 8), 2**40]
    rows = [chance.choices(ids, k=chance.randrange(8)) for _ in range(400)]
    assert_written_alike(kind, rows)


@pytest.mark.whole
@pytest.mark.parametrize("kind", MAKERS)
def test_lines_of_every_script_are_cut_alike(kind):
    lines = [*LINES, *SCRIPTS, *map(str.upper, LINES), "".join(TRICKY), *INVALID]
    lines += ["x" * 98 + "1" * count + end for count in (2, 3) for end in ("", "中x")]
    lines += [*WORDS, *(f">>fr<<{line}\n<<" for line in LINES[:3])]
    ids = assert_cut_alike(kind, lines)
    assert_written_alike(kind, ids)
    assert len({*map(tuple, ids)}) > 7


@pytest.mark.parametrize("kind", ["unigram", "words", "characters identity lower"])
def test_hostile_texts_are_cut_alike(kind):
    assert_cut_alike(kind, [*hostile_texts(64, seed=3, long_ones=0)])


def in_lines(characters):
    """Each character between two letters, some hundred a line."""
    words = [f"a{character}b" for character in characters]
    return [" ".join(words[start : start + 500]) for start in range(0, len(words), 500)]


def all_characters():
    return [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["words", "few words"])
def test_no_character_is_cut_otherwise(kind):
    graphs, own = pair(kind)
    lines = in_lines(all_characters())
    assert own.split(lines) == as_text(graphs.split(lines).to_list())


@pytest.mark.slow
def test_no_character_is_lower_cased_otherwise():
    lines = in_lines(all_characters())
    own = plain.cleaning.Cleaning(lowercase=True)(lines)
    assert own == as_text(Cleaning(lowercase=True)(lines).numpy().tolist())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pieces", "pieces lower", "characters nfkc as it is"])
def test_no_known_character_is_normalized_otherwise(kind):
    graphs, own = pair(kind)
    lines = in_lines(known_characters())
    assert own.split(lines) == as_text(graphs.split(lines).to_list())


@pytest.mark.whole
@pytest.mark.parametrize("kind", MAKERS)
def test_files_are_the_same(kind, tmp_path):
    graphs, own = pair(kind)
    graphs.save(tmp_path / "graphs.json")
    own.save(tmp_path / "plain.json")
    whole = (tmp_path / "graphs.json").read_bytes()
    assert (tmp_path / "plain.json").read_bytes() == whole
    loaded = plain.load_tokenizer(tmp_path / "graphs.json")
    assert type(loaded) is type(own) is type(type(own).load(tmp_path / "plain.json"))
    for each in (own, loaded, pickle.loads(pickle.dumps(own))):
        assert each.checksum() == graphs.checksum()
        assert repr(each) == repr(graphs)
        names = ("pad_id", "unknown_id", "start_id", "end_id", "vocabulary_size")
        options = ("lowercase", "normalization", "user_symbols", "vocabulary", "model")
        for name in (*names, *options):
            assert getattr(each, name, None) == getattr(graphs, name, None)
        assert each.tokenize(LINES) == own.tokenize(LINES)


def test_there_is_a_plain_one_of_each_class():
    names = {cls.__name__ for cls in TOKENIZERS}
    assert {type(pair(kind)[1]).__name__ for kind in MAKERS} == names
    assert {name for name in plain.__all__ if name.endswith("rTokenizer")} < names
    own = pair("words")[1]
    assert plain_tokenizer(own) is own
    with pytest.raises(ValueError, match="`tokenizer` must be one of .*'nothing'"):
        plain_tokenizer("nothing")


def test_every_form_of_input_gives_the_same():
    own = pair("words")[1]
    ids = own.tokenize(LINES)
    for form in (tuple(LINES), np.array(LINES), np.array(LINES, dtype=object)):
        assert own.tokenize(form) == ids
    assert own.tokenize([line.encode() for line in LINES]) == ids
    padded = np.zeros((len(ids), max(map(len, ids)) + 2), "int32")
    for row, of_line in zip(padded, ids, strict=True):
        row[: len(of_line)] = of_line
    for form in (padded, padded.astype("int64"), padded.tolist(), [*padded]):
        assert own.detokenize(form) == own.detokenize(ids)
    assert own.tokens(padded[:, None])[0][0][-1] == ""
    assert own.tokens(np.int32(3)) == own.tokens(3) == "</s>"
    assert own.tokens([[], [2, [1]]]) == [[], ["<s>", ["<unk>"]]]
    assert own.tokenize([]) == own.split([]) == own.detokenize([]) == []
    assert own.detokenize(np.zeros((2, 0))) == own.detokenize([[], []]) == ["", ""]


def test_a_sentence_stops_at_its_end():
    own = pair("words")[1]
    first, second = own.tokenize(LINES[2:4])
    rows = [[2, *first, 3, *second], [0, 2, 0, *second, 3, 3, 0], [3, *first]]
    assert own.detokenize(rows) == [*own.detokenize([first, second]), ""]


@pytest.mark.parametrize(
    ("strings", "received"),
    [
        ("no", "strings='no'"),
        (b"no", "strings=b'no'"),
        ([["no"]], "an element"),
        ([3], "an element 3"),
        (np.array([["no"]]), "strings=array"),
        (None, "strings=None"),
    ],
)
def test_strings_must_be_a_batch(strings, received):
    with pytest.raises(ValueError, match=f"`strings` must.*{received}"):
        pair("words")[1].tokenize(strings)


def test_ids_must_be_integers_of_rank_two():
    own = pair("words")[1]
    for ids in (4, [4, 5, 6], np.zeros((2, 3, 5), int), [[4], 5], [[4, [5]]]):
        with pytest.raises(ValueError, match=r"`ids` must be of shape.*Received: ids="):
            own.detokenize(ids)
    for ids in ([[0.5]], np.zeros((2, 3)), [[True]], [["a"]]):
        with pytest.raises(ValueError, match=r"`ids` must be integers.*dtype="):
            own.detokenize(ids)


@keras.saving.register_keras_serializable("keras_attention_tests")
def shout(strings):
    """A standardization of one's own."""
    return tf.strings.upper(strings)


def test_functions_need_tensorflow(tmp_path):
    for name in ("standardize", "split"):
        graphs = VectorizationTokenizer(WORDS, **{name: shout})
        message = f"`{name}` must be a name or None .* a function needs TensorFlow"
        with pytest.raises(ValueError, match=message):
            plain_tokenizer(graphs)
        graphs.save(tmp_path / "words.json")
        with pytest.raises(ValueError, match=rf"words\.json' is not .*{message}"):
            plain.load_tokenizer(tmp_path / "words.json")
        with pytest.raises(ValueError, match=message):
            plain.VectorizationTokenizer(WORDS, **{name: shout})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: plain.WordTokenizer([]), "`vocabulary` must be a list"),
        (lambda: plain.WordTokenizer(["a", "a"]), "'a' twice"),
        (lambda: plain.WordTokenizer(["a"], 1), "`lowercase` must .*1"),
        (lambda: plain.WordTokenizer(["a"], normalization="nfd"), "`normalization`"),
        (lambda: plain.WordTokenizer(["a"], user_symbols=["b"]), "must hold each"),
        (lambda: plain.CharacterTokenizer(["ab"]), "single characters.*'ab'"),
        (lambda: plain.WordPieceTokenizer(["", "a"]), "`unknown` must be a piece"),
        (lambda: plain.VectorizationTokenizer(WORDS, "x"), "`standardize` must be one"),
        (lambda: plain.SentencePieceTokenizer(b"\x0a\x03\x0a\x01a"), "`model` must"),
        (lambda: plain.SentencePieceTokenizer("a"), "`model` must.*Received: str"),
        (lambda: plain.MarianTokenizer(["", *"abc"], b"no"), "`unknown` must be"),
    ],
)
def test_what_does_not_fit_is_said(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_names_are_found_when_they_are_asked_for():
    assert {*text.__all__} < {*dir(text)}
    assert all(hasattr(text, name) for name in dir(text))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = text.nothing


def test_training_is_that_of_the_graphs():
    for cls in (
        plain.WordTokenizer,
        plain.CharacterTokenizer,
        plain.SentencePieceTokenizer,
    ):
        trained = cls.train(["a b"], 7, lowercase=True)
        assert type(trained) is cls
        assert trained.lowercase is True
        assert trained.detokenize(trained.tokenize(["A"])) == ["a"]


ABSENT = """
import json, sys
from importlib.abc import MetaPathFinder
import keras  # before: some backends look for TensorFlow

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "tensorflow_text"):
            raise ModuleNotFoundError(name, name=name)

def imported():
    return [name for name in sys.modules if name.split(".")[0] == "tensorflow"]

for name in imported():
    del sys.modules[name]
sys.meta_path.insert(0, Absent())
import keras_attention.text.plain
from keras_attention import text
from keras_attention.text import *

folder, lines = sys.argv[1], json.loads(sys.argv[2])
done = {}
for kind in json.loads(sys.argv[3]):
    tokenizer = load_tokenizer(f"{folder}/{kind}.json")
    assert type(tokenizer) is getattr(text, type(tokenizer).__name__)
    assert isinstance(tokenizer, Tokenizer)
    ids = tokenizer.tokenize(lines)
    done[kind] = ids, tokenizer.detokenize(ids), tokenizer.split(lines)
said = []
for needed in (
    lambda: text.translation_dataset,
    lambda: text.language_dataset,
    lambda: WordTokenizer.train(["a"]),
    lambda: SentencePieceTokenizer.train(["a"]),
):
    try:
        needed()
    except ImportError as error:
        said.append(str(error))
files = [read_lines, read_pairs, read_parallel, Split, split_by_source]
ids = [END, PAD, START, UNKNOWN]
names = dir(text)
print(json.dumps([done, said, ids, names, imported()]))
"""


@pytest.mark.skipif(not importlib.util.find_spec(OTHER), reason="TensorFlow is alone")
def test_without_tensorflow_the_same_ids_come(fresh_process, tmp_path):
    for kind in MAKERS:
        pair(kind)[0].save(tmp_path / f"{kind}.json")
    lines = [*LINES, "".join(TRICKY[:60])]
    printed = fresh_process(
        ABSENT, tmp_path, json.dumps(lines), json.dumps([*MAKERS]), backend=OTHER
    )
    done, said, ids, names, imported = json.loads(printed.splitlines()[-1])
    for kind, found in done.items():
        own = pair(kind)[1]
        assert found[0] == own.tokenize(lines)
        assert found[1:] == [own.detokenize(found[0]), own.split(lines)]
    for by, message in zip(
        ("translation_dataset", "language_dataset", "Word", "SentencePiece"),
        said,
        strict=True,
    ):
        assert by in message
        assert 'needs tensorflow, which is not installed: pip install "' in message
    assert ids == [3, 0, 2, 1]
    assert {"WordTokenizer", "translation_dataset", "read_lines"} < {*names}
    assert imported == []
