"""A Translator between tokenizers of plain Python, on whichever backend Keras runs."""

import keras
import numpy as np
import pytest

from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.models import rnn_seq2seq, transformer
from keras_attention.text.plain import CharacterTokenizer
from tests.backends import to_numpy

SOURCE = CharacterTokenizer(list(" abcdefg"))
TARGET = CharacterTokenizer(list(" 가나다라마"))
TEXTS = ["abc", "", "g f e d c b a a a a a a a", "?", "ab"]
BUILDERS = {"transformer": transformer, "recurrent": rnn_seq2seq}
SIZES = {
    "transformer": {"num_layers": 1, "num_heads": 2, "intermediate_dim": 12},
    "recurrent": {"units": 8},
}
SEARCHES = {"greedy": Greedy(7), "beams": BeamSearch(3, 7)}


def make_plain(architecture, search, source=SOURCE):
    """A Translator of a few letters, and a model with random weights."""
    keras.utils.set_random_seed(4)
    model = BUILDERS[architecture](
        source.vocabulary_size,
        TARGET.vocabulary_size,
        embedding_dim=8,
        **SIZES[architecture],
    )
    random = np.random.default_rng(2)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(weight + random.normal(size=weight.shape, scale=0.4))
    return Translator(model, source, TARGET, search, 12, 4)


@pytest.mark.parametrize("architecture", BUILDERS)
@pytest.mark.parametrize("search", SEARCHES)
def test_it_writes_what_the_search_finds(architecture, search):
    translate = make_plain(architecture, SEARCHES[search])
    for text, ranked in zip(TEXTS, translate.hypotheses(TEXTS), strict=True):
        ids = [*SOURCE.tokenize([text])[0][:11], SOURCE.end_id]
        if len(ids) == 1:
            (best,) = ranked
            assert (best.text, best.score, best.is_complete) == ("", 0.0, True)
            continue
        found = SEARCHES[search](translate.model, np.array([ids], "int32"))
        for rank, one in enumerate(ranked):
            size = found.lengths[0, rank]
            own = found.ids[0, rank, :size].tolist()
            assert one.target_tokens == TARGET.tokens([own])[0]
            assert one.text == TARGET.detokenize([own])[0]
            np.testing.assert_allclose(one.score, found.scores[0, rank], atol=1e-4)
            expected = found.attention[0, rank, :size]
            np.testing.assert_allclose(one.attention, expected, atol=1e-4)
    assert translate(TEXTS) == [best.text for best, *_ in translate.hypotheses(TEXTS)]
    assert [*translate.stream(iter(TEXTS))] == translate(TEXTS)


def test_scores_are_those_of_the_model():
    translate = make_plain("transformer", SEARCHES["greedy"])
    (score,) = translate.score(["abc"], ["가나"])
    ids = [[*SOURCE.tokenize(["abc"])[0], 3]]
    labels = [[*TARGET.tokenize(["가나"])[0], 3]]
    expected = translate.model.log_probabilities(np.array(ids), np.array(labels))
    np.testing.assert_allclose(score.log_probabilities, to_numpy(expected)[0], 1e-4)
    assert score.tokens == ["가", "나", "</s>"]


def test_it_is_saved_and_loaded(tmp_path):
    translate = make_plain("transformer", SEARCHES["greedy"])
    translate.save(tmp_path / "saved")
    assert Translator.load(tmp_path / "saved")(TEXTS) == translate(TEXTS)
