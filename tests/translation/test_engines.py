"""Engines find the same translations: graphs, the model itself, CTranslate2."""

import ctranslate2
import numpy as np
import pytest

from tests.backends import BACKEND, start_fresh_process

if BACKEND != "tensorflow":
    pytest.skip("graphs are of TensorFlow only", allow_module_level=True)

import tensorflow as tf

from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy, Sampling
from keras_attention.models import language_model
from keras_attention.translation import CTranslate2Translator
from keras_attention.translation.graphs import Serving
from keras_attention.translation.list_tokenizer import ListTokenizer, as_lists
from tests.translators import (
    ENGLISH,
    KOREAN,
    MAX_LENGTH,
    MODELS,
    TOKENIZERS,
    make_translator,
)

TEXTS = [*ENGLISH, "", "nameless \u4f60", "I", b"\xff know", "one " * 40]
SEARCHES = {
    "greedy": Greedy(MAX_LENGTH),
    "beams": BeamSearch(3, MAX_LENGTH),
    "two of three": BeamSearch(3, MAX_LENGTH, num_hypotheses=2),
}


def _same(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        assert [one.text for one in ours] == [one.text for one in theirs]
        for one, other in zip(ours, theirs, strict=True):
            assert one.source_tokens == other.source_tokens
            assert one.target_tokens == other.target_tokens
            assert one.is_complete == other.is_complete
            np.testing.assert_allclose(one.score, other.score, atol=1e-4)
            assert (one.attention is None) == (other.attention is None)
            if one.attention is not None:
                np.testing.assert_allclose(one.attention, other.attention, atol=1e-4)


def _serving(translate):
    return Serving(
        translate.model,
        translate.source_tokenizer,
        translate.target_tokenizer,
        translate.search,
        translate.source_limit,
        translate.batch_size,
        translate.replace_unknown,
        translate.engine.is_compiled(),
    )


def _find(graph, *inputs):
    found = graph(*map(tf.constant, inputs))
    return {name: part.numpy() for name, part in found.items()}


def _decoded(strings):
    return [string.decode() for string in strings]


def _check_same(translate, texts=TEXTS):
    graphs = _serving(translate).signatures()
    assert _decoded(_find(graphs["serving_default"], texts)["translation"]) == (
        translate(texts)
    )
    ranked, best = translate.hypotheses(texts), _find(graphs["nbest"], texts)
    for row, ones in enumerate(ranked):
        count = len(ones)
        assert _decoded(best["translation"][row, :count]) == [one.text for one in ones]
        scores = [one.score for one in ones]
        np.testing.assert_allclose(best["score"][row, :count], scores, atol=1e-4)
        assert (best["score"][row, count:] == -np.inf).all()
    has_attention = ranked[0][0].attention is not None
    assert ("attend" in graphs) == has_attention
    if has_attention:
        _check_attention(_find(graphs["attend"], texts), [one for one, *_ in ranked])


def _check_attention(found, hypotheses):
    for row, one in enumerate(hypotheses):
        target, source = len(one.target_tokens), len(one.source_tokens)
        assert _decoded(found["target_tokens"][row, :target]) == one.target_tokens
        assert _decoded(found["source_tokens"][row, :source]) == one.source_tokens
        assert not any(found["target_tokens"][row, target:])
        weights = found["attention"][row]
        np.testing.assert_allclose(weights[:target, :source], one.attention, atol=1e-4)
        assert not weights[target:].any()


def _check_same_scores(translate):
    references = [KOREAN[i % 4] for i in range(len(TEXTS))]
    score = _serving(translate).signatures()["score"]
    found = _find(score, TEXTS, references)
    for row, one in enumerate(translate.score(TEXTS, references)):
        assert found["length"][row] == len(one.tokens) == len(one.log_probabilities)
        total = found["log_probability"][row]
        np.testing.assert_allclose(one.log_probability, total, 1e-4)
        np.testing.assert_allclose(one.log_probabilities.sum(), total, 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("search", SEARCHES)
def test_the_model_itself_finds_what_graphs_find(kind, search):
    translate = make_translator("transformer", kind, SEARCHES[search])
    _check_same(translate)
    _check_same_scores(translate)


@pytest.mark.slow
@pytest.mark.parametrize(
    "architecture", [name for name in MODELS if name != "transformer"]
)
def test_so_do_other_models(architecture):
    translate = make_translator(architecture, "words")
    _check_same(translate)
    _check_same_scores(translate)


@pytest.mark.slow
def test_unknown_words_are_replaced_by_either():
    translate = make_translator("recurrent", "words")
    translate.replace_unknown = True
    _check_same(translate)


@pytest.mark.slow
def test_a_language_model_continues_by_either():
    letters = TOKENIZERS["characters"]()[0]
    model = language_model(
        letters.vocabulary_size, embedding_dim=8, num_heads=2, intermediate_dim=8
    )
    writer = Translator(model, letters, letters, Greedy(20))
    texts = ["I d", "", "My name"]
    _check_same(writer, texts)


@pytest.mark.slow
def test_compiled_batches_have_few_shapes():
    translate = make_translator("compiled beam", "characters")
    _check_same(translate)
    shapes = translate.engine.shapes(None, None)
    assert shapes == _serving(translate).shapes()


CT2_SEARCHES = {
    "greedy": Greedy(MAX_LENGTH),
    "shortest and forbidden": Greedy(
        MAX_LENGTH, min_length=4, suppressed_ids=[1, 5], no_repeat_ngram_size=2
    ),
    "by count": BeamSearch(
        3,
        MAX_LENGTH,
        1.0,
        normalization="length",
        finished="replace",
        stopping="count",
        renormalize=True,
    ),
    "patiently, one of them": BeamSearch(
        4,
        MAX_LENGTH,
        0.6,
        normalization="length",
        finished="replace",
        stopping="count",
        patience=2.0,
        num_hypotheses=1,
        renormalize=True,
    ),
}


@pytest.mark.parametrize("search", CT2_SEARCHES)
def test_ctranslate2_finds_what_the_model_finds(search, tmp_path):
    translate = make_translator("transformer", "two sentencepiece models")
    config = {**CT2_SEARCHES[search].get_config(), "renormalize": True}
    translate.search = type(CT2_SEARCHES[search]).from_config(config)
    translate.save(tmp_path / "saved")
    translate.export(tmp_path / "model", format="ctranslate2", check=False)
    for folder in ("model", "saved"):
        fast = Translator.load(tmp_path / folder, engine="ctranslate2")
        assert isinstance(fast, CTranslate2Translator)
        assert isinstance(fast.model, ctranslate2.Translator)
        expected = translate.hypotheses(TEXTS)
        _same(fast.hypotheses(TEXTS), expected)
        assert fast(TEXTS) == [best.text for best, *_ in expected]
        assert fast("I") == translate("I")
        assert [*fast.stream(TEXTS, window=3)] == fast(TEXTS)
    with pytest.raises(ValueError, match="CTranslate2 does not place terms"):
        fast.hypotheses(["I"], terms=[[("i",)]])


@pytest.mark.slow
def test_scores_of_ctranslate2_leave_out_what_is_never_written(tmp_path):
    translate = make_translator("transformer", "characters")
    translate.export(tmp_path / "model", format="ctranslate2", check=False)
    fast = Translator.load(tmp_path / "model", engine="ctranslate2")
    translate.model.output_projection.bias.assign(
        np.where(
            np.isin(np.arange(translate.target_tokenizer.vocabulary_size), [0, 2]),
            -1e4,
            translate.model.output_projection.bias.numpy(),
        )
    )
    for one, other in zip(
        fast.score(ENGLISH, KOREAN), translate.score(ENGLISH, KOREAN), strict=True
    ):
        assert one.tokens == other.tokens
        np.testing.assert_allclose(
            one.log_probabilities, other.log_probabilities, atol=1e-4
        )
    ranked = fast.rerank(ENGLISH[:1], [KOREAN])
    assert ranked == translate.rerank(ENGLISH[:1], [KOREAN])


def test_gnmt_orders_what_ctranslate2_found(tmp_path):
    translate = make_translator("transformer", "characters", BeamSearch(4, MAX_LENGTH))
    translate.export(tmp_path / "model", format="ctranslate2", check=False)
    fast = Translator.load(tmp_path / "model", engine="ctranslate2")
    for ranked in fast.hypotheses(TEXTS):
        scores = [one.score for one in ranked]
        assert scores == sorted(scores, reverse=True)
    fast.search = BeamSearch(4, MAX_LENGTH, num_hypotheses=1)
    assert [len(ranked) for ranked in fast.hypotheses(TEXTS)] == [1] * len(TEXTS)
    fast.search = Sampling(MAX_LENGTH, top_k=1)
    expected = Greedy(MAX_LENGTH)
    drawn = fast(TEXTS)
    fast.search = expected
    assert drawn == fast(TEXTS)


def test_engines_are_named():
    with pytest.raises(ValueError, match="`engine` must be one of .* engine='jax'"):
        Translator.load("nothing", engine="jax")
    with pytest.raises(FileNotFoundError, match=r"translator\.json"):
        Translator.load("nothing", engine="ctranslate2")


class _Own:
    """A tokenizer of one's own, with the methods of ours."""

    def __init__(self, tokenizer):
        for name in ("tokenize", "split", "detokenize", "tokens", "end_id"):
            setattr(self, name, getattr(tokenizer, name))


@pytest.mark.parametrize("kind", ["words", "two sentencepiece models"])
def test_tokenizers_of_ones_own_give_lists_too(kind):
    for tokenizer in TOKENIZERS[kind]():
        plain, own = as_lists(tokenizer), as_lists(_Own(tokenizer))
        assert isinstance(own, ListTokenizer)
        ids = own.tokenize(TEXTS)
        assert ids == plain.tokenize(TEXTS)
        assert own.split(TEXTS) == plain.split(TEXTS)
        assert own.tokens(ids) == plain.tokens(ids)
        assert own.detokenize(ids) == plain.detokenize(ids)
        assert own.end_id == 3


def test_plain_tokenizers_are_exported_too(tmp_path):
    translate = make_translator("transformer", "two sentencepiece models")
    sides = translate.source_tokenizer, translate.target_tokenizer
    plain = Translator(translate.model, *map(as_lists, sides), translate.search)
    checked = [*ENGLISH, b"name \xff"]
    plain.export(tmp_path / "model", format="ctranslate2", check=checked)
    assert (tmp_path / "model" / "translate.py").exists()
    fast = Translator.load(tmp_path / "model", engine="ctranslate2")
    assert fast(ENGLISH) == plain(ENGLISH)


WITHOUT_KERAS = """
import sys
for name in ("keras", "tensorflow", "jax", "torch"):
    sys.modules[name] = None  # so its import fails
sys.argv, sys.orig_argv = ["-m"], ["python", "-m", "keras_attention"]
from keras_attention.cli.main import main
main(["translate", {folder!r}, "--engine", "ctranslate2"])
"""


def test_ctranslate2_does_without_keras(tmp_path):
    folder = str(tmp_path / "model")
    make_translator().export(folder, check=False, format="ctranslate2")
    script = WITHOUT_KERAS.format(folder=folder)
    with start_fresh_process(script) as process:
        printed, _ = process.communicate("\n".join(ENGLISH), timeout=300)
    expected = Translator.load(folder, engine="ctranslate2")([*ENGLISH])
    assert printed.splitlines() == expected
