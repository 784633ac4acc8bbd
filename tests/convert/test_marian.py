"""Models of Marian: what is read computes what NumPy computes of the same weights."""

import json

import numpy as np
import pytest

from keras_attention.convert.marian_model import (
    build_model,
    choose_batch_size,
    order_vocabulary,
    set_weights,
)
from keras_attention.decoding import BeamSearch, Greedy
from tests.backends import BACKEND, to_numpy
from tests.convert.marian_reference import (
    ACTIVATIONS,
    HEADS,
    HIDDEN,
    POSITIONS,
    WIDTH,
    compute_logits,
    random_weights,
    train_models,
    write_random_folder,
)

if BACKEND == "tensorflow":
    from keras_attention import Translator

PIECES = ["</s>", "<unk>", *"abcdefgh", "<pad>"]


def _config(**options):
    return {
        "d_model": WIDTH,
        **{f"{side}_attention_heads": HEADS for side in ("encoder", "decoder")},
        **{f"{side}_ffn_dim": HIDDEN for side in ("encoder", "decoder")},
        "encoder_layers": 2,
        "decoder_layers": 1,
        "activation_function": "swish",
        "scale_embedding": True,
        "max_position_embeddings": POSITIONS,
        **options,
    }


def _vocabulary(pieces, start="<pad>"):
    ids = {piece: index for index, piece in enumerate(pieces)}
    return order_vocabulary(ids, len(ids), "<unk>", ids["</s>"], ids[start])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("start", ["<pad>", "a", "</s>"])
@pytest.mark.parametrize("tied", [True, False])
def test_logits_are_those_of_the_file(activation, shared, scale, start, tied):
    sides = [PIECES, PIECES if shared else [*PIECES[:6], *"xyz", "<pad>"]]
    weights = random_weights(
        *map(len, sides), shared=shared, seed=len(activation), tied=tied
    )
    source, target = (_vocabulary(pieces, start) for pieces in sides)
    config = _config(
        activation_function=activation,
        scale_embedding=scale,
        share_encoder_decoder_embeddings=shared,
        tie_word_embeddings=tied,
    )
    model = build_model(config, source, target)
    set_weights(model, weights, source, target, "here")
    theirs = np.array([2, 3, 4, 5, 1, 0]), np.array([0, 3, 2, 5])
    theirs[1][0] = sides[1].index(start)
    expected = compute_logits(weights, *theirs, activation, scale)
    back = [
        {piece: index for index, piece in enumerate(side.pieces)}
        for side in (source, target)
    ]
    ours = [
        np.array([[own[pieces[index]] for index in ids]])
        for own, pieces, ids in zip(back, sides, theirs, strict=True)
    ]
    ours[1][0, 0] = 2
    found = to_numpy(model({"source": ours[0], "target": ours[1]}))[0]
    columns = [back[1].get(piece) for piece in sides[1]]
    for column, index in enumerate(columns):
        if index is not None:
            np.testing.assert_allclose(
                found[:, index], expected[:, column], atol=1e-4, rtol=1e-4
            )
    # What stands for no piece of the file counts for nothing.
    others = sorted({*range(found.shape[1])} - {*columns})
    assert others[:1] == [0]
    assert (found[:, others] < -5000).all()
    np.testing.assert_allclose(
        np.log(np.exp(found.astype("float64")).sum(-1)),
        np.log(np.exp(expected.astype("float64")).sum(-1)),
        rtol=1e-5,
    )


def test_a_start_that_is_an_end_has_an_id_of_its_own():
    vocabulary = _vocabulary(PIECES, "</s>")
    assert vocabulary.pieces[:5] == ["", "<unk>", "<s>", "</s>", "a"]
    assert vocabulary.rows.tolist() == [-1, 1, 0, 0, *range(2, 11)]
    assert vocabulary.never == [0, 2]
    assert _vocabulary(PIECES).pieces[:5] == ["", "<unk>", "<pad>", "</s>", "a"]


@pytest.fixture(scope="module")
def models():
    pytest.importorskip("sentencepiece")
    return train_models()


@pytest.fixture
def folder(tmp_path, models):
    pytest.importorskip("safetensors")
    if BACKEND != "tensorflow":
        pytest.skip("a Translator runs on TensorFlow only")
    write_random_folder(tmp_path, models, seed=8)
    return tmp_path


def test_a_folder_is_a_translator(folder, models, tmp_path_factory):
    translator = Translator.from_marian(folder)
    texts = ["the cat sat", ">>fra<< a dog", "", "it # at"]
    found = translator(texts)
    assert all(isinstance(text, str) for text in found)
    assert translator.source_tokenizer.tokens(
        translator.source_tokenizer.tokenize([">>fra<< a dog"])
    ).to_list()[0][0] == (b">>fra<<")
    assert translator.languages == ["fra"]
    assert translator.to("fra")(["a dog", ""]) == [found[1], found[2]]
    saved = tmp_path_factory.mktemp("saved") / "translator"
    translator.save(saved)
    assert Translator.load(saved)(texts) == found


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("tied", [True, False])
def test_greedy_search_writes_what_the_file_writes(folder, models, shared, tied):
    from safetensors.numpy import load_file

    write_random_folder(folder, models, seed=8, shared=shared, tied=tied)
    translator = Translator.from_marian(folder)
    translator.search = Greedy(18)
    names = ("vocab.json", "vocab.json" if shared else "target_vocab.json")
    ids = [json.loads((folder / name).read_text("utf-8")) for name in names]
    weights = load_file(folder / "model.safetensors")
    (hypothesis,) = translator.hypotheses(["the cat sat"])[0]
    read = np.array([ids[0][piece] for piece in hypothesis.source_tokens])
    pieces = sorted(ids[1], key=ids[1].get)
    pad, end = (ids[1][piece] for piece in ("<pad>", "</s>"))
    written = [pad]
    while len(written) < 19 and written[-1] != end:
        logits = compute_logits(weights, read, np.array(written), "swish")[-1]
        logits[pad] = -np.inf
        written.append(int(logits.argmax()))
    assert hypothesis.target_tokens == [pieces[index] for index in written[1:]]


