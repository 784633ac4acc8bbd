"""The SavedModel: what it needs, takes and gives, in a process without the package."""

import base64
import json
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.translation import Hypothesis, Score
from tests.backends import BACKEND, start_fresh_process
from tests.translators import ENGLISH, MAX_LENGTH, make_translator

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
# All architectures and all tokenizers.
EXPORTS = [
    ("transformer", "characters"),
    pytest.param(
        ("compiled beam", "characters and sentencepiece"), marks=pytest.mark.slow
    ),
    ("recurrent", "two sentencepiece models"),
    ("without attention", "one shared sentencepiece model"),
    pytest.param(("attending in turn", "words"), marks=pytest.mark.slow),
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

def call(name, loaded, texts, **options):
    texts = tf.constant(texts, tf.string)
    if name == "search":
        found = loaded.translate(texts, **options)
    elif name == "score":
        found = loaded.signatures[name](text=texts, reference=texts[::-1])
    else:
        found = loaded.signatures[name](text=texts)
    return {name: plain(part) for name, part in found.items()}

def specs(structure):
    return {
        name: [spec.dtype.name, spec.shape.as_list()]
        for name, spec in structure.items()
    }

texts = [base64.b64decode(text) for text in json.loads(sys.argv[1])]
asked = json.loads(sys.argv[2])
for folder in sys.stdin:
    loaded = tf.saved_model.load(folder.strip())
    answers = {
        name: {
            "takes": specs(signature.structured_input_signature[1]),
            "gives": specs(signature.structured_outputs),
            "together": call(name, loaded, texts),
            "nothing": call(name, loaded, []),
        }
        for name, signature in loaded.signatures.items()
    }
    answers["serving_default"]["alone"] = [
        call("serving_default", loaded, [text]) for text in texts
    ]
    takes = answers["search"]["takes"]
    options = {name: value for name, value in asked.items() if name in takes}
    answers["search"]["asked"] = call("search", loaded, texts, **options)
    print(json.dumps(answers), flush=True)
"""
# Of the search, what another one than the exported one is asked for.
ASKED = {"max_length": 7, "num_beams": 2, "length_penalty": 1.5}


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def decoded(strings):
    """Nested lists of what `tf.io.encode_base64` made, as text."""
    if isinstance(strings, list):
        return [decoded(part) for part in strings]
    padding = "=" * (-len(strings) % 4)
    return base64.urlsafe_b64decode(strings + padding).decode()


class Served(NamedTuple):
    """What was exported, what its translator finds, and what a client was answered."""

    export: tuple[str, str]
    hypotheses: list[list[Hypothesis]]
    scores: list[Score]
    answers: dict[str, Any]


@pytest.fixture(scope="module")
def ask():
    """A function of a SavedModel's folder, to what a client of its own gets there."""
    texts = json.dumps([base64.b64encode(as_bytes(text)).decode() for text in TEXTS])
    with start_fresh_process(CLIENT, texts, json.dumps(ASKED)) as process:

        def answer(folder):
            process.stdin.write(f"{folder}\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield answer
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.fixture(scope="module", params=EXPORTS, ids="-".join)
def served(request, ask, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports") / "model"
    translate = make_translator(*request.param)
    translate.export(folder, check=False)
    hypotheses = translate.hypotheses(TEXTS)
    assert translate(TEXTS) == [best.text for best, *_ in hypotheses]
    scores = translate.score(TEXTS, TEXTS[::-1])
    return Served(request.param, hypotheses, scores, ask(folder))


def test_signatures_are_those_promised(served):
    answers, export = served.answers, served.export
    names = {"serving_default", "nbest", "score", "search"}
    count = 3 if "beam" in export[0] else 1
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
    gives["search"] = {**gives["nbest"], "length": ["int32", [None, count]]}
    texts = {"text": ["string", [None]]}
    options = {"max_length": ["int32", []]}
    if count == 3:
        options |= {name: ["int32", []] for name in ("num_beams", "num_hypotheses")}
        options["length_penalty"] = ["float32", []]
    takes = dict.fromkeys(names, texts)
    takes["score"] = {**texts, "reference": ["string", [None]]}
    takes["search"] = {**texts, **options}
    for name in names:
        assert answers[name]["takes"] == takes[name]
        assert answers[name]["gives"] == gives[name]


def assert_best(found, expected):
    """Each row is of these hypotheses; where there are fewer, the last are empty."""
    answered = zip(decoded(found["translation"]), found["score"], expected, strict=True)
    for translations, scores, best in answered:
        empty = len(translations) - len(best)
        assert translations == [one.text for one in best] + [""] * empty
        expected_scores = [one.score for one in best] + [-np.inf] * empty
        np.testing.assert_allclose(scores, expected_scores, atol=1e-4)


def test_a_search_may_be_asked_for_something_else(served):
    answers, export = served.answers, served.export
    found = answers["search"]
    for name, part in answers["nbest"]["together"].items():
        assert found["together"][name] == part
    architecture, kind = export
    if "beam" in architecture:
        search = BeamSearch(2, ASKED["max_length"], ASKED["length_penalty"])
    else:
        search = Greedy(ASKED["max_length"])
    expected = make_translator(architecture, kind, search=search).hypotheses(TEXTS)
    assert_best(found["asked"], expected)
    for lengths, best in zip(found["asked"]["length"], expected, strict=True):
        assert lengths[: len(best)] == [len(one.target_tokens) for one in best]


def test_strings_and_scores_are_those_of_the_translator(served):
    expected, answers = served.hypotheses, served.answers
    found = answers["serving_default"]["together"]
    assert decoded(found["translation"]) == [best.text for best, *_ in expected]
    scores = [best.score for best, *_ in expected]
    np.testing.assert_allclose(found["score"], scores, atol=1e-4)
    assert len(set(found["translation"])) > 1


def test_the_best_are_those_of_the_translator(served):
    expected, answers = served.hypotheses, served.answers
    count = 3 if "beam" in served.export[0] else 1
    assert {len(row) for row in expected} <= {1, count}  # an empty text has one
    assert np.shape(answers["nbest"]["together"]["score"]) == (len(TEXTS), count)
    assert_best(answers["nbest"]["together"], expected)


def test_references_are_scored_as_by_the_translator(served):
    expected, answers = served.scores, served.answers
    found = answers["score"]["together"]
    scores = [score.log_probability for score in expected]
    np.testing.assert_allclose(found["log_probability"], scores, rtol=1e-4)
    assert found["length"] == [len(score.tokens) for score in expected]


def test_no_row_changes_another(served):
    answers = served.answers
    together = answers["serving_default"]["together"]
    for row, alone in enumerate(answers["serving_default"]["alone"]):
        assert alone["translation"] == [together["translation"][row]]
        assert alone["score"] == pytest.approx([together["score"][row]], abs=1e-4)


def test_empty_text_is_translated_to_empty_text(served):
    answers = served.answers
    found = answers["serving_default"]["together"]
    row = TEXTS.index("")
    assert (found["translation"][row], found["score"][row]) == ("", 0)


def test_an_empty_batch_gives_an_empty_batch(served):
    answers = served.answers
    for answer in answers.values():
        assert all(len(part) == 0 for part in answer["nothing"].values())


def test_attend_shows_what_the_hypotheses_show(served):
    hypotheses, answers = served.hypotheses, served.answers
    if "attend" not in answers:
        pytest.skip("it has no attention")
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


@pytest.mark.slow
def test_a_loaded_translator_exports_too(tmp_path):
    # Its tokenizers, one when saved, are two of the same content now.
    translate = make_translator("recurrent", "one shared sentencepiece model")
    translate.save(tmp_path / "saved")
    Translator.load(tmp_path / "saved").export(tmp_path / "exported", check=False)
    serve = tf.saved_model.load(tmp_path / "exported").signatures["serving_default"]
    found = serve(text=tf.constant(ENGLISH))["translation"].numpy()
    assert [text.decode() for text in found] == translate(list(ENGLISH))


@pytest.mark.slow
def test_one_text_gives_what_it_gives_in_a_row(tmp_path):
    translate = make_translator("beam", "words")
    translate.export(tmp_path / "model", check=False)
    loaded = tf.saved_model.load(tmp_path / "model")
    together = loaded.translate(list(ENGLISH), num_beams=2)
    for row, text in enumerate(ENGLISH):
        alone = loaded.translate(text, num_beams=2)
        for name, part in alone.items():
            assert part.shape == together[name].shape[1:]
        assert alone["translation"].numpy().tolist() == (
            together["translation"][row].numpy().tolist()
        )
    squared = loaded.translate(tf.reshape(tf.constant(ENGLISH), [2, 2]), num_beams=2)
    for name, part in squared.items():
        assert part.shape == (2, 2, *together[name].shape[1:])
    for signature in loaded.signatures.values():
        with pytest.raises((TypeError, tf.errors.InvalidArgumentError), match="text"):
            signature(text="one")
