"""Folders of Hugging Face: read again by the rules of Marian, and what is refused."""

import importlib.util
import json

import keras
import numpy as np
import pytest

from tests.backends import BACKEND

if BACKEND != "tensorflow":
    pytest.skip("an export reads texts by TensorFlow", allow_module_level=True)
from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy, Sampling
from keras_attention.export import huggingface
from keras_attention.export.huggingface_generation import make_generation
from keras_attention.export.huggingface_model import make_huggingface
from keras_attention.models import language_model, rnn_seq2seq, transformer
from tests.convert.marian_reference import compute_logits
from tests.translators import ENGLISH, TOKENIZERS

SIZES = (17, 13)
# Those of the reference.
WIDTH, HEADS, HIDDEN = 6, 2, 10
HUGGING_FACES = {"normalization": "length", "finished": "replace"}


def _model(*sizes, **options):
    keras.utils.set_random_seed(3)
    model = transformer(
        *(sizes or SIZES),
        **{
            "num_layers": 2,
            "num_heads": HEADS,
            "embedding_dim": WIDTH,
            "intermediate_dim": HIDDEN,
            "normalize_first": False,
            **options,
        },
    )
    random = np.random.default_rng(5)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(weight + random.normal(size=weight.shape, scale=0.3))
    return model


def _translator(search=None, kind="two sentencepiece models", **options):
    source, target = TOKENIZERS[kind]()
    model = _model(source.vocabulary_size, target.vocabulary_size, **options)
    return Translator(model, source, target, search or Greedy(9))


@pytest.mark.parametrize(
    "options",
    [
        {"normalize_first": False},
        {"normalize_first": False, "activation": "gelu", "tie_embeddings": True},
        {"activation": "silu"},
        {"tie_embeddings": True},
        {"positions": "learned", "max_length": 8},
        {"positions": None},
    ],
    ids=str,
)
def test_the_weights_compute_what_the_model_does(options):
    is_tied = options.get("tie_embeddings", False)
    sizes = (SIZES[1], SIZES[1]) if is_tied else SIZES
    model = _model(*sizes, **{"normalize_first": True, **options})
    source, target = np.array([5, 7, 11, 4, 3]), np.array([2, 9, 4, 12])
    config, weights = make_huggingface(model, 20)
    is_first = model.encoder.blocks[0].normalize_first
    kind = "PegasusForConditionalGeneration" if is_first else "MarianMTModel"
    assert config["architectures"] == [kind]
    activation = {"silu": "swish"}.get(config["activation_function"])
    found = compute_logits(
        weights, source, target, activation or config["activation_function"]
    )
    expected = np.asarray(model({"source": source[None], "target": target[None]}))[0]
    np.testing.assert_allclose(found[:, : sizes[1]], expected, atol=1e-4)
    # The other rows, of the larger vocabulary, are never written.
    assert np.all(found[:, sizes[1] :] == -1e4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "search",
    [
        Greedy(9),
        BeamSearch(3, 9, 1.2, stopping="current_length", **HUGGING_FACES),
        BeamSearch(3, 9, 0.8, stopping="count", suppressed_ids=[5], **HUGGING_FACES),
        BeamSearch(2, 9, stopping="exact", force_end=True, **HUGGING_FACES),
    ],
)
def test_what_is_written_is_read(search, tmp_path):
    kind = "one shared sentencepiece model"
    translate = _translator(search, kind, tie_embeddings=True)
    texts = [*ENGLISH, "", "dooli who?"]
    translate.export(tmp_path / "it", format="huggingface", check=False)
    read = Translator.from_marian(tmp_path / "it")
    assert read(texts) == translate(texts)
    assert type(read.search) is type(search)
    found, expected = read.search.get_config(), search.get_config()
    for name in ("max_length", "num_beams", "length_penalty", "stopping", "force_end"):
        assert found.get(name) == expected.get(name)


@pytest.mark.formats
@pytest.mark.parametrize(
    "kind", ["two sentencepiece models", "one shared sentencepiece model"]
)
@pytest.mark.parametrize(
    "options",
    [
        {"activation": "gelu"},
        {"normalize_first": True, "positions": "learned", "max_length": 24},
        {"normalize_first": True, "activation": "silu"},
    ],
    ids=str,
)
@pytest.mark.parametrize("quantization", [None, "float16"])
def test_transformers_finds_what_the_model_does(kind, options, quantization, tmp_path):
    if not all(map(importlib.util.find_spec, ("transformers", "torch"))):
        pytest.skip("needs transformers and PyTorch")
    is_shared = kind.startswith("one")
    translate = _translator(kind=kind, tie_embeddings=is_shared, **options)
    # A process that knows nothing of this package cuts the texts and writes.
    translate.export(
        tmp_path / "it",
        format="huggingface",
        quantization=quantization,
        check=[*ENGLISH, "", "dooli who?"],
    )