def _change(path, **options):
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **options}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model_type": "m2m_100"}, "model_type='m2m_100'"),
        ({"normalize_before": True}, "normalize_before=True"),
        ({"static_position_embeddings": False}, "static_position_embeddings=False"),
        ({"tie_word_embeddings": False}, "lacks the weight 'lm_head.weight'"),
        ({"activation_function": "mish"}, "activation_function='mish'"),
        ({"no_repeat_ngram_size": 3}, "no_repeat_ngram_size=3"),
        ({"do_sample": True}, "do_sample=True"),
        ({"bad_words_ids": [[3, 4]]}, r"bad_words_ids .*\[\[3, 4\]\]"),
        ({"bad_words_ids": [[999]]}, r"bad_words_ids .*\[\[999\]\]"),
        ({"bad_words_ids": [[0]]}, r"end of every output by its bad_words_ids"),
        ({"min_new_tokens": 4}, "min_new_tokens=4"),
        ({"diversity_penalty": 0.5}, "diversity_penalty=0.5"),
        ({"early_stopping": "soon"}, "early_stopping='soon'"),
        ({"early_stopping": [1]}, r"early_stopping=\[1\]"),
        ({"max_length": 2}, "no more than 2 ids"),
        ({"decoder_vocab_size": 7}, "decoder_vocab_size=7"),
        ({"d_model": None}, "lacks .*d_model"),
        ({"vocab_size": 5, "decoder_vocab_size": 5}, r"vocab\.json.* below 5"),
        ({"d_model": WIDTH + 2}, "lacks a width of 8 in model.encoder"),
        ({"encoder_layers": 3}, r"lacks the weight 'model\.encoder\.layers\.2"),
        ({"encoder_layers": 1}, r"a MarianMTModel lacks: \['model\.encoder\.layers\.1"),
    ],
    ids=str,
)
def test_what_cannot_be_had_is_named(folder, options, message):
    _change(folder / "config.json", **options)
    with pytest.raises(ValueError, match=message):
        Translator.from_marian(folder)


@pytest.mark.parametrize(
    "name", ["config.json", "vocab.json", "model.safetensors", "source.spm"]
)
def test_a_damaged_file_is_named(folder, name):
    data = (folder / name).read_bytes()
    for part in (data[: len(data) // 2], b"", b"[]"):
        (folder / name).write_bytes(part)
        with pytest.raises(ValueError, match=name.replace(".", r"\.")):
            Translator.from_marian(folder)
    (folder / name).unlink()
    missing = "has no weights" if name == "model.safetensors" else name
    with pytest.raises(FileNotFoundError, match=missing):
        Translator.from_marian(folder)


@pytest.mark.slow
def test_forbidden_words_are_never_written(folder):
    translator = Translator.from_marian(folder)
    written = translator.hypotheses(["the cat sat"])[0][0].target_tokens
    ids = json.loads((folder / "vocab.json").read_text("utf-8"))
    words = [[ids[piece]] for piece in written if piece != "</s>"]
    _change(folder / "config.json", bad_words_ids=[*words, [ids["<pad>"]]])
    other = Translator.from_marian(folder).hypotheses(["the cat sat"])[0]
    for hypothesis in other:
        assert not {*hypothesis.target_tokens} & {*written} - {"</s>"}


def test_limits_of_new_tokens_go_before_those_of_all(folder):
    _change(folder / "config.json", max_new_tokens=6, renormalize_logits=True)
    search = Translator.from_marian(folder).search
    assert search.max_length == 5
    assert search.get_config()["renormalize"]


def test_a_name_is_downloaded(folder, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    asked = []

    def download(name, allow_patterns):
        asked.append(name)
        if name.endswith("missing"):
            raise OSError("not reached")
        return str(folder)

    monkeypatch.setattr(hub, "snapshot_download", download)
    expected = Translator.from_marian(folder).model.get_weights()
    for name in ("opus-mt-en-xx", "Some-One/opus-mt-en-xx"):
        found = Translator.from_marian(name).model.get_weights()
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
    assert asked == ["Helsinki-NLP/opus-mt-en-xx", "Some-One/opus-mt-en-xx"]
    with pytest.raises(FileNotFoundError, match=r"not reached.*folder='missing'"):
        Translator.from_marian("missing")
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        Translator.from_marian(folder / "neither" / "here")


def test_batches_are_as_large_as_memory_allows():
    config = {"d_model": 512, "decoder_layers": 6}
    assert choose_batch_size(config, BeamSearch(4, 510)) == 21
    assert choose_batch_size(config, Greedy(100)) == 64
    assert choose_batch_size({**config, "d_model": 2**20}, BeamSearch(4, 510)) == 1
