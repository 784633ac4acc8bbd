"""Models that read vectors: patches of images, frames of spectrograms."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention import layers, models
from keras_attention.decoding import BeamSearch, Greedy, Sampling
from tests.backends import to_numpy
from tests.tensors import normal, randomize, real_positions

SOURCE, MASK = normal(3, 7, 5), real_positions([7, 4, 1], 7)
INPUTS = {"source": SOURCE, "source_mask": MASK}
TARGET = np.array([[2, 4, 5], [2, 4, 0], [2, 5, 4]], "int32")


def _transformer(**options):
    return models.Seq2Seq(
        keras.layers.Dense(8),
        models.EncoderStack([layers.TransformerEncoder(16, 2)]),
        models.DecoderStack([layers.TransformerDecoder(16, 2)]),
        layers.PositionalEmbedding(6, 8),
        **{"source_dim": 5, **options},
    )


def _recurrent(embedding=None, **options):
    encoder = layers.RecurrentEncoder(8, bidirectional=True)
    decoder = layers.AttentionRNN(layers.RecurrentCell(8), layers.Attention("general"))
    return models.Seq2Seq(
        embedding
        or keras.layers.Bidirectional(keras.layers.GRU(4, return_sequences=True)),
        models.RNNEncoder(encoder, state_sizes=[8, 8], name="encoder"),
        models.RNNDecoder(decoder),
        layers.PositionalEmbedding(6, 8, positions=None),
        keras.layers.Dense(6),
        **{"source_dim": 5, **options},
    )


MODELS = {
    "transformer": _transformer,
    # This embedding reads the mask, and Keras warns the next that it would lose it.
    "recurrent": _recurrent,
    "convolutional": lambda: _recurrent(keras.layers.Conv1D(8, 3, padding="same")),
}


@pytest.fixture(params=MODELS)
def model(request):
    keras.utils.set_random_seed(3)
    return randomize(MODELS[request.param](), seed=4)


def _best(model, row, max_length):
    """All outputs of one source by their probabilities, best first."""
    outputs, begun = [], [[]]
    while begun:
        ids = begun.pop()
        for last in (1, 3, 4, 5):
            longer = [*ids, last]
            is_whole = last == 3 or len(longer) == max_length
            (outputs if is_whole else begun).append(longer)
    labels = np.zeros((len(outputs), max_length), "int32")
    for index, ids in enumerate(outputs):
        labels[index, : len(ids)] = ids
    repeated = {
        name: np.repeat(part[row : row + 1], len(outputs), axis=0)
        for name, part in INPUTS.items()
    }
    scores = to_numpy(model.log_probabilities(repeated, labels)).sum(axis=1)
    return [(outputs[index], scores[index]) for index in np.argsort(-scores)]


@pytest.mark.slow
def test_beams_find_what_enumeration_finds(model):
    found = BeamSearch(64, max_length=3, length_penalty=0.0)(model, INPUTS)
    for row in range(3):
        for place, (ids, score) in enumerate(_best(model, row, 3)[:5]):
            assert found.ids[row, place, : found.lengths[row, place]].tolist() == ids
            np.testing.assert_allclose(found.scores[row, place], score, atol=1e-4)
    one = BeamSearch(1, max_length=6)(model, INPUTS)
    np.testing.assert_array_equal(Greedy(6)(model, INPUTS).ids, one.ids)
    assert Sampling(6, seed=1)(model, INPUTS).ids.shape == (3, 1, 6)
    is_real = np.broadcast_to(MASK[:, None, None], found.attention.shape)
    assert not found.attention[~is_real].any()


@pytest.mark.slow
def test_what_pads_a_source_counts_for_nothing(model):
    expected = to_numpy(model({**INPUTS, "target": TARGET}))
    for padding in (np.nan, np.inf, 1e9):
        padded = {**INPUTS, "source": np.where(MASK[..., None], SOURCE, padding)}
        found = to_numpy(model({**padded, "target": TARGET}))
        np.testing.assert_allclose(found, expected, atol=1e-5)
    ids = BeamSearch(3, 6)(model, INPUTS).ids
    np.testing.assert_array_equal(BeamSearch(3, 6)(model, padded).ids, ids)
    for row, size in enumerate(MASK.sum(axis=1)):
        alone = Greedy(6)(model, SOURCE[row : row + 1, :size]).ids
        np.testing.assert_array_equal(alone[0], Greedy(6)(model, INPUTS).ids[row])


def test_limits_count_vectors(model):
    search = BeamSearch(2, 9, max_length_ratio=1.0, min_length_ratio=1.0)
    assert (search(model, INPUTS).lengths[:, 0] == MASK.sum(axis=1)).all()


@pytest.mark.slow
def test_it_trains_and_is_saved_copied_and_joined(model, tmp_path):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    inputs, labels = (
        {**INPUTS, "target": TARGET},
        np.array([[4, 5, 3], [4, 3, 0], [5, 4, 3]]),
    )
    history = model.fit(inputs, labels, epochs=20, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    ensemble = models.Ensemble([model, loaded])
    expected = to_numpy(ops.log_softmax(model(inputs)))
    for other in (loaded, clone, ensemble):
        found = to_numpy(ops.log_softmax(other(inputs)))
        np.testing.assert_allclose(found, expected, atol=1e-4)
        ids = Greedy(6)(other, INPUTS).ids
        np.testing.assert_array_equal(ids, Greedy(6)(model, INPUTS).ids)


@pytest.mark.slow
def test_a_recurrent_one_learns_from_its_own_ids():
    model = _recurrent(scheduled_sampling=0.5)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit({**INPUTS, "target": TARGET}, TARGET, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_a_model_of_ones_own_may_read_anything():
    class Brightest:
        """Writes which channel of an image is the brightest."""

        def encode(self, source):
            return ops.max(source["image"], axis=(1, 2))

        def start(self, memory, max_length):
            return memory

        def step(self, ids, state, index):
            first = ops.pad(5.0 * state, ((0, 0), (4, 0)))
            end = 99.0 * ops.one_hot(ops.full_like(ids, 3), first.shape[-1])
            return ops.where(ops.equal(ids, 2)[:, None], first, end), state, None

    images = np.zeros((3, 4, 4, 2), "float32")
    images[0, 1, 1, 1] = images[1, 2, 2, 0] = images[2, 0, 3, 1] = 1
    found = BeamSearch(2, max_length=4)(Brightest(), {"image": images})
    assert found.ids[:, 0].tolist() == [[5, 3, 0, 0], [4, 3, 0, 0], [5, 3, 0, 0]]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (SOURCE[..., :4], r"`source` must .* 5 wide.*=\(3, 7, 4\)"),
        (SOURCE[0], r"`source` must have 3 axes"),
        ({**INPUTS, "source_mask": MASK[:, :5]}, "`source_mask` must"),
        (
            {**INPUTS, "source_mask": MASK[:2]},
            "`source` must hold arrays of equally",
        ),
        ({**INPUTS, "source_mask": np.array([7, 4, 1])}, "`source_mask` must"),
    ],
)
def test_a_source_that_does_not_fit_is_refused(source, message):
    with pytest.raises(ValueError, match=message):
        Greedy(3)(_transformer(), source)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source_dim": 0}, "`source_dim` must .*source_dim=0"),
        ({"target_embedding": None}, "`target_embedding` is needed"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(options, message):
    parts = {"source_dim": 5, "target_embedding": layers.PositionalEmbedding(6, 8)}
    with pytest.raises(ValueError, match=message):
        models.Seq2Seq(
            keras.layers.Dense(8),
            models.EncoderStack([layers.TransformerEncoder(16, 2)]),
            models.DecoderStack([layers.TransformerDecoder(16, 2)]),
            **{**parts, **options},
        )


def test_an_embedding_that_shortens_is_refused():
    model = _recurrent(keras.layers.Conv1D(8, 3, strides=2, padding="same"))
    with pytest.raises(ValueError, match="`source_embedding` must give a vector for"):
        model.encode(INPUTS)


def test_models_of_one_source_are_joined():
    with pytest.raises(ValueError, match="the same vocabularies"):
        models.Ensemble([_transformer(), _transformer(source_dim=4)])
