"""What holds for every tokenizer: ids, hostile input, graphs and files."""

import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.text import (
    CharacterTokenizer,
    SentencePieceTokenizer,
    WordTokenizer,
    load_tokenizer,
)


def texts(tensor):
    return [text.decode() for text in tensor.numpy().tolist()]


def test_special_ids(tokenizer):
    assert (tokenizer.pad_id, tokenizer.unknown_id) == (0, 1)
    assert (tokenizer.start_id, tokenizer.end_id) == (2, 3)


def test_sentences_come_back(tokenizer, corpus):
    ids = tokenizer.tokenize(corpus)
    assert ids.dtype == tf.int32
    assert ids.shape.as_list() == [len(corpus), None]
    flat = ids.flat_values.numpy()
    assert flat.min() > 3
    assert flat.max() < tokenizer.vocabulary_size
    assert texts(tokenizer.detokenize(ids)) == corpus


def test_every_form_of_input_gives_the_same(tokenizer, corpus):
    expected = tokenizer.tokenize(corpus).to_list()
    forms = [
        tuple(corpus),
        np.array(corpus),
        np.array(corpus, dtype=object),
        [line.encode() for line in corpus],
        tf.constant(corpus),
    ]
    for form in forms:
        assert tokenizer.tokenize(form).to_list() == expected
    padded = tokenizer.tokenize(corpus).to_tensor().numpy()
    for ids in (expected, padded, padded.tolist(), padded.astype("int64")):
        assert texts(tokenizer.detokenize(ids)) == corpus


def test_parts_are_what_ids_stand_for(tokenizer, corpus):
    lines = [*corpus, "\u2603 snow\u2603man", "", "\u5c0d 12\u4e0d5"]
    ids, parts = tokenizer.tokenize(lines), tokenizer.split(lines)
    assert parts.row_lengths().numpy().tolist() == ids.row_lengths().numpy().tolist()
    for line, row, of_line in zip(lines, parts.to_list(), ids.to_list(), strict=True):
        written = b"".join(row).decode()
        assert "".join(written.split()) == "".join(line.split())
        names = tokenizer.tokens(tf.constant(of_line, tf.int32)).numpy()
        for part, name in zip(row, names, strict=True):
            if name != b"<unk>":
                assert part.decode().strip() == name.decode().strip("\u2581 ")
    assert tokenizer.split([]).shape[0] == 0


def test_empty_batches_and_strings(tokenizer):
    assert tokenizer.tokenize([]).shape[0] == 0
    assert tokenizer.tokenize([""]).to_list() == [[]]
    assert tokenizer.detokenize([]).shape == (0,)
    assert texts(tokenizer.detokenize([[], []])) == ["", ""]
    assert texts(tokenizer.detokenize(tokenizer.tokenize(["", "no"])))[0] == ""


def test_detokenize_skips_pad_and_start_and_stops_at_the_end(tokenizer, corpus):
    first, second = tokenizer.tokenize(corpus[:2]).to_list()
    rows = [
        [2, *first, 3, *second],
        [0, 2, 0, *second, 3, 3, 0],
        [3, *first],
    ]
    for ids in (rows, tf.ragged.constant(rows)):
        assert texts(tokenizer.detokenize(ids)) == [corpus[0], corpus[1], ""]


def test_unknown_ids_render_as_a_mark(tokenizer):
    for foreign in (1, -5, tokenizer.vocabulary_size, 2**40):
        text = texts(tokenizer.detokenize([[foreign]]))[0]
        assert text.strip() == "\u2047"


def test_tokens_name_each_id(tokenizer, corpus):
    ids = tokenizer.tokenize(corpus[:1]).to_list()[0]
    names = tokenizer.tokens([[2, *ids, 1, 3, 0, 10**6]])
    assert names.shape == (1, len(ids) + 5)
    listed = texts(names[0])
    assert listed[0] == "<s>"
    assert listed[-4:] == ["<unk>", "</s>", "", "<unk>"]
    shown = "".join(listed[1:-4]).replace("\u2581", "").replace(" ", "")
    assert shown == corpus[0].replace(" ", "")


