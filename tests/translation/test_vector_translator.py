"""Translators whose models read vectors."""

import json
from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_attention import Translator, layers, models
from keras_attention.decoding import BeamSearch
from keras_attention.text import CharacterTokenizer
from tests.tensors import normal, randomize

LETTERS = CharacterTokenizer(["a", "b", "c"])
SOURCES = [normal(size, 5, seed=size) for size in (3, 1, 7, 0, 20)]


def _model(positions=None):
    keras.utils.set_random_seed(5)
    model = models.Seq2Seq(
        keras.layers.Dense(8),
        models.EncoderStack([layers.TransformerEncoder(16, 2)]),
        models.DecoderStack([layers.TransformerDecoder(16, 2)]),
        layers.PositionalEmbedding(LETTERS.vocabulary_size, 8, positions),
        source_dim=5,
    )
    return randomize(model, seed=6)


@pytest.fixture(
    scope="module",
    params=[False, pytest.param(True, marks=pytest.mark.slow)],
    ids=["", "compiled"],
)
def translator(request):
    search = BeamSearch(3, max_length=6, jit_compile=request.param)
    return Translator(_model(), None, LETTERS, search, batch_size=2)


@pytest.fixture(scope="module")
def expected(translator):
    """What the search finds of each source by itself."""
    found = []
    for source in SOURCES:
        inputs = source[None] if len(source) else np.zeros((1, 1, 5), "float32")
        ids = BeamSearch(3, max_length=6)(translator.model, inputs)
        found.append((LETTERS.detokenize(ids.ids[0]).numpy(), ids))
    return found


def test_a_list_of_arrays_gives_a_list_of_strings(translator, expected):
    best = [texts[0].decode() for texts, _ in expected]
    best[3] = ""  # of nothing
    assert translator(SOURCES) == best
    assert translator(SOURCES[2]) == best[2]
    assert [*translator.stream(iter(SOURCES))] == best
    assert translator([]) == []
    assert len(translator([[]])) == 1  # no vectors


def test_hypotheses_have_attention_and_no_source_tokens(translator, expected):
    for index, found in enumerate(translator.hypotheses(SOURCES)):
        if index == 3:
            continue
        texts, ids = expected[index]
        assert [one.text for one in found] == [text.decode() for text in texts]
        for rank, one in enumerate(found):
            np.testing.assert_allclose(one.score, ids.scores[0, rank], atol=1e-4)
            assert one.source_tokens == []
            attention = ids.attention[0, rank, : ids.lengths[0, rank]]
            np.testing.assert_allclose(one.attention, attention, atol=1e-4)


def test_long_sources_are_cut_and_counted(translator):
    counts = Counter()
    short = Translator(_model(), None, LETTERS, translator.search, 4)
    found = [*short.stream(SOURCES, counts=counts)]
    assert counts["cut_texts"] == 2
    assert found[2] == translator(SOURCES[2][:4])


def test_scores_are_those_of_the_model(translator):
    found = translator.score(SOURCES[:3], ["ab", "c", ""])
    labels = np.array([[4, 5, 3], [6, 3, 0], [3, 0, 0]])
    for source, row, score in zip(SOURCES, labels, found, strict=False):
        expected = translator.model.log_probabilities(source[None], row[None])
        np.testing.assert_allclose(score.log_probability, np.sum(expected), atol=1e-4)


@pytest.mark.slow
def test_it_is_saved_loaded_and_exported(translator, tmp_path):
    translator.save(tmp_path / "translator")
    loaded = Translator.load(tmp_path / "translator")
    expected = translator(SOURCES)
    assert loaded(SOURCES) == expected
    loaded.export(tmp_path / "model", check=SOURCES)
    served = tf.saved_model.load(str(tmp_path / "model"))
    vectors = np.zeros((5, 20, 5), "float32")
    for row, source in zip(vectors, SOURCES, strict=True):
        row[: len(source)] = source
    mask = np.arange(20) < np.array([len(source) for source in SOURCES])[:, None]
    inputs = {"source": tf.constant(vectors), "source_mask": tf.constant(mask)}
    found = served.signatures["serving_default"](**inputs)
    assert [text.decode() for text in found["translation"].numpy()] == expected
    best = served.signatures["nbest"](**inputs)["translation"].numpy()
    assert best.shape == (5, 3)
    attended = served.signatures["attend"](**inputs)
    assert "source_tokens" not in attended
    assert attended["attention"].shape[::2] == (5, 20)
    references = {"reference": tf.constant(["ab"] * 5)}
    scores = served.signatures["score"](**inputs, **references)["log_probability"]
    score = translator.score(SOURCES[:1], ["ab"])[0].log_probability
    np.testing.assert_allclose(scores[0], score, atol=1e-4)
    fewer = served.translate(**inputs, num_beams=1)
    assert fewer["translation"].shape[0] == 5
    described = json.loads((tmp_path / "model/assets.extra/metadata.json").read_text())
    assert described["source_dim"] == 5
    takes = described["signatures"]["serving_default"]["inputs"]
    assert takes["source"] == {"dtype": "float32", "shape": [None, None, 5]}


@pytest.mark.parametrize(
    "sources",
    ["abc", ["abc"], [normal(3, 4)], [normal(3)], [normal(1, 3, 5)], 3],
    ids=["text", "texts", "other width", "one axis", "three axes", "number"],
)
def test_anything_but_vectors_is_refused(translator, sources):
    with pytest.raises(ValueError, match=r"`texts` must be .*\(length, 5\)"):
        translator.hypotheses(sources)


def test_a_model_reads_texts_or_vectors():
    with pytest.raises(ValueError, match="`source_tokenizer` must be None .*=5"):
        Translator(_model(), LETTERS, LETTERS)
    texts = models.transformer(7, 7, num_layers=1, num_heads=2, embedding_dim=8)
    with pytest.raises(ValueError, match="`source_tokenizer` must be None .*=None"):
        Translator(texts, None, LETTERS)
