"""A Translator on disk: what is saved comes back, and damage is named."""

import json
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_attention import Translator, text
from keras_attention.decoding import Greedy
from keras_attention.models import Ensemble
from keras_attention.saved_folders import write_manifest
from keras_attention.translation.folder import (
    FORMAT,
    MARKER,
    MODEL,
    SOURCE,
    TARGET,
    VERSION,
)
from tests.backends import BACKEND, run_in_fresh_process, to_numpy
from tests.translators import ENGLISH, make_translator, translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="a Translator runs on TensorFlow only"
)
TEXTS = [*ENGLISH, "", "you\0", "둘리", "one " * 97]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A saved Translator that tests copy before they harm it."""
    path = tmp_path_factory.mktemp("saved") / "translator"
    translator("recurrent").save(path)
    return path


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "translator")


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_a_fresh_process_gives_the_same_strings(tmp_path):
    translators = [
        translator("recurrent"),
        make_translator("transformer", "two sentencepiece models"),
        make_translator("without attention", "words"),
    ]
    for index, translate in enumerate(translators):
        translate.save(tmp_path / str(index))
    script = """
import json, sys
from keras_attention import Translator
texts = json.loads(sys.argv[1])
print(json.dumps([Translator.load(folder)(texts) for folder in sys.argv[2:]]))
"""
    folders = [tmp_path / str(index) for index in range(len(translators))]
    found = run_in_fresh_process(script, json.dumps(TEXTS), *folders)
    expected = [translate(TEXTS) for translate in translators]
    assert json.loads(found.splitlines()[-1]) == expected


def test_the_settings_come_back(tmp_path):
    shared = translator("recurrent")
    parts = shared.model, shared.source_tokenizer, shared.target_tokenizer
    Translator(*parts, Greedy(3, jit_compile=True), 7, 2).save(tmp_path / "saved")
    loaded = Translator.load(str(tmp_path / "saved"))
    assert loaded.search.get_config() == Greedy(3, jit_compile=True).get_config()
    assert (loaded.max_source_length, loaded.batch_size) == (7, 2)
    assert type(loaded.source_tokenizer) is type(shared.source_tokenizer)


def test_what_is_loaded_can_be_saved_again(folder):
    Translator.load(folder).save(folder, overwrite=True)
    assert Translator.load(folder)(TEXTS) == translator("recurrent")(TEXTS)


@pytest.mark.parametrize("name", [MARKER, MODEL, SOURCE, TARGET])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"no {name} in it.*translator'"):
        Translator.load(folder)


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"no {MARKER} in it.*absent'"):
        Translator.load(tmp_path / "absent")


@pytest.mark.parametrize("name", [MARKER, MODEL, SOURCE, TARGET])
@pytest.mark.parametrize("kept", [0, 1, 0.5, -1])
def test_a_truncated_file_is_named(folder, name, kept):
    data = (folder / name).read_bytes()
    end = int(len(data) * kept) if kept == 0.5 else kept
    (folder / name).write_bytes(data[:end])
    with pytest.raises(ValueError, match=f"{name}' .*truncated"):
        Translator.load(folder)


@pytest.mark.parametrize("name", [MODEL, SOURCE, TARGET])
@pytest.mark.parametrize("share", [0, 0.3, 0.7, 1])
def test_an_altered_byte_is_named(folder, name, share):
    data = bytearray((folder / name).read_bytes())
    data[round(share * (len(data) - 1))] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(ValueError, match=f"{name}' .*altered"):
        Translator.load(folder)


@pytest.mark.parametrize(
    ("key", "value"), [("batch_size", 6), ("search", {}), ("files", {}), ("more", 1)]
)
def test_altered_settings_are_named(folder, key, value):
    settings = json.loads((folder / MARKER).read_text())
    (folder / MARKER).write_text(json.dumps({**settings, key: value}))
    with pytest.raises(ValueError, match=f"{MARKER}' was altered"):
        Translator.load(folder)


def test_files_of_another_folder_are_named(folder, tmp_path):
    make_translator("recurrent", "words").save(tmp_path / "other")
    for name in (MODEL, SOURCE, TARGET):
        mixed = shutil.copytree(folder, tmp_path / f"mixed {name}")
        shutil.copy(tmp_path / "other" / name, mixed)
        with pytest.raises(ValueError, match=f"{name}' is .*of another folder"):
            Translator.load(mixed)
    (folder / MARKER).write_text('{"format": "something else"}')
    with pytest.raises(ValueError, match=f"{MARKER}' does not describe a"):
        Translator.load(folder)


def forge(folder, **changes):
    """Make checksums fit again, as one who means harm would."""
    settings = json.loads((folder / MARKER).read_text())
    (folder / MARKER).unlink()
    for key in ("format", "version", "files", "sha256"):
        del settings[key]
    write_manifest(folder, MARKER, FORMAT, VERSION, {**settings, **changes})


def test_code_in_a_model_is_not_run(folder, tmp_path):
    trace = tmp_path / "trace"
    path = str(trace)
    harm = keras.layers.Lambda(lambda x: (open(path, "w").close(), x)[1])
    keras.Sequential([keras.Input((1,)), harm]).save(folder / MODEL)
    trace.unlink()  # Building the model has run the code.
    forge(folder)
    with pytest.raises(ValueError, match=f"{MODEL}' is not a usable Keras model"):
        Translator.load(folder)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [("subprocess", "Popen"), ("builtins", "eval"), ("os", "system")],
)
def test_code_in_the_settings_is_not_run(folder, tmp_path, module, name):
    trace = tmp_path / "trace"
    config = {"args": f"touch {trace}", "shell": True}
    search = {"module": module, "class_name": name, "config": config}
    forge(folder, search={**search, "registered_name": None})
    with pytest.raises(ValueError, match=f"{MARKER}' names an unknown search"):
        Translator.load(folder)
    assert not trace.exists()


def test_other_models_and_searches_are_refused(folder):
    forge(folder, search=keras.saving.serialize_keras_object(keras.layers.Dense(3)))
    with pytest.raises(ValueError, match=r"`search` must be one of `decoding`.*Dense"):
        Translator.load(folder)
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(3)]).save(folder / MODEL)
    forge(folder)
    with pytest.raises(ValueError, match=r"`model` must be a `Seq2Seq`.*Sequential"):
        Translator.load(folder)


@pytest.mark.slow
def test_a_saved_translator_is_replaced_only_when_asked(folder):
    before = contents(folder)
    with pytest.raises(FileExistsError, match=r"`overwrite=True`.*translator'"):
        translator().save(folder)
    assert contents(folder) == before
    translator().save(folder, overwrite=True)
    assert Translator.load(folder)(TEXTS) == translator()(TEXTS)


@pytest.mark.parametrize("overwrite", [False, True])
def test_other_folders_are_never_replaced(tmp_path, overwrite):
    (tmp_path / "thesis.txt").write_text("years of work")
    for write in (translator().save, Translator.check_free):
        with pytest.raises(FileExistsError, match=f"no {MARKER} in it"):
            write(tmp_path, overwrite)
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


@pytest.mark.parametrize("name", [MODEL, SOURCE, TARGET])
@pytest.mark.parametrize("exists", [False, True])
def test_a_failed_save_changes_nothing(folder, monkeypatch, name, exists):
    if not exists:
        shutil.rmtree(folder)
    before = contents(folder.parent)
    translate = translator()
    part = {
        MODEL: translate.model,
        SOURCE: translate.source_tokenizer,
        TARGET: translate.target_tokenizer,
    }[name]

    def fail(path):
        Path(path).write_text("half")
        raise OSError("no space")

    monkeypatch.setattr(part, "save", fail)
    with pytest.raises(OSError, match="no space"):
        translate.save(folder, overwrite=True)
    assert contents(folder.parent) == before
    assert len(list(folder.parent.iterdir())) == exists


@pytest.mark.slow
def test_the_loss_of_the_training_need_not_be_known(tmp_path):
    def own_loss(labels, logits):
        return keras.ops.mean(logits)

    translate = make_translator()
    translate.model.compile("sgd", own_loss)
    translate.save(tmp_path / "saved")
    assert Translator.load(tmp_path / "saved")(TEXTS) == translate(TEXTS)


def test_a_tokenizer_that_could_not_be_loaded_is_not_saved(tmp_path):
    class Own(text.CharacterTokenizer):
        pass

    translate = make_translator("transformer", "characters")
    translate.target_tokenizer = Own.train(list(ENGLISH))
    with pytest.raises(ValueError, match="`target_tokenizer` must be one of"):
        translate.save(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


@pytest.mark.parametrize("architecture", ["transformer", "recurrent"])
@pytest.mark.parametrize("kind", ["float", "int8", "ensemble"])
def test_stored_as_float16_it_takes_half_the_room_and_is_read_as_it_was(
    tmp_path, architecture, kind, frozen_heap
):
    translate = make_translator(architecture)
    if kind == "int8":
        translate.quantize()
    if kind == "ensemble":
        translate.model = Ensemble([translate.model, translate.model])
    translate.save(tmp_path / "whole")
    translate.save(tmp_path / "halves", quantization="float16")
    whole, halves = (Translator.load(tmp_path / name) for name in ("whole", "halves"))
    for ours, theirs in zip(halves.model.weights, whole.model.weights, strict=True):
        assert (ours.path, ours.dtype) == (theirs.path, theirs.dtype)
        expected = to_numpy(theirs)
        if ours.dtype == "float32":
            expected = expected.astype("float16").astype("float32")
        np.testing.assert_array_equal(to_numpy(ours), expected)
    sizes = [weights_size(tmp_path / name) for name in ("whole", "halves")]
    floats = (w for w in whole.model.weights if w.dtype == "float32")
    count = sum(int(np.prod(weight.shape)) for weight in floats)
    assert sizes[0] - sizes[1] == pytest.approx(2 * count, rel=0.02)


def weights_size(folder):
    with zipfile.ZipFile(folder / MODEL) as archive:
        (info,) = (i for i in archive.infolist() if i.filename.endswith(".h5"))
        return info.file_size


def test_what_float16_cannot_hold_is_refused(tmp_path):
    translate = make_translator()
    with pytest.raises(ValueError, match="`quantization` must be one of"):
        translate.save(tmp_path / "saved", quantization="float8")
    bias = translate.model.output_projection.bias
    bias.assign(keras.ops.full(bias.shape, 7e4))
    with pytest.raises(ValueError, match="65504 alone.* as large as 70000"):
        translate.save(tmp_path / "saved", quantization="float16")
    assert not (tmp_path / "saved").exists()


@pytest.mark.slow
def test_with_other_tokenizers_it_begins_with_what_it_knew(tmp_path):
    translate = make_translator("transformer", "words")
    source, target = translate.source_tokenizer, translate.target_tokenizer
    same = translate.with_tokenizers(source, target)
    assert same.model is not translate.model
    assert same(TEXTS) == translate(TEXTS)
    mixed = text.WordTokenizer([*reversed(target.vocabulary)])
    other = translate.with_tokenizers(source, mixed)
    assert other(TEXTS) == translate(TEXTS)
    more = text.WordTokenizer([*source.vocabulary, "seven"])
    assert translate.with_tokenizers(more, target)(TEXTS) == translate(TEXTS)
    other.save(tmp_path / "saved")
    assert Translator.load(tmp_path / "saved")(TEXTS) == translate(TEXTS)
