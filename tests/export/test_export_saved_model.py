"""Functions as a SavedModel: what goes along, what is replaced, what fails."""

import shutil

import pytest

from tests.backends import BACKEND

if BACKEND != "tensorflow":
    pytest.skip("SavedModels are TensorFlow's", allow_module_level=True)

import tensorflow as tf

from keras_attention.export import export_saved_model, translate_in_fresh_process


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


@pytest.mark.slow
def test_what_does_not_load_says_so(exported):
    with pytest.raises(
        RuntimeError, match="(?s)does not work in a fresh process.*KeyErr"
    ):
        translate_in_fresh_process(exported, ["one"])


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
