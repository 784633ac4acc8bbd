"""Language models: steps, searches, files, and what they refuse."""

import keras
import numpy as np
import pytest

from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.models import language_model
from tests.backends import BACKEND, run_in_fresh_process, to_numpy
from tests.tensors import randomize

IDS = np.array([[2, 4, 5, 6, 7], [2, 8, 9, 10, 0], [2, 5, 0, 0, 0]], "int32")
MODELS = {
    "lstm": {"architecture": "rnn", "units": 7},
    "gru": {"architecture": "rnn", "cell": "gru", "units": 5, "tie_embeddings": True},
    "deep": {
        "architecture": "rnn",
        "cell": "simple",
        "units": 7,
        "num_layers": 3,
        "residual": True,
        "layer_normalization": True,
        "recurrent_dropout": 0.3,
    },
    "transformer": {"embedding_dim": 6, "num_heads": 2, "intermediate_dim": 11},
    "rotary": {
        "embedding_dim": 12,
        "num_heads": 3,
        "intermediate_dim": 11,
        "positions": "rotary",
        "tie_embeddings": True,
        "gated": True,
    },
}
every_model = pytest.mark.parametrize("name", list(MODELS))
LOAD = """
import sys
import keras
import numpy as np
import keras_attention
model = keras.saving.load_model(sys.argv[1])
ids = np.array([[2, 4, 5, 6, 7], [2, 8, 9, 10, 0], [2, 5, 0, 0, 0]])
np.save(sys.argv[2], keras.ops.convert_to_numpy(model(ids)))
"""


def _build(name, **options):
    return randomize(
        language_model(11, **{"embedding_dim": 5, **MODELS[name], **options})
    )


@every_model
def test_steps_equal_one_full_pass(name):
    model = _build(name)
    expected = to_numpy(model(IDS))
    state = model.start(model.encode(np.full((3, 1), 3)), max_length=5)
    for index in range(5):
        logits, state, attention = model.step(IDS[:, index], state, index)
        assert attention is None
        real = IDS[:, index] != 0
        np.testing.assert_allclose(
            to_numpy(logits)[real], expected[real, index], atol=1e-5
        )


@every_model
def test_a_search_writes_the_beginning_and_goes_on(name):
    model = _build(name)
    begin = np.array([[5, 6, 7, 3], [8, 3, 0, 0], [3, 0, 0, 0]])
    found = Greedy(max_length=6)(model, begin)
    ids, scores = found.ids[:, 0], found.scores[:, 0]
    np.testing.assert_array_equal(ids[0, :3], [5, 6, 7])
    assert ids[1, 0] == 8
    for row, length in enumerate([3, 1, 0]):
        written = ids[row][: found.lengths[row, 0]]
        inputs = np.concatenate([[2], written[:-1]])[None]
        logits = to_numpy(model(inputs))[0]
        logits -= np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        # What was given costs nothing.
        own = [logits[t, written[t]] for t in range(length, len(written))]
        assert scores[row] == pytest.approx(sum(own), abs=1e-4)
        for t in range(length, len(written)):
            allowed = [i for i in range(11) if i not in (0, 2)]
            assert written[t] == allowed[np.argmax(logits[t, allowed])]


@every_model
def test_beams_begin_as_the_text_does_whatever_the_rules(name):
    model, begin = _build(name), np.array([[7, 9, 8, 9]])
    # Without a penalty the beginning, which costs nothing, changes no order.
    search = BeamSearch(4, 9, 0.0, suppressed_ids=[9], no_repeat_ngram_size=1)
    found = search(model, np.append(begin, [[3]], axis=1))
    expected = search(model, [[3]], prefix=begin)
    np.testing.assert_array_equal(found.ids, expected.ids)
    assert (found.ids[0, :, :4] == begin).all()
    costs = found.scores - expected.scores
    np.testing.assert_allclose(costs, costs[0, 0], atol=1e-4)
    assert costs[0, 0] > 0