def test_tokens_keep_the_shape(tokenizer):
    ragged = tf.ragged.constant([[2, 1], [], [3]])
    assert tokenizer.tokens(ragged).to_list() == [[b"<s>", b"<unk>"], [], [b"</s>"]]
    assert tokenizer.tokens([3, 0]).numpy().tolist() == [b"</s>", b""]
    assert tokenizer.tokens(np.zeros((2, 3, 5), "int32")).shape == (2, 3, 5)


def test_inside_a_graph_with_unknown_sizes(tokenizer, corpus):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def graph(strings):
        ids = tokenizer.tokenize(strings)
        dense = ids.to_tensor()
        return ids, tokenizer.detokenize(dense), tokenizer.tokens(dense)

    for lines in (corpus, corpus[:1], []):
        ids, back, names = graph(tf.constant(lines, tf.string))
        assert ids.to_list() == tokenizer.tokenize(lines).to_list()
        assert texts(back) == lines
        eager = tokenizer.tokens(ids.to_tensor())
        assert names.numpy().tolist() == eager.numpy().tolist()


HOSTILE = [
    b"\xff\xfe\x00",
    b"\xed\xa0\x80",
    b"\xe3\x81",
    b"\xf4\x90\x80\x80",
    b"\x00",
    b"no\x00",
    b"",
    "\ufeffno\u2028\u0085\t\U0001f468\u200d\U0001f469\U0010ffff\uffff".encode(),
    b"no " * 5000,
]


def test_hostile_rows_leave_the_others_alone(tokenizer, corpus):
    mixed = [row for pair in zip(HOSTILE, [corpus[0]] * 9, strict=True) for row in pair]
    ids = tokenizer.tokenize(mixed).to_list()
    alone = tokenizer.tokenize(corpus[:1]).to_list()[0]
    assert ids[1::2] == [alone] * 9
    back = texts(tokenizer.detokenize(ids))
    assert back[1::2] == [corpus[0]] * 9


def test_lone_surrogates_are_text_too(tokenizer, corpus):
    ids = tokenizer.tokenize(["\ud800", corpus[0]]).to_list()
    assert ids == tokenizer.tokenize([b"\xed\xa0\x80", corpus[0]]).to_list()
    assert ids[1] == tokenizer.tokenize(corpus[:1]).to_list()[0]


@given(
    rows=st.lists(st.one_of(st.binary(max_size=11), st.text(max_size=7)), max_size=5)
)
def test_rows_do_not_depend_on_each_other(tokenizer, rows):
    together = tokenizer.tokenize(rows)
    assert together.to_list() == [
        tokenizer.tokenize([row]).to_list()[0] for row in rows
    ]
    back = tokenizer.detokenize(together).numpy().tolist()
    names = tokenizer.tokens(together)
    assert names.row_lengths().numpy().tolist() == [len(row) for row in together]
    for text in [*back, *names.flat_values.numpy().tolist()]:
        text.decode("utf-8")


@pytest.mark.parametrize(
    ("strings", "received"),
    [
        ("no", "strings='no'"),
        (b"no", "strings=b'no'"),
        ([["no"]], "an element"),
        ([3], "an element 3"),
        (np.array([["no"]]), "strings=array"),
        (tf.constant("no"), r"shape=\(\)"),
        (tf.constant([3]), "dtype=int32"),
        (None, "strings=None"),
    ],
)
def test_strings_must_be_a_batch(tokenizer, strings, received):
    with pytest.raises(ValueError, match=f"`strings` must.*{received}"):
        tokenizer.tokenize(strings)


