"""What lies beside the graphs of a SavedModel, and when its folder is written."""

import json
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

import keras_attention
from keras_attention import Translator
from keras_attention.export import write_warm_up
from tests.backends import BACKEND
from tests.translators import ENGLISH, make_translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="a Translator runs on TensorFlow only"
)


@pytest.mark.parametrize("architecture", ["compiled beam", "recurrent"])
def test_it_says_what_it_is(tmp_path, architecture):
    translate = make_translator(architecture, "two sentencepiece models")
    translate.export(tmp_path / "model", check=False)
    said = json.loads((tmp_path / "model/assets.extra/metadata.json").read_text())
    assert said["keras_attention"] == keras_attention.__version__
    assert said["target_vocabulary_size"] == translate.target_tokenizer.vocabulary_size
    assert said["max_source_length"] == 17
    assert "SentencepieceOp" in said["custom_operations"]
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((tmp_path / "model/saved_model.pb").read_bytes())
    signatures = model.meta_graphs[0].signature_def
    assert set(said["signatures"]) == set(signatures) - {"__saved_model_init_op"}
    for name, signature in said["signatures"].items():
        assert signature["help"]
        assert set(signature["inputs"]) == set(signatures[name].inputs)
        assert set(signature["outputs"]) == set(signatures[name].outputs)
        defaults = {
            key: tf.make_ndarray(value).item()
            for key, value in signatures[name].defaults.items()
        }
        known = {
            key: one["default"]
            for key, one in signature["inputs"].items()
            if "default" in one
        }
        assert known == defaults
        assert bool(defaults) == (name == "search")


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["compiled beam", "recurrent"])
def test_requests_to_warm_up_are_answered(tmp_path, architecture):
    translate = make_translator(architecture, "words", batch_size=4)
    translate.export(tmp_path / "model", check=False)
    path = tmp_path / "model/assets.extra/tf_serving_warmup_requests"
    loaded = tf.saved_model.load(tmp_path / "model")
    asked = []
    for record in tf.data.TFRecordDataset(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        name = request.model_spec.signature_name
        inputs = {
            key: tf.constant(tf.make_ndarray(value))
            for key, value in request.inputs.items()
        }
        asked.append((name, len(inputs["text"])))
        if name != "search":
            loaded.signatures[name](**inputs)
    assert {name for name, _ in asked} == set(loaded.signatures)
    # Two batches of four rows, and one of one.
    rows = {1, 8} if "compiled" in architecture else {1}
    assert {count for _, count in asked} == rows


@pytest.mark.slow
def test_without_their_extra_no_requests_are_written(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow_serving.apis")
    monkeypatch.setitem(sys.modules, "tensorflow_serving", None)
    make_translator("recurrent", "words").export(tmp_path / "model", check=False)
    beside = tmp_path / "model/assets.extra"
    assert [path.name for path in beside.iterdir()] == ["metadata.json"]
    with pytest.raises(ImportError, match=r"layers\[tf-serving\]"):
        write_warm_up(tmp_path / "model", [])


@pytest.mark.slow
def test_it_is_tried_in_a_fresh_process(tmp_path, monkeypatch):
    translate = make_translator("recurrent", "words")
    odd = [b"", "you\0", "\ud83d"]  # half a character
    many = np.array([*ENGLISH, *odd] * 50, dtype=object)
    translate.export(tmp_path / "model", check=many)
    monkeypatch.setattr(
        "keras_attention.export.saved_model.translate_in_fresh_process",
        lambda folder, texts: ["else"] * len(texts),
    )
    with pytest.raises(RuntimeError, match="otherwise in a fresh process.*'else'"):
        translate.export(tmp_path / "other")
    assert not (tmp_path / "other").exists()
    with pytest.raises(ValueError, match="`check` must be a list of strings"):
        translate.export(tmp_path / "other", check="one")


@pytest.mark.slow
def test_a_translator_is_no_saved_model_and_the_reverse(tmp_path):
    translate = make_translator("recurrent", "words")
    translate.save(tmp_path / "saved")
    with pytest.raises(FileExistsError, match=r"no saved_model\.pb in it"):
        translate.export(tmp_path / "saved", overwrite=True)
    translate.export(tmp_path / "exported", check=False)
    with pytest.raises(FileExistsError, match=r"no translator\.json in it"):
        translate.save(tmp_path / "exported", overwrite=True)
    assert Translator.load(tmp_path / "saved")(list(ENGLISH)) == translate(
        list(ENGLISH)
    )
