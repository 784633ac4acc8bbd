"""Graphs from ids to ids, run by other libraries alone, translate as here."""

import importlib.util
import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_attention.decoding import BeamSearch, Greedy, Sampling
from tests.backends import BACKEND

if BACKEND != "tensorflow":
    pytest.skip("graphs are TensorFlow's", allow_module_level=True)
from keras_attention import Translator, layers, models
from keras_attention.models import Ensemble, language_model, transformer
from tests.translators import ENGLISH, KOREAN, TOKENIZERS, make_translator

TEXTS = ["", *ENGLISH, "you \u0905 <s>", "one " * 30]
PACKAGES = {"onnx": "tf2onnx", "litert": "ai_edge_litert"}
SEARCHES = {
    "greedy": lambda: Greedy(9),
    "greedy, limited": lambda: Greedy(
        9, min_length=2, no_repeat_ngram_size=2, suppressed_ids=[1]
    ),
    "beams": lambda: BeamSearch(3, 9),
    "beams, coverage": lambda: BeamSearch(3, 9, coverage_penalty=0.2),
    "beams as Hugging Face's": lambda: BeamSearch(
        3, 9, normalization="length", finished="replace"
    ),
}
TRANSFORMERS = {
    "sinusoidal": {},
    "learned": {"positions": "learned", "max_length": 24},
    "rotary": {"positions": "rotary", "normalization": "rms", "gated": True},
    "alibi": {"positions": "alibi", "num_key_value_heads": 1},
    "relative": {"positions": "relative", "normalize_first": False},
    "window": {"positions": None, "attention_options": {"sliding_window": 3}},
    "soft cap": {"attention_options": {"soft_cap": 5.0, "query_key_norm": True}},
}
ARCHITECTURES = ["recurrent", "without attention", *TRANSFORMERS]


def _skip_without(format):
    if not importlib.util.find_spec(PACKAGES[format]):
        pytest.skip("needs the extra formats")


def _translator(architecture, search, kind="two sentencepiece models"):
    if architecture not in TRANSFORMERS:
        return make_translator(architecture, kind, search)
    source, target = TOKENIZERS[kind]()
    own = make_translator("transformer", kind, search)
    model = transformer(
        source.vocabulary_size,
        target.vocabulary_size,
        num_layers=2,
        num_heads=2,
        embedding_dim=8,
        intermediate_dim=16,
        **TRANSFORMERS[architecture],
    )
    random = np.random.default_rng(4)
    model.set_weights([w + random.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return Translator(model, own.source_tokenizer, own.target_tokenizer, search, 17)


def _run_script(folder, texts):
    """What `translate.py` prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-P", str(folder / "translate.py")],
        input="".join(text.replace("\n", " ") + "\n" for text in texts),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout.split("\n")[:-1]


@pytest.mark.formats
@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("format", PACKAGES)
def test_strings_are_those_of_here(tmp_path, format, architecture, search):
    _skip_without(format)
    if format == "litert" and "greedy" not in search:
        pytest.skip("LiteRT searches greedily")
    translate = _translator(architecture, SEARCHES[search]())
    translate.export(tmp_path / "out", format=format, check=TEXTS)
    assert _run_script(tmp_path / "out", TEXTS) == translate(TEXTS)


@pytest.mark.formats
@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
@pytest.mark.parametrize("architecture", ["rotary", "recurrent"])
@pytest.mark.parametrize("format", PACKAGES)
def test_other_precisions_are_written_in_float32(
    tmp_path, format, architecture, policy
):
    _skip_without(format)
    translate = _translator(architecture, Greedy(9)).with_precision(policy)
    translate.export(tmp_path / "out", format=format, check=TEXTS)
    in_float32 = translate.with_precision("float32")
    assert _run_script(tmp_path / "out", TEXTS) == in_float32(TEXTS)


@pytest.mark.formats
@pytest.mark.parametrize("format", PACKAGES)
def test_what_is_made_of_other_parts_is_written_too(tmp_path, format):
    _skip_without(format)
    one = make_translator("transformer", "words", Greedy(9))
    tokenizers = one.source_tokenizer, one.target_tokenizer
    both = Translator(Ensemble([one.model, one.model]), *tokenizers, Greedy(9))
    both.export(tmp_path / "both", format=format, check=TEXTS)
    assert not (tmp_path / "both" / "translate.py").exists()
    letters = one.target_tokenizer
    speaker = language_model(
        letters.vocabulary_size, num_layers=1, num_heads=2, embedding_dim=8
    )
    speaking = Translator(speaker, letters, letters, Greedy(9))
    if format == "litert":
        with pytest.raises(ValueError, match="holds no language models"):
            speaking.export(tmp_path / "speaker", format=format)
    else:
        speaking.export(tmp_path / "speaker", format=format, check=list(KOREAN))
    ears = models.Seq2Seq(
        keras.layers.Dense(8),
        models.EncoderStack([layers.TransformerEncoder(16, 2)]),
        models.DecoderStack([layers.TransformerDecoder(16, 2)]),
        layers.PositionalEmbedding(letters.vocabulary_size, 8),
        source_dim=5,
    )
    listener = Translator(ears, None, letters, Greedy(9))
    listener.export(tmp_path / "listener", format=format)


def test_what_they_lack_is_refused_before_a_file_is_written(tmp_path, monkeypatch):
    translate = make_translator("transformer", "words", Sampling(9))
    if importlib.util.find_spec("tf2onnx"):
        with pytest.raises(ValueError, match="finds the same each time"):
            translate.export(tmp_path / "out", format="onnx")
    for search in (Sampling(9), BeamSearch(2, 9)):
        translate.search = search
        with pytest.raises(ValueError, match="LiteRT searches greedily"):
            translate.export(tmp_path / "out", format="litert")
    with pytest.raises(ValueError, match="`quantization` is for"):
        translate.export(tmp_path / "out", format="onnx", quantization="int8")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(
    importlib.util.find_spec("tf2onnx") is not None, reason="needs its absence"
)
def test_the_extra_is_named(tmp_path):
    with pytest.raises(ImportError, match=r"layers\[formats\]"):
        make_translator().export(tmp_path / "out", format="onnx")


@pytest.mark.formats
def test_other_folders_are_never_replaced(tmp_path):
    _skip_without("litert")
    translate = make_translator("without attention", "words", Greedy(9))
    translate.export(tmp_path / "out", format="litert", check=False)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        translate.export(tmp_path / "out", format="litert")
    translate.export(tmp_path / "out", format="litert", overwrite=True)
    translate.save(tmp_path / "saved")
    with pytest.raises(FileExistsError, match="something else"):
        translate.export(tmp_path / "saved", format="litert", overwrite=True)
    settings = json.loads((tmp_path / "out" / "keras_attention.json").read_text())
    assert settings["target_pieces"][3] == "</s>"