def test_ids_must_be_integers_of_rank_two(tokenizer):
    with pytest.raises(ValueError, match=r"`ids` must be of shape.*\(3,\)"):
        tokenizer.detokenize([4, 5, 6])
    with pytest.raises(ValueError, match=r"`ids` must be integers.*float"):
        tokenizer.detokenize([[0.5]])
    with pytest.raises(ValueError, match=r"`ids` must be integers.*float32"):
        tokenizer.tokens(tf.zeros([2, 3]))


def test_save_and_load(tokenizer, corpus, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text("an older file")
    tokenizer.save(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["tokenizer.json"]
    for loaded in (load_tokenizer(path), type(tokenizer).load(str(path))):
        assert type(loaded) is type(tokenizer)
        assert loaded.vocabulary_size == tokenizer.vocabulary_size
        expected = tokenizer.tokenize(corpus).to_list()
        assert loaded.tokenize(corpus).to_list() == expected
    before = path.read_bytes()
    loaded.save(path)
    assert path.read_bytes() == before


def test_save_says_where_it_cannot_write(tokenizer, tmp_path):
    with pytest.raises(ValueError, match=r"`path` must lie in a folder.*missing"):
        tokenizer.save(tmp_path / "missing" / "tokenizer.json")
    with pytest.raises(ValueError, match="`path` must name a file, not a folder"):
        tokenizer.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_keeps_the_old_file(tokenizer, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    path = tmp_path / "tokenizer.json"
    path.write_text("an older file")
    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        tokenizer.save(path)
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["an older file"]


def test_every_truncation_is_noticed(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    whole = path.read_bytes()
    for length in {0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"tokenizer\.json' is not a tokenizer"):
            load_tokenizer(path)


def test_alterations_are_noticed(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    whole = json.loads(path.read_text(encoding="utf-8"))

    def altered(**changes):
        path.write_text(json.dumps({**whole, **changes}), encoding="utf-8")
        return path

    content = {**whole["content"], "lowercase": not whole["content"]["lowercase"]}
    with pytest.raises(ValueError, match="checksum does not match"):
        load_tokenizer(altered(content=content))
    with pytest.raises(ValueError, match="`version` is 2"):
        load_tokenizer(altered(version=2))
    with pytest.raises(ValueError, match="`format` is not"):
        load_tokenizer(altered(format="other"))
    with pytest.raises(ValueError, match="`type` or `content` is missing"):
        load_tokenizer(altered(content=None))
    assert load_tokenizer(altered()).vocabulary_size == tokenizer.vocabulary_size


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "foreign"
    for data in (b"\xff\xfe\x00", b"[1, 2]", b"null", b"[" * 10**5, b"hello"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"foreign' is not a tokenizer file: it"):
            load_tokenizer(path)
    with pytest.raises(FileNotFoundError, match="absent"):
        load_tokenizer(tmp_path / "absent")


def test_the_class_must_fit_the_file(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    others = {SentencePieceTokenizer, WordTokenizer, CharacterTokenizer}
    for other in others - {type(tokenizer)}:
        message = f"holds a {type(tokenizer).__name__}, not a {other.__name__}"
        with pytest.raises(ValueError, match=message):
            other.load(path)


def test_content_that_makes_no_tokenizer_is_refused(tmp_path):
    from keras_attention.text.storage import write_tokenizer

    path = tmp_path / "tokenizer.json"
    for kind, content, reason in [
        ("WordTokenizer", {"vocabulary": ["a"]}, "lowercase"),
        ("WordTokenizer", {"vocabulary": [3], "lowercase": False}, "vocabulary"),
        ("CharacterTokenizer", {"vocabulary": ["a", "a"], "lowercase": False}, "twice"),
        ("SentencePieceTokenizer", {"model": "?", "lowercase": False}, "content"),
        ("SentencePieceTokenizer", {"model": "AAAA", "lowercase": False}, "`model`"),
        ("Other", {}, "its `type` is 'Other'"),
    ]:
        write_tokenizer(path, kind, content)
        with pytest.raises(ValueError, match=rf"tokenizer\.json' is not .*{reason}"):
            load_tokenizer(path)


def test_lowercase_is_done_and_saved(tmp_path):
    lines = ["ÉTÉ Straße", "ab Ab aB AB"]
    for cls in (SentencePieceTokenizer, WordTokenizer, CharacterTokenizer):
        size = 14 if cls is SentencePieceTokenizer else None
        tokenizer = cls.train(lines * 3, size, lowercase=True)
        tokenizer.save(tmp_path / "tokenizer.json")
        loaded = load_tokenizer(tmp_path / "tokenizer.json")
        for each in (tokenizer, loaded):
            assert each.lowercase is True
            back = each.detokenize(each.tokenize(["STRASSE ÉtÉ aB", lines[0]]))
            assert texts(back)[1] == "été straße"
        with pytest.raises(ValueError, match=r"`lowercase` must.*lowercase='yes'"):
            cls.train(lines, size or 14, lowercase="yes")


def test_corpora_without_text_are_refused():
    for cls in (SentencePieceTokenizer, WordTokenizer, CharacterTokenizer):
        for lines in ([], iter(()), ["", " \t", "\u3000"]):
            with pytest.raises(ValueError, match="`lines` must hold some text"):
                cls.train(lines)
        with pytest.raises(ValueError, match=r"`lines` must be an iterable.*'text'"):
            cls.train("text")
        with pytest.raises(ValueError, match=r"`lines` must hold strings.*\[1\]=b'b'"):
            cls.train(["a", b"b"])


def test_repr_shows_class_and_size(tokenizer):
    size = tokenizer.vocabulary_size
    assert repr(tokenizer) == f"{type(tokenizer).__name__}(vocabulary_size={size})"


class Service(tf.Module):
    """Four tokenizers in one module, two of them of sentencepiece."""

    def __init__(self, tokenizers):
        super().__init__()
        self.tokenizers = tokenizers

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def back(self, text):
        results = {}
        for name, tokenizer in self.tokenizers.items():
            ids = tokenizer.tokenize(text)
            results[f"{name}_text"] = tokenizer.detokenize(ids)
            results[f"{name}_ids"] = ids.to_tensor()
            results[f"{name}_tokens"] = tokenizer.tokens(ids.to_tensor())
        return results


RELOAD = """
import importlib.abc, json, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("keras_attention", "sentencepiece"):
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
import tensorflow as tf
import tensorflow_text

folder, *lines = sys.argv[1:]
service = tf.saved_model.load(folder).signatures["serving_default"]

def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    return [plain(item) for item in value] if isinstance(value, list) else value

results = service(text=tf.constant(lines))
print(json.dumps({name: plain(value.numpy().tolist())
                  for name, value in results.items()}))
"""


@pytest.mark.slow
def test_tokenizers_of_one_saved_model_stay_apart(
    tmp_path, corpus, sentence_piece, fresh_process
):
    service = Service(
        {
            "first": sentence_piece,
            "second": SentencePieceTokenizer.train(
                ["seven six", "five four no"] * 3, 29, model_type="bpe"
            ),
            # the same model twice, as for a joint vocabulary
            "third": SentencePieceTokenizer(sentence_piece.model, lowercase=True),
            "word": WordTokenizer.train(corpus),
            "character": CharacterTokenizer.train(corpus),
        }
    )
    folder = tmp_path / "service"
    tf.saved_model.save(service, str(folder), signatures=service.back)
    printed = fresh_process(RELOAD, folder, *corpus, importable=False)
    results = json.loads(printed.splitlines()[-1])
    assert results["first_ids"] != results["second_ids"]
    for name, expected in service.back(tf.constant(corpus)).items():
        flat = np.array(results[name]).ravel().tolist()
        values = expected.numpy().ravel().tolist()
        values = [v.decode() if isinstance(v, bytes) else v for v in values]
        assert flat == values, name