def test_a_pre_norm_model_is_a_pegasus_of_one_size(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface, "is_installed", lambda name: name != "torch")
    translate = _translator(normalize_first=True, positions="learned", max_length=12)
    with pytest.warns(UserWarning, match="not checked.* torch must"):
        translate.export(tmp_path / "it", format="huggingface", quantization="float16")
    config = json.loads((tmp_path / "it" / "config.json").read_text("utf-8"))
    assert config["architectures"] == ["PegasusForConditionalGeneration"]
    sides = translate.source_tokenizer, translate.target_tokenizer
    assert config["vocab_size"] == max(side.vocabulary_size for side in sides)
    assert config["max_position_embeddings"] == 12
    for name, side in zip(("vocab.json", "target_vocab.json"), sides, strict=True):
        ids = json.loads((tmp_path / "it" / name).read_text("utf-8"))
        assert [*ids][:4] == ["<pad>", "<unk>", "<s>", "</s>"]
        assert [*ids.values()] == [*range(side.vocabulary_size)]
    with pytest.raises(FileExistsError, match="overwrite"):
        translate.export(tmp_path / "it", format="huggingface")
    with pytest.raises(ValueError, match="model_type"):
        Translator.from_marian(tmp_path / "it")


def test_a_model_of_another_format_is_not_replaced(tmp_path):
    translate = _translator()
    translate.export(tmp_path / "it", format="ctranslate2", check=False)
    with pytest.raises(FileExistsError, match="something else"):
        translate.export(tmp_path / "it", True, format="huggingface")
    assert (tmp_path / "it" / "model.bin").exists()


REFUSED = {
    "rotary": {"positions": "rotary", "embedding_dim": 8},
    "gated": {"gated": True},
    "rms": {"normalization": "rms"},
    "num_key_value_heads": {"num_key_value_heads": 1},
    "soft_cap": {"attention_options": {"soft_cap": 5.0}},
    "sliding_window": {"attention_options": {"sliding_window": 5}},
    "key_dim": {"key_dim": 5},
    "positions": {"positions": "learned", "max_length": 9},
    "activation": {"activation": "elu"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_lacks_is_refused_by_name(name):
    word = {"rotary": "position", "rms": "normalization"}.get(name, name)
    with pytest.raises(ValueError, match=f"Hugging Face holds .*`{word}`"):
        make_huggingface(_model(**REFUSED[name]), 20)


def test_other_models_are_refused():
    small = {"embedding_dim": 8}
    for model in (
        rnn_seq2seq(*SIZES, units=8, **small),
        language_model(13, num_layers=1, num_heads=2, intermediate_dim=8, **small),
    ):
        with pytest.raises(ValueError, match="Hugging Face holds only models"):
            make_huggingface(model, 20)


def test_other_tokenizers_are_refused_before_a_file_is_written(tmp_path):
    translate = _translator(kind="words")
    with pytest.raises(ValueError, match="SentencePieceTokenizer"):
        translate.export(tmp_path / "it", format="huggingface")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("search", "name"),
    [
        (BeamSearch(3), "normalization"),
        (BeamSearch(3, normalization="length"), "finished"),
        (BeamSearch(4, num_groups=2, normalization="length"), "num_groups"),
        (BeamSearch(3, stopping="first", **HUGGING_FACES), "stopping"),
        (Greedy(9, repetition_penalty=1.2), "repetition_penalty"),
        (Sampling(9, max_length_ratio=2.0), "max_length_ratio"),
    ],
)
def test_searches_that_it_lacks_are_refused(search, name):
    with pytest.raises(ValueError, match=f"Hugging Face holds only .*{name}"):
        make_generation(search, _model())


def test_a_search_is_asked_for_by_its_names():
    options = make_generation(Sampling(9, 0.7, 5, 0.9, min_length=3), _model())
    assert options["do_sample"]
    assert (options["temperature"], options["top_k"], options["top_p"]) == (0.7, 5, 0.9)
    # It counts the start; padding and the start are never written.
    assert (options["max_length"], options["min_length"]) == (10, 3)
    assert options["bad_words_ids"] == [[0], [2]]
    for force_end, end, longest in ((False, None, 10), (True, 3, 11)):
        beams = BeamSearch(2, 9, stopping="count", force_end=force_end, **HUGGING_FACES)
        options = make_generation(beams, _model())
        found = options["forced_eos_token_id"], options["max_length"]
        assert found == (end, longest)
