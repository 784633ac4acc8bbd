"""Models of CTranslate2 read back: what goes out comes in again."""

import json
import struct

import ctranslate2
import keras
import numpy as np
import pytest

from keras_attention.convert import read_ctranslate2
from keras_attention.convert.ctranslate2_files import read_ctranslate2_files
from keras_attention.decoding import Greedy
from keras_attention.export.ctranslate2_spec import make_spec
from keras_attention.models import transformer
from tests.backends import to_numpy

SIZES = (9, 11)
SOURCE = np.array([[4, 5, 6, 8], [7, 4, 0, 0]], "int32")
TARGET = np.array([[2, 4, 10, 5, 6], [2, 9, 4, 4, 0]], "int32")
MODELS = {
    "pre-norm, sinusoids": {},
    "post-norm, learned": {
        "normalize_first": False,
        "positions": "learned",
        "max_length": 8,
    },
    "rotary, grouped, gated": {
        "positions": "rotary",
        "num_key_value_heads": 1,
        "gated": True,
        "normalization": "rms",
        "activation": "silu",
    },
    "relative": {"positions": "relative", "activation": "gelu"},
    "alibi in windows": {
        "positions": "alibi",
        "attention_options": {"sliding_window": 2},
    },
    "wide heads, first ones as alignment": {
        "key_dim": 5,
        "alignment_heads": [0],
        "activation": "tanh",
    },
}


def _write(folder, quantization=None, **options):
    keras.utils.set_random_seed(2)
    model = transformer(
        *SIZES,
        num_layers=2,
        num_heads=2,
        embedding_dim=8,
        intermediate_dim=12,
        **options,
    )
    random = np.random.default_rng(1)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(weight + random.normal(size=weight.shape, scale=0.3))
    spec = make_spec(model, 8)
    for register, size in (
        (spec.register_source_vocabulary, SIZES[0]),
        (spec.register_target_vocabulary, SIZES[1]),
    ):
        register(["<blank>", "<unk>", "<s>", "</s>", *map(str, range(4, size))])
    spec.config.add_source_eos = True
    spec.validate()
    spec.optimize(quantization)
    spec.save(str(folder))
    return model


def _differ(model, other):
    inputs = {"source": SOURCE, "target": TARGET}
    ours, theirs = (to_numpy(one(inputs)) for one in (model, other))
    # Padding and the start are never written.
    written = np.array([1, *range(3, SIZES[1])])
    return np.abs(ours - theirs)[TARGET > 0][:, written].max()


@pytest.mark.parametrize("options", MODELS)
def test_what_was_written_is_read(options, tmp_path):
    model = _write(tmp_path, **MODELS[options])
    found = read_ctranslate2(tmp_path)
    assert _differ(model, found.model) < 1e-5
    assert found.source == ["<blank>", "<unk>", "<s>", "</s>", *map(str, range(4, 9))]
    assert found.reads_end
    assert (found.model.start_id, found.model.end_id) == (2, 3)
    heads = MODELS[options].get("alignment_heads", [0, 1])
    assert found.model.decoder.alignment_heads == heads


@pytest.mark.parametrize(
    ("quantization", "most"),
    [("int8", 0.5), ("int16", 0.05), ("float16", 0.05)],
)
def test_what_is_quantized_is_read_as_float32(quantization, most, tmp_path):
    model = _write(tmp_path, quantization)
    assert 0 < _differ(model, read_ctranslate2(tmp_path).model) < most


def test_it_writes_what_ctranslate2_writes(tmp_path):
    _write(tmp_path, positions="relative")
    found = read_ctranslate2(tmp_path)
    ids = np.concatenate([SOURCE, np.full((2, 1), 3)], axis=1)
    written = Greedy(9)(found.model, np.where(ids, ids, 0)).ids[:, 0]
    rows = [[found.source[i] for i in row if i not in (0, 3)] for row in SOURCE]
    theirs = ctranslate2.Translator(str(tmp_path)).translate_batch(
        rows[:1], beam_size=1, max_decoding_length=9
    )
    tokens = [found.target[i] for i in written[0] if i not in (0, 3)]
    assert tokens == theirs[0].hypotheses[0]


def test_files_of_version_2_have_sizes_in_place_of_types(tmp_path):
    _write(tmp_path)
    files = read_ctranslate2_files(tmp_path)
    data = struct.pack("<I", 2) + _text("TransformerSpec") + struct.pack("<I", 1)
    # Of four bytes were numbers with a point alone.
    variables = {
        name: array for name, array in files.variables.items() if array.dtype != "i4"
    }
    data += struct.pack("<I", len(variables))
    for name, array in variables.items():
        data += _text(name) + struct.pack("<B", array.ndim)
        data += struct.pack(f"<{array.ndim}I", *array.shape)
        data += struct.pack("<BI", array.itemsize, array.size) + array.tobytes()
    expected = read_ctranslate2(tmp_path)
    (tmp_path / "model.bin").write_bytes(data)
    for side, tokens in (("source", files.source), ("target", files.target)):
        (tmp_path / f"{side}_vocabulary.json").unlink()
        text = "".join(f"{token}\n" for token in tokens if token != "<unk>")
        (tmp_path / f"{side}_vocabulary.txt").write_text(text, "utf-8")
    again = read_ctranslate2(tmp_path)
    assert _differ(expected.model, again.model) == 0
    # CTranslate2 adds what it needs and does not find.
    assert again.source == [*(t for t in files.source if t != "<unk>"), "<unk>"]


def _text(string):
    return struct.pack("<H", len(string) + 1) + string.encode() + b"\0"


@pytest.mark.parametrize("name", ["model.bin", "config.json", "source_vocabulary.json"])
def test_damaged_files_are_named(name, tmp_path):
    _write(tmp_path)
    whole = (tmp_path / name).read_bytes()
    for part in (whole[: len(whole) // 2], b"", b"[1", b"\xff" * 99):
        (tmp_path / name).write_bytes(part)
        with pytest.raises(ValueError, match=name.replace(".", r"\.")):
            read_ctranslate2(tmp_path)
    (tmp_path / name).unlink()
    if name != "config.json":  # of older folders there is none
        with pytest.raises(FileNotFoundError, match=name.partition("_")[0]):
            read_ctranslate2(tmp_path)


def test_what_we_lack_is_named(tmp_path):
    _write(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["add_source_eos"]
    data = (tmp_path / "model.bin").read_bytes()
    for old, new, message in (
        (b"TransformerSpec", b"WhisperSpecXXXX", "is a WhisperSpecXXXX, and only"),
        (b"ffn/linear_1/bias", b"ffn/linear_7/bias", "ffn/linear_7/bias'"),
        (
            b"attention/linear_2/weight",
            b"attention/linear_9/weight",
            "lacks the weight",
        ),
    ):
        (tmp_path / "model.bin").write_bytes(data.replace(old, new))
        with pytest.raises(ValueError, match=message):
            read_ctranslate2(tmp_path)
