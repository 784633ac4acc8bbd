"""The SavedModel: what it needs, takes and gives, in a process without the package."""

import base64
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from keras_attention import Translator
from keras_attention.export import export_saved_model
from tests.backends import BACKEND, run_in_fresh_process
from tests.translators import ENGLISH, MAX_LENGTH, TOKENIZERS, make_translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="a Translator runs on TensorFlow only"
)
TEXTS = [
    *ENGLISH,
    "",
    " ",
    "\t\n",
    "\0",
    "you\0me\0",
    b"\xff\xfe",
    b"one \xc3",
    b"\xed\xa0\x80",
    "둘리",
    *(chr(plane * 0x10000 + 0x1234) * 3 for plane in range(17)),
    "one two " * 97,
    "x" * 997,
]
EXPORTS = [
    ("transformer", "characters"),
    ("attending in turn", "characters"),
    ("without attention", "characters"),
    ("beam", "characters"),
    *(("recurrent", kind) for kind in TOKENIZERS if kind != "characters"),
]
CLIENT = """
import base64, json, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {
            "keras_attention", "keras_hub", "sentencepiece", "sacrebleu"
        }:
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
import tensorflow as tf
import tensorflow_text

def plain(tensor):
    if tensor.dtype == tf.string:
        tensor = tf.io.encode_base64(tensor)
        return json.loads(json.dumps(tensor.numpy().tolist(), default=bytes.decode))
    return tensor.numpy().tolist()

def call(name, signature, texts):
    inputs = {"text": tf.constant(texts, tf.string)}
    if name == "score":
        inputs["reference"] = tf.constant(texts[::-1], tf.string)
    found = signature(**inputs)
    return {name: plain(part) for name, part in found.items()}

def specs(structure):
    return {
        name: [spec.dtype.name, spec.shape.as_list()]
        for name, spec in structure.items()
    }

texts = [base64.b64decode(text) for text in json.load(open(sys.argv[1]))]
answers = {}
for folder in sys.argv[2:]:
    loaded = tf.saved_model.load(folder)
    answers[folder] = {
        name: {
            "takes": specs(signature.structured_input_signature[1]),
            "gives": specs(signature.structured_outputs),
            "together": call(name, signature, texts),
            "nothing": call(name, signature, []),
            "alone": [
                call(name, signature, [text])
                for text in texts
                if name == "serving_default"
            ],
        }
        for name, signature in loaded.signatures.items()
    }
print(json.dumps(answers))
"""


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def decoded(strings):
    """Nested lists of what `tf.io.encode_base64` made, as text."""
    if isinstance(strings, list):
        return [decoded(part) for part in strings]
    padding = "=" * (-len(strings) % 4)
    return base64.urlsafe_b64decode(strings + padding).decode()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """What each translator finds, and what a client got from its SavedModel."""
    folder = tmp_path_factory.mktemp("exports")
    (folder / "texts.json").write_text(
        json.dumps([base64.b64encode(as_bytes(text)).decode() for text in TEXTS])
    )
    found, paths = {}, {export: str(folder / "-".join(export)) for export in EXPORTS}
    for export, path in paths.items():
        translate = make_translator(*export)
        translate.export(path)
        found[export] = translate.hypotheses(TEXTS), translate.score(TEXTS, TEXTS[::-1])
        assert translate(TEXTS) == [best.text for best, *_ in found[export][0]]
    printed = run_in_fresh_process(CLIENT, folder / "texts.json", *paths.values())
    answers = json.loads(printed.splitlines()[-1])
    return {export: (found[export], answers[paths[export]]) for export in EXPORTS}


exports = pytest.mark.parametrize("export", EXPORTS, ids="-".join)


@exports
def test_signatures_are_those_promised(served, export):
    _, answers = served[export]
    names = {"serving_default", "nbest", "score"}
    count = 3 if export[0] == "beam" else 1
    if export[0] != "without attention":
        names.add("attend")
    assert set(answers) == names
    gives = {
        "serving_default": {
            "translation": ["string", [None]],
            "score": ["float32", [None]],
        },
        "nbest": {
            "translation": ["string", [None, count]],
            "score": ["float32", [None, count]],
        },
        "score": {"log_probability": ["float32", [None]], "length": ["int32", [None]]},
        "attend": {
            "translation": ["string", [None]],
            "source_tokens": ["string", [None, None]],
            "target_tokens": ["string", [None, None]],
            "attention": ["float32", [None, None, None]],
        },
    }
    for name in names:
        takes = ["text", "reference"] if name == "score" else ["text"]
        assert answers[name]["takes"] == {key: ["string", [None]] for key in takes}
        assert answers[name]["gives"] == gives[name]


@exports
def test_strings_and_scores_are_those_of_the_translator(served, export):
    (expected, _), answers = served[export]
    found = answers["serving_default"]["together"]
    assert decoded(found["translation"]) == [best.text for best, *_ in expected]
    scores = [best.score for best, *_ in expected]
    np.testing.assert_allclose(found["score"], scores, atol=1e-4)
    assert len(set(found["translation"])) > 1


@exports
def test_the_best_are_those_of_the_translator(served, export):
    (expected, _), answers = served[export]
    found = answers["nbest"]["together"]
    texts = [[one.text for one in row] for row in expected]
    assert decoded(found["translation"]) == texts
    scores = [[one.score for one in row] for row in expected]
    np.testing.assert_allclose(found["score"], scores, atol=1e-4)
    assert {len(row) for row in texts} == {3 if export[0] == "beam" else 1}