@pytest.mark.slow
@pytest.mark.one_backend
@every_model
def test_a_saved_file_loads_in_a_fresh_process(name, tmp_path):
    model = _build(name)
    model.save(tmp_path / "model.keras")
    run_in_fresh_process(LOAD, tmp_path / "model.keras", tmp_path / "found.npy")
    found = np.load(tmp_path / "found.npy")
    np.testing.assert_allclose(found, to_numpy(model(IDS)), atol=1e-5)


@pytest.mark.slow
@pytest.mark.one_backend
def test_it_learns_a_text_and_writes_it_on():
    model = language_model(11, "rnn", embedding_dim=8, units=16, dropout=0.0)
    texts = np.array([[2, 4, 5, 6, 7, 8]] * 4)
    labels = np.array([[4, 5, 6, 7, 8, 3]] * 4)
    model.compile(
        keras.optimizers.Adam(0.05),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(texts, labels, epochs=40, verbose=0)
    found = Greedy(max_length=7)(model, np.array([[4, 5, 3]]))
    assert found.ids[0, 0].tolist() == [4, 5, 6, 7, 8, 3, 0]


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="a Translator needs TensorFlow")
def test_a_translator_continues_texts_and_exports(tmp_path):
    import tensorflow as tf

    from keras_attention import Translator, text

    letters = text.CharacterTokenizer(list("abcdefg"))
    model = _build("lstm")
    writer = Translator(model, letters, letters, Greedy(max_length=6))
    found = writer(["ab", ""])
    assert found[0].startswith("ab")
    writer.save(tmp_path / "writer")
    assert Translator.load(tmp_path / "writer")(["ab", ""]) == found
    writer.export(tmp_path / "saved_model", check=False)
    serve = tf.saved_model.load(str(tmp_path / "saved_model")).signatures
    served = serve["serving_default"](text=tf.constant(["ab", ""]))["translation"]
    assert [line.decode() for line in served.numpy()] == found


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vocabulary_size": 0}, "`vocabulary_size` must .* vocabulary_size=0"),
        ({"architecture": "cnn"}, "`architecture` must .* architecture='cnn'"),
        ({"num_layers": 0}, "`num_layers` must .* num_layers=0"),
        ({"architecture": "rnn", "units": 0}, "`units` must .* units=0"),
        ({"architecture": "rnn", "cell": "x"}, "`cell` must .* cell='x'"),
        ({"num_heads": 3}, "`num_heads` must divide .*=3, embedding_dim=8"),
        ({"positions": "no"}, "`positions` must .* positions='no'"),
        (
            {"architecture": "rnn", "tie_embeddings": True},
            "`tie_embeddings=True` needs .* embedding_dim=8, units=512",
        ),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        language_model(**{"vocabulary_size": 11, "embedding_dim": 8, **options})


def test_an_option_of_another_architecture_is_refused():
    with pytest.raises(TypeError, match="num_heads"):
        language_model(11, "rnn", embedding_dim=8, num_heads=2)
    with pytest.raises(ValueError, match="units"):
        language_model(11, "transformer", embedding_dim=8, units=5)


def test_no_more_than_the_positions_of_the_model():
    model = language_model(
        11, embedding_dim=6, num_heads=2, positions="learned", max_length=5
    )
    assert Greedy(5)(model, IDS[:, :2]).ids.shape[-1] == 5
    with pytest.raises(ValueError, match=r"max_length=6, model with max_length=5"):
        Greedy(6)(model, IDS[:, :2])


@every_model
@pytest.mark.parametrize("search", [Greedy(6), BeamSearch(3, 6)], ids=["one", "three"])
def test_prompts_padded_in_front_are_those_padded_behind(name, search):
    model = _build(name)
    behind = np.array([[5, 6, 7, 0], [8, 0, 0, 0], [0, 0, 0, 0], [4, 5, 6, 8]])
    front = np.array([[0, 5, 6, 7], [0, 0, 0, 8], [0, 0, 0, 0], [4, 5, 6, 8]])
    ended = np.array(
        [[0, 5, 6, 7, 3], [0, 0, 8, 3, 9], [3, 0, 0, 0, 0], [4, 5, 6, 8, 3]]
    )
    expected = search(model, behind)
    assert (expected.ids[0, :, :3] == [5, 6, 7]).all()
    for prompts in (front, ended):
        found = search(model, prompts)
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
