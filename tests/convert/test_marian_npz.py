"""What Marian writes itself is read as the folder of a `MarianMTModel` is."""

import io
import json

import numpy as np
import pytest

from tests.backends import BACKEND
from tests.convert.marian_reference import HEADS, HIDDEN, WIDTH, random_weights

pytest.importorskip("yaml")
pytest.importorskip("sentencepiece")
if BACKEND != "tensorflow":
    pytest.skip("a Translator runs on TensorFlow only", allow_module_level=True)

from keras_attention import Translator
from keras_attention.convert import named_weights
from keras_attention.convert.marian_npz import FIXED, read_npz

OPTIONS = {
    **FIXED,
    "dim-emb": WIDTH,
    "enc-depth": 2,
    "dec-depth": 1,
    "transformer-heads": HEADS,
    "transformer-dim-ffn": HIDDEN,
    "transformer-ffn-activation": "swish",
    "tied-embeddings-all": True,
}
PARTS = {
    "self_attn": "self",
    "encoder_attn": "context",
    "q_proj.weight": "Wq",
    "k_proj.weight": "Wk",
    "v_proj.weight": "Wv",
    "out_proj.weight": "Wo",
    "q_proj.bias": "bq",
    "k_proj.bias": "bk",
    "v_proj.bias": "bv",
    "out_proj.bias": "bo",
    "fc1.weight": "ffn_W1",
    "fc1.bias": "ffn_b1",
    "fc2.weight": "ffn_W2",
    "fc2.bias": "ffn_b2",
    "final_layer_norm.weight": "ffn_ffn_ln_scale",
    "final_layer_norm.bias": "ffn_ffn_ln_bias",
    "self_attn_layer_norm.weight": "self_Wo_ln_scale",
    "self_attn_layer_norm.bias": "self_Wo_ln_bias",
    "encoder_attn_layer_norm.weight": "context_Wo_ln_scale",
    "encoder_attn_layer_norm.bias": "context_Wo_ln_bias",
}


def write_npz(path, weights, **options):
    """Weights of a `MarianMTModel` as Marian writes them."""
    arrays = {}
    for name, array in weights.items():
        found = name.split(".")
        if name == "model.shared.weight":
            arrays["Wemb"] = array
        elif name == "lm_head.weight":
            arrays["decoder_ff_logit_out_W"] = array.T
        elif name == "final_logits_bias":
            arrays["decoder_ff_logit_out_b"] = array
        elif len(found) == 4:
            arrays[f"{found[1]}_Wemb"] = array
        else:
            prefix = f"{found[1]}_l{int(found[3]) + 1}"
            rest = ".".join(found[4:])
            if rest not in PARTS:
                rest = ".".join(found[5:])
                prefix = f"{prefix}_{PARTS[found[4]]}"
            # kernels are turned, and vectors are rows
            arrays[f"{prefix}_{PARTS[rest]}"] = np.atleast_2d(array.T)
    text = json.dumps({**OPTIONS, **options}).encode() + b"\0"
    np.savez(path, **arrays, **{"special:model.yml": np.frombuffer(text, "int8")})


@pytest.mark.parametrize("tied", [True, False])
def test_weights_get_their_names(tmp_path, tied):
    weights = random_weights(9, 7, shared=False, tied=tied)
    write_npz(tmp_path / "model.npz", weights)
    found, options = read_npz(tmp_path / "model.npz")
    assert options == OPTIONS
    assert found.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", "s2s"),
        ("transformer-preprocess", "n"),
        ("transformer-decoder-autoreg", "rnn"),
        ("transformer-ffn-depth", 3),
    ],
)
def test_other_models_are_named(tmp_path, name, value):
    write_npz(tmp_path / "model.npz", random_weights(9, 9), **{name: value})
    with pytest.raises(ValueError, match=rf"model\.npz.* {name}={value!r}"):
        read_npz(tmp_path / "model.npz")


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "model.npz"
    write_npz(path, random_weights(9, 9))
    data = path.read_bytes()
    for part in (data[: len(data) // 2], b"", b"PK"):
        path.write_bytes(part)
        with pytest.raises(ValueError, match=r"model\.npz.* no model of Marian"):
            read_npz(path)
    np.savez(path, x=np.zeros(3))
    with pytest.raises(ValueError, match=r"no special:model\.yml"):
        read_npz(path)
    np.savez(path, x=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="no model of Marian"):
        read_npz(path)
    write_npz(path, random_weights(9, 9))
    arrays = dict(np.load(path))
    np.savez(path, decoder_l1_rnn_W=np.zeros((2, 2)), **arrays)
    with pytest.raises(ValueError, match="without a counterpart: decoder_l1_rnn_W"):
        read_npz(path)


def _train(lines, **options):
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines * 20),
        model_writer=model,
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
        **options,
    )
    return model.getvalue()


@pytest.fixture(params=["yml", "spm"])
def folder(request, tmp_path):
    import sentencepiece

    # As Marian trains them: the end first, no start and no padding.
    ids = {"eos_id": 0, "unk_id": 1, "bos_id": -1, "pad_id": -1}
    model = _train(["the cat sat on the mat", "a 1 dog barks: yes"], **ids)
    cut = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [cut.id_to_piece(index) for index in range(len(cut))]
    names = [f"{side}.{request.param}" for side in ("source", "target")]
    if request.param == "yml":
        text = "".join(
            f"{json.dumps(piece)}: {index}\n" for index, piece in enumerate(pieces)
        )
        for name in names:
            (tmp_path / name).write_text(text, "utf-8")
    for side in ("source", "target"):
        (tmp_path / f"{side}.spm").write_bytes(model)
    settings = {"models": ["model.npz"], "vocabs": names}
    settings |= {"beam-size": 3, "normalize": 1}
    (tmp_path / "decoder.yml").write_text(json.dumps(settings))
    write_npz(tmp_path / "model.npz", random_weights(len(pieces), len(pieces), seed=4))
    return tmp_path


def test_a_folder_is_a_translator(folder):
    translator = Translator.from_marian(folder)
    search = translator.search
    assert (search.num_beams, search.length_penalty) == (3, 1.0)
    assert search.normalization == "length"
    texts = ["the cat sat", "", "a 1 dog: yes"]
    assert len(translator(texts)) == 3
    tokens = translator.source_tokenizer.tokens(
        translator.source_tokenizer.tokenize(["yes 1"])
    )
    assert b"<unk>" not in tokens.to_list()[0]
    table = named_weights(translator.model.source_embedding)["tokens/embeddings"]
    assert not np.asarray(table)[[0, 2]].any()  # padding, and the start


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"models": ["a.npz", "b.npz"]}, "one model and two vocabularies"),
        ({"vocabs": ["a.yml"]}, "one model and two vocabularies"),
        ({"word-penalty": 0.5}, r"decoder\.yml.* word-penalty=0.5"),
    ],
    ids=str,
)
def test_other_settings_are_named(folder, settings, message):
    path = folder / "decoder.yml"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
    with pytest.raises(ValueError, match=message):
        Translator.from_marian(folder)
