"""Translators whose vocabularies were made elsewhere, with ids of their own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_attention import Translator
from keras_attention.decoding import BeamSearch
from keras_attention.models import language_model, transformer
from keras_attention.text import (
    CharacterTokenizer,
    VectorizationTokenizer,
    WordPieceTokenizer,
)
from tests.tensors import randomize

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "see", "you", "me", "##ow", "!", "m"]
TEXTS = ["see you!", "", "me meow unheard", b"\xff see", "see " * 40]


def _layer():
    layer = keras.layers.TextVectorization(standardize="lower")
    layer.adapt(["[start] on se revoit [end]", "[start] moi [end]", "on moi"])
    return layer


def _model(source, target, **options):
    model = transformer(
        source.vocabulary_size,
        target.vocabulary_size,
        num_layers=1,
        num_heads=2,
        embedding_dim=8,
        start_id=target.start_id,
        end_id=target.end_id,
        **options,
    )
    return randomize(model, seed=8)


@pytest.fixture
def translator():
    source, layer = WordPieceTokenizer(WORDS), _layer()
    model = _model(source, VectorizationTokenizer.from_layer(layer))
    # A layer is as good as its tokenizer.
    return Translator(model, source, layer, BeamSearch(3, max_length=7))


def test_rows_are_those_of_the_search(translator):
    own = translator.target_tokenizer
    assert own.start_id != 2
    assert own.end_id != 3
    found = translator.hypotheses(TEXTS[:4])
    ids = [[4, 5, 8, 3, 0], [3, 0, 0, 0, 0], [6, 6, 7, 1, 3], [1, 4, 3, 0, 0]]
    expected = translator.search(translator.model, np.array(ids))
    for row in (0, 2, 3):
        texts = own.detokenize(expected.ids[row]).numpy()
        assert [each.text for each in found[row]] == [text.decode() for text in texts]
        scores = [each.score for each in found[row]]
        np.testing.assert_allclose(scores, expected.scores[row], atol=1e-4)
        for rank, each in enumerate(found[row]):
            size = expected.lengths[row, rank]
            is_complete = expected.ids[row, rank, size - 1] == own.end_id
            assert each.is_complete == is_complete
            assert len(each.target_tokens) == size
    assert found[1][0].text == ""
    assert found[1][0].target_tokens == ["[end]"]
    assert found[0][0].source_tokens == ["see", "you", "!", "[SEP]"]


def test_scores_are_those_of_the_model(translator):
    score = translator.score(["see you!"], ["on moi unheard"])[0]
    labels = [*translator.target_tokenizer.tokenize(["on moi unheard"]).to_list()[0]]
    labels.append(translator.target_tokenizer.end_id)
    expected = translator.model.log_probabilities(
        np.array([[4, 5, 8, 3]]), np.array([labels])
    )
    np.testing.assert_allclose(score.log_probabilities, expected[0], atol=1e-4)
    assert score.tokens == ["on", "moi", "[UNK]", "[end]"]


@pytest.mark.slow
def test_it_is_saved_loaded_and_exported(translator, tmp_path):
    expected = translator(TEXTS)
    translator.save(tmp_path / "translator")
    loaded = Translator.load(tmp_path / "translator")
    assert loaded(TEXTS) == expected
    loaded.export(tmp_path / "model", check=TEXTS[:3])
    served = tf.saved_model.load(str(tmp_path / "model"))
    found = served.signatures["serving_default"](tf.constant(TEXTS))
    assert [text.decode() for text in found["translation"].numpy()] == expected


@pytest.mark.slow
def test_unknown_words_are_replaced_by_what_was_attended_to():
    source = target = WordPieceTokenizer(WORDS[:6])
    model = _model(source, target)
    # It writes nothing but unknown words.
    weights = dict(zip((w.path for w in model.weights), model.weights, strict=True))
    bias = next(weight for path, weight in weights.items() if "logits/bias" in path)
    bias.assign(np.eye(6)[1] * 100)
    translator = Translator(
        model, source, target, BeamSearch(1, max_length=2), replace_unknown=True
    )
    assert set(translator("unheard unheard").split()) == {"unheard"}


def test_a_language_model_goes_on_with_its_prompt():
    tokenizer = WordPieceTokenizer(WORDS)
    model = language_model(10, embedding_dim=8, num_heads=2, start_id=2, end_id=3)
    translator = Translator(randomize(model), tokenizer, tokenizer)
    assert translator("see you").startswith("see you")


def test_a_model_of_other_ids_is_refused():
    letters = CharacterTokenizer(["a", "b"])
    words = WordPieceTokenizer(["[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "b"])
    message = "start_id=1, end_id=2. Received: model with start_id=2, end_id=3"
    with pytest.raises(ValueError, match=message):
        Translator(_model(letters, letters), letters, words)
    Translator(_model(words, letters), words, letters)
