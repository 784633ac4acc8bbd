"""Models of CTranslate2: what they hold, and what is refused before any file is."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.backends import BACKEND

if BACKEND != "tensorflow":
    pytest.skip("an export reads texts by TensorFlow", allow_module_level=True)
import ctranslate2

from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy, Sampling
from keras_attention.export import ctranslate2 as written
from keras_attention.export.ctranslate2_spec import make_spec
from keras_attention.layers import (
    LinearAttention,
    MultiHeadAttention,
    RotaryEmbedding,
    TransformerDecoder,
)
from keras_attention.models import (
    Ensemble,
    language_model,
    rnn_seq2seq,
    transformer,
)
from keras_attention.translation.piece_names import to_names
from tests.translators import ENGLISH, KOREAN, TOKENIZERS, make_translator

SIZES = (17, 13)
WIDTH, HEADS, LONGEST = 16, 4, 24


def _names(size):
    return ["<blank>", "<unk>", "<s>", "</s>", *map(str, range(4, size))]


def _model(**options):
    sizes = (13, 13) if options.get("tie_embeddings") else SIZES
    keras.utils.set_random_seed(3)
    model = transformer(
        *sizes,
        **{
            "num_layers": 2,
            "num_heads": HEADS,
            "embedding_dim": WIDTH,
            "intermediate_dim": 20,
            **options,
        },
    )
    _shake(model)
    return model


def _shake(model):
    """Weights of which none is zero or one."""
    random = np.random.default_rng(5)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(weight + random.normal(size=weight.shape, scale=0.3))


def _log_probs(logits, labels):
    """Of labels, where padding and the start are never written."""
    logits = np.asarray(logits, "float64")
    logits[..., [0, 2]] = -np.inf
    totals = np.log(np.exp(logits).sum(-1))
    return np.take_along_axis(logits, labels[..., None], -1)[..., 0] - totals


def _sequences(size, rows=8):
    """Rows of ids with an end, of any length."""
    random = np.random.default_rng(7)
    ids = np.zeros((rows, LONGEST), "int32")
    for row in ids:
        length = random.integers(1, LONGEST)
        row[:length] = random.integers(4, size, length)
        row[length] = 3
    return ids


def _pieces(ids, size):
    names = _names(size)
    return [[names[index] for index in row if index > 3] for row in ids]


# What a model may be made of.
HELD = {
    "pre-norm, sinusoids": {},
    "post-norm": {"normalize_first": False},
    "learned positions": {"positions": "learned", "max_length": LONGEST},
    "no positions": {"positions": None},
    "rotary": {"positions": "rotary"},
    "relative": {"positions": "relative"},
    "alibi": {"positions": "alibi"},
    "windows": {"positions": None, "attention_options": {"sliding_window": 3}},
    "alibi in windows": {
        "positions": "alibi",
        "attention_options": {"sliding_window": 3},
    },
    "relative in windows": {
        "positions": "relative",
        "attention_options": {"sliding_window": 5},
    },
    "rotary in windows": {
        "positions": "rotary",
        "attention_options": {"sliding_window": 3},
    },
    "grouped, gated, by root mean square": {
        "num_key_value_heads": 2,
        "gated": True,
        "activation": "silu",
        "normalization": "rms",
    },
    "one head of keys": {"num_key_value_heads": 1, "activation": "gelu"},
    "heads of their own width": {"key_dim": 6, "activation": "tanh"},
    "one table": {"tie_embeddings": True},
    "first heads as the alignment": {"alignment_heads": [0, 1], "alignment_layer": 0},
    "chunks": {"attention_options": {"chunk_size": 2}},
    "no biases, turned otherwise": {
        "positions": None,
        "attention": lambda: MultiHeadAttention(
            HEADS, 4, use_bias=False, position=RotaryEmbedding(500, 2.0)
        ),
    },
}


@pytest.mark.parametrize("options", HELD)
def test_probabilities_are_those_of_the_model(options, tmp_path):
    model = _model(**HELD[options])
    sizes = (13, 13) if "tie_embeddings" in HELD[options] else SIZES
    spec = make_spec(model, LONGEST)
    spec.register_source_vocabulary(_names(sizes[0]))
    spec.register_target_vocabulary(_names(sizes[1]))
    spec.config.add_source_eos = True
    spec.validate()
    spec.optimize(None)
    spec.save(str(tmp_path))
    source, labels = (_sequences(size) for size in sizes)
    target = np.pad(labels, [(0, 0), (1, 0)], constant_values=2)[:, :-1]
    target[target == 3] = 0
    logits = model({"source": source, "target": target})
    expected = _log_probs(keras.ops.convert_to_numpy(logits), labels)
    found = ctranslate2.Translator(str(tmp_path)).score_batch(
        _pieces(source, sizes[0]), _pieces(labels, sizes[1])
    )
    for row, one in zip(expected, found, strict=True):
        np.testing.assert_allclose(one.log_probs, row[: len(one.log_probs)], atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"positions": "rotary", "normalization": "rms", "gated": True},
        {"positions": "alibi", "normalize_first": False},
        {"positions": "relative", "num_key_value_heads": 1},
        {"tie_embeddings": True},
    ],
    ids=str,
)
def test_language_models_are_generators(options, tmp_path):
    model = language_model(
        13, embedding_dim=WIDTH, num_heads=HEADS, intermediate_dim=20, **options
    )
    _shake(model)
    spec = make_spec(model, LONGEST)
    spec.register_vocabulary(_names(13))
    spec.validate()
    spec.save(str(tmp_path))
    ids = _sequences(13)
    read = np.pad(ids, [(0, 0), (1, 0)], constant_values=2)[:, :-1]
    read[read == 3] = 0
    expected = _log_probs(keras.ops.convert_to_numpy(model(read)), ids)
    rows = [["<s>", *row] for row in _pieces(ids, 13)]
    found = ctranslate2.Generator(str(tmp_path)).score_batch(rows)
    for row, one in zip(expected, found, strict=True):
        np.testing.assert_allclose(one.log_probs, row[: len(one.log_probs)], atol=1e-4)


class _Sharper(MultiHeadAttention):
    def compute_attention_weights(self, scores, mask):
        return super().compute_attention_weights(2 * scores, mask)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rnn_seq2seq(17, 13, units=4, embedding_dim=4), "only models of"),
        (lambda: Ensemble([_model(), _model()]), "only models of.*Ensemble"),
        (
            lambda: _model(attention_options={"soft_cap": 3.0}),
            "no `soft_cap` of a self_attention. Received: 3.0",
        ),
        (
            lambda: _model(attention_options={"query_key_norm": True}),
            "no `query_key_norm` of a self_attention. Received: True",
        ),
        (lambda: _model(value_dim=3), "only a `value_dim` that is `key_dim`.*: 3"),
        (
            lambda: _model(attention_options={"sliding_window": 3}),
            "beside positions that are added to the embeddings. .*'sinusoidal'",
        ),
        (
            lambda: _model(
                attention=lambda: MultiHeadAttention(
                    HEADS, 4, position=RotaryEmbedding()
                )
            ),
            "no window, no rotation .*'sinusoidal'",
        ),
        (
            lambda: _model(alignment_heads=[1, 2]),
            r"only the first of the heads as `alignment_heads`. Received: \[1, 2\]",
        ),
        (lambda: _model(activation="elu"), "as `activation`. Received: 'elu'"),
        (
            lambda: _model(normalization=keras.layers.UnitNormalization()),
            "only 'layer' and 'rms' as `normalization`",
        ),
        (
            lambda: _model(attention=lambda: _Sharper(HEADS, 4)),
            "only a `MultiHeadAttention` as `self_attention`",
        ),
        (
            lambda: _model(cross_attention=lambda: LinearAttention(HEADS, 4)),
            "only a `MultiHeadAttention` as `cross_attention`",
        ),
        (
            lambda: _model(feed_forward=lambda: keras.layers.Dense(WIDTH)),
            "only a `FeedForward` as `feed_forward`",
        ),
        (
            lambda: _model(block=lambda: _Block(20, HEADS)),
            "only blocks that are a TransformerDecoder",
        ),
        (
            lambda: _model(
                attention=lambda: MultiHeadAttention(HEADS, 4, use_gate=True)
            ),
            "no `use_gate` of a self_attention",
        ),
    ],
)
def test_what_it_lacks_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=f"CTranslate2 holds .*{message}"):
        make_spec(make(), LONGEST)


class _Block(TransformerDecoder):
    pass


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_strings_are_those_of_the_translator(kind, tmp_path):
    translate = make_translator("transformer", kind)
    texts = [*ENGLISH, "", "name name", "\u4f60 one"]
    expected = translate(texts)
    translate.export(tmp_path / "model", format="ctranslate2", check=texts)
    assert Translator.load(tmp_path / "model", engine="ctranslate2")(texts) == expected
    has_script = (tmp_path / "model" / "translate.py").exists()
    assert has_script == ("sentencepiece model" in kind)
    if not has_script:
        return
    printed = subprocess.run(
        [sys.executable, "-I", tmp_path / "model" / "translate.py"],
        input="\n".join(texts[:4]).encode(),
        capture_output=True,
        check=True,
        env={"LC_ALL": "C"},
    )
    assert printed.stdout.decode().split("\n")[:-1] == expected[:4]


@pytest.mark.parametrize("quantization", ["int8", "float16", "int16"])
def test_weights_are_quantized(quantization, tmp_path):
    translate = make_translator("transformer", "two sentencepiece models")
    for name in (None, quantization):
        translate.export(tmp_path / str(name), format="ctranslate2", quantization=name)
    sizes = [
        (tmp_path / str(name) / "model.bin").stat().st_size
        for name in (quantization, None)
    ]
    assert sizes[0] < 0.9 * sizes[1]


def test_a_language_model_is_exported(tmp_path):
    letters = TOKENIZERS["characters"]()[0]
    model = language_model(
        letters.vocabulary_size, embedding_dim=8, num_heads=2, intermediate_dim=8
    )
    writer = Translator(model, letters, letters, Greedy(9))
    writer.export(tmp_path / "model", format="ctranslate2")
    with pytest.raises(ValueError, match=r"language model.*ctranslate2\.Generator"):
        Translator.load(tmp_path / "model", engine="ctranslate2")


@pytest.mark.slow
def test_quantized_and_adapted_kernels_go_as_they_are(tmp_path):
    translate = make_translator("transformer")
    dense = translate.model.encoder.blocks[0].sublayers()["feed_forward"][0]
    dense.hidden_dense.enable_lora(2)
    dense.hidden_dense.lora_kernel_b.assign(np.ones((2, 16)))
    translate.export(tmp_path / "adapted", format="ctranslate2")
    translate = make_translator("transformer")
    translate.quantize()
    weight = make_spec(translate.model, 20).encoder.layer[0].ffn.linear_0.weight
    whole = make_translator("transformer").model.encoder.blocks[0]
    kernel = whole.sublayers()["feed_forward"][0].hidden_dense.kernel
    np.testing.assert_allclose(weight, np.transpose(kernel), atol=0.03)


def test_names_of_ids_differ():
    for kind in TOKENIZERS:
        for tokenizer in TOKENIZERS[kind]():
            size = tokenizer.vocabulary_size
            names = to_names(tokenizer, size + 2, "<blank>")
            assert len({*names}) == size + 2
            assert names[:4] == ["<blank>", "<unk>", "<s>", "</s>"]


def test_what_computes_otherwise_is_not_written(tmp_path, monkeypatch):
    translate = make_translator("transformer")

    def spoilt(*arguments):
        spec = make_spec(*arguments)
        spec.decoder.layer[0].ffn.linear_1.bias = np.arange(8, dtype="float32")
        return spec

    monkeypatch.setattr(written, "make_spec", spoilt)
    with pytest.raises(RuntimeError, match="CTranslate2 computes otherwise in a fresh"):
        translate.export(tmp_path / "model", format="ctranslate2")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "tensorrt"}, "`format` must be one of .* format='tensorrt'"),
        ({"quantization": "int8"}, "`quantization` is for .*quantization='int8'"),
        (
            {"format": "ctranslate2", "quantization": "int4"},
            "`quantization` must be one of .* quantization='int4'",
        ),
        ({"format": "ctranslate2", "check": "one"}, "`check` must be a list of str"),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        make_translator().export(tmp_path / "model", **options)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("search", "message"),
    [
        (BeamSearch(4, 9, coverage_penalty=0.1), "lacks the coverage_penalty"),
        (BeamSearch(4, 9, num_groups=2), "lacks the num_groups of a BeamSearch"),
        (Greedy(9, repetition_penalty=1.1), "lacks the repetition_penalty of a Greedy"),
        (Greedy(9, max_length_ratio=2.0), "lacks the max_length_ratio"),
        (Sampling(9, seed=3), "lacks the seed of a Sampling"),
        (Sampling(9, min_p=0.1), "lacks the min_p of a Sampling"),
    ],
    ids=str,
)
def test_searches_that_it_lacks_are_refused(search, message, tmp_path):
    translate = make_translator(search=search)
    with pytest.raises(ValueError, match=message):
        translate.export(tmp_path / "model", format="ctranslate2")
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_only_a_model_of_its_kind_is_replaced(tmp_path):
    translate = make_translator()
    translate.export(tmp_path / "model", format="ctranslate2", check=False)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        translate.export(tmp_path / "model", format="ctranslate2")
    translate.export(tmp_path / "model", True, False, format="ctranslate2")
    settings = json.loads((tmp_path / "model" / "keras_attention.json").read_text())
    assert settings["options"]["max_decoding_length"] == translate.search.max_length
    translate.save(tmp_path / "saved")
    with pytest.raises(FileExistsError, match="something else"):
        translate.export(tmp_path / "saved", True, format="ctranslate2")
    assert Translator.load(tmp_path / "saved")(KOREAN) == translate(KOREAN)