@exports
def test_references_are_scored_as_by_the_translator(served, export):
    (_, expected), answers = served[export]
    found = answers["score"]["together"]
    scores = [score.log_probability for score in expected]
    np.testing.assert_allclose(found["log_probability"], scores, rtol=1e-4)
    assert found["length"] == [len(score.tokens) for score in expected]


@exports
def test_no_row_changes_another(served, export):
    _, answers = served[export]
    together = answers["serving_default"]["together"]
    for row, alone in enumerate(answers["serving_default"]["alone"]):
        assert alone["translation"] == [together["translation"][row]]
        assert alone["score"] == pytest.approx([together["score"][row]], abs=1e-4)


@exports
def test_empty_text_is_translated_to_empty_text(served, export):
    _, answers = served[export]
    found = answers["serving_default"]["together"]
    row = TEXTS.index("")
    assert (found["translation"][row], found["score"][row]) == ("", 0)


@exports
def test_an_empty_batch_gives_an_empty_batch(served, export):
    _, answers = served[export]
    for answer in answers.values():
        assert all(len(part) == 0 for part in answer["nothing"].values())


@pytest.mark.parametrize(
    "export", [e for e in EXPORTS if e[0] != "without attention"], ids="-".join
)
def test_attend_shows_what_the_hypotheses_show(served, export):
    (hypotheses, _), answers = served[export]
    expected = [best for best, *_ in hypotheses]
    found = answers["attend"]["together"]
    assert decoded(found["translation"]) == [best.text for best in expected]
    source_tokens, target_tokens = (
        decoded(found[name]) for name in ("source_tokens", "target_tokens")
    )
    attention = np.array(found["attention"])
    assert attention.shape == (len(TEXTS), len(target_tokens[0]), len(source_tokens[0]))
    longest = 0
    for row, best in enumerate(expected):
        rows, columns = best.attention.shape
        longest = max(longest, rows)
        assert source_tokens[row][:columns] == best.source_tokens
        assert target_tokens[row][:rows] == best.target_tokens
        assert set(source_tokens[row][columns:] + target_tokens[row][rows:]) <= {""}
        padded = np.zeros(attention.shape[1:])
        padded[:rows, :columns] = best.attention
        np.testing.assert_allclose(attention[row], padded, atol=1e-5)
    assert len(target_tokens[0]) == longest <= MAX_LENGTH


def test_a_loaded_translator_exports_too(tmp_path):
    # Its tokenizers, one when saved, are two of the same content now.
    translate = make_translator("recurrent", "one shared sentencepiece model")
    translate.save(tmp_path / "saved")
    Translator.load(tmp_path / "saved").export(tmp_path / "exported")
    serve = tf.saved_model.load(tmp_path / "exported").signatures["serving_default"]
    found = serve(text=tf.constant(ENGLISH))["translation"].numpy()
    assert [text.decode() for text in found] == translate(list(ENGLISH))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A small SavedModel that tests copy before they try to replace it."""
    path = tmp_path_factory.mktemp("exported") / "model"
    export_saved_model(path, {"double": double}, [])
    return path


@tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="value")])
def double(value):
    return {"doubled": 2 * value}


@tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="value")])
def triple(value):
    return {"tripled": 3 * value}


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_resources_go_along(tmp_path):
    factor = tf.Variable([3.0])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="value")])
    def scale(value):
        return {"scaled": factor * value}

    export_saved_model(tmp_path / "a" / "b", {"scale": scale}, [[factor]])
    factor.assign([5.0])
    signature = tf.saved_model.load(tmp_path / "a" / "b").signatures["scale"]
    assert signature(value=tf.constant([7.0]))["scaled"].numpy().tolist() == [21.0]


def test_a_saved_model_is_replaced_only_when_asked(exported, tmp_path):
    path = shutil.copytree(exported, tmp_path / "model")
    before = contents(path)
    with pytest.raises(FileExistsError, match=r"`overwrite=True`.*model'"):
        export_saved_model(path, {"triple": triple}, [])
    assert contents(path) == before
    export_saved_model(path, {"triple": triple}, [], overwrite=True)
    assert set(tf.saved_model.load(path).signatures) == {"triple"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_other_folders_are_never_replaced(tmp_path, overwrite):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match=r"no saved_model\.pb in it"):
        export_saved_model(tmp_path, {"double": double}, [], overwrite)
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


@pytest.mark.parametrize("exists", [False, True])
def test_a_failed_export_changes_nothing(exported, tmp_path, monkeypatch, exists):
    if exists:
        shutil.copytree(exported, tmp_path / "model")
    before = contents(tmp_path)

    def fail(module, folder, signatures):
        with open(f"{folder}/saved_model.pb", "w") as file:
            file.write("half")
        raise OSError("no space")

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(OSError, match="no space"):
        export_saved_model(tmp_path / "model", {"triple": triple}, [], overwrite=True)
    assert contents(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == exists


def test_a_translator_is_no_saved_model_and_the_reverse(tmp_path):
    translate = make_translator("recurrent", "words")
    translate.save(tmp_path / "saved")
    with pytest.raises(FileExistsError, match=r"no saved_model\.pb in it"):
        translate.export(tmp_path / "saved", overwrite=True)
    translate.export(tmp_path / "exported")
    with pytest.raises(FileExistsError, match=r"no translator\.json in it"):
        translate.save(tmp_path / "exported", overwrite=True)
    assert Translator.load(tmp_path / "saved")(TEXTS) == translate(TEXTS)
