"""Alignments and scores of one's own in `Attention`."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention import functional, layers, models
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.layers import Attention, LocalAlignment, MonotonicAlignment
from tests import oracles
from tests.backends import to_numpy
from tests.own_layers import best_by_enumeration
from tests.tensors import normal, randomize, real_positions, token_ids

QUERY, VALUE = normal(3, 5, 11), normal(3, 7, 11, seed=1)
KEPT = real_positions([7, 5, 0], 7)
SOURCE = token_ids(2, 4, vocabulary=11) * real_positions([4, 2], 4)


@keras.saving.register_keras_serializable("keras_attention_tests")
class Sharpening(layers.Alignment):
    """A softmax that is the sharper, the more queries have come before."""

    def build(self, query_shape):
        self.rate = self.add_weight(name="rate", initializer="ones")

    def state_sizes(self, source):
        return [1]

    def compute_weights(self, query, scores, mask, state, *, training=None, noise=None):
        asked = state[0] + ops.arange(ops.shape(scores)[1], dtype=state[0].dtype)
        sharpness = 1 + ops.expand_dims(asked, -1) * self.rate
        count = ops.cast(ops.shape(scores)[1], state[0].dtype)
        return functional.masked_softmax(sharpness * scores, mask), [state[0] + count]


@keras.saving.register_keras_serializable("keras_attention_tests")
class WeighedDistance(keras.layers.Layer):
    """A score with weights of its own, in a layer: a distance by axes."""

    def build(self, query_shape, key_shape):
        self.axes = self.add_weight(shape=(query_shape[-1],), initializer="ones")

    def call(self, query, key):
        difference = ops.expand_dims(query, 2) - ops.expand_dims(key, 1)
        return -ops.sum(ops.square(difference * self.axes), axis=-1)


NAMED = {
    "local_m": (LocalAlignment(2), {"alignment": "local_m", "window": 2}),
    "local_p": (LocalAlignment(2, True), {"alignment": "local_p", "window": 2}),
    "monotonic": (
        MonotonicAlignment(hard=True, stop_bias=-0.5),
        {"alignment": "monotonic", "hard": True, "stop_bias": -0.5},
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_layer_is_as_good_as_its_name(name):
    given, options = NAMED[name]
    own, named = Attention(alignment=given), Attention(**options)
    for layer in (own, named):
        layer.build(QUERY.shape, VALUE.shape)
    own.set_weights(randomize(named).get_weights())
    np.testing.assert_array_equal(
        to_numpy(own(QUERY, VALUE, value_mask=KEPT)),
        to_numpy(named(QUERY, VALUE, value_mask=KEPT)),
    )


def test_weights_are_those_of_the_alignment():
    layer = Attention("scaled_dot", alignment=Sharpening())
    layer.build(QUERY.shape, VALUE.shape)
    rate = float(to_numpy(randomize(layer).weights[0]))
    _, weights = layer(QUERY, VALUE, value_mask=KEPT, return_attention_scores=True)
    for row, step in np.ndindex(3, 5):
        scores = [oracles.scaled_dot(QUERY[row, step], key) for key in VALUE[row]]
        expected = oracles.masked_softmax(
            (1 + step * rate) * np.array(scores), KEPT[row]
        )
        np.testing.assert_allclose(to_numpy(weights)[row, step], expected, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [{"alignment": Sharpening()}, {"score": WeighedDistance()}],
    ids=["alignment", "score"],
)
def test_a_model_with_it_is_saved_loaded_and_cloned(options, tmp_path):
    query, value = keras.Input((None, 11)), keras.Input((None, 11))
    model = keras.Model([query, value], Attention(**options)(query, value))
    expected = to_numpy(randomize(model)([QUERY, VALUE]))
    assert len(model.weights) == 1
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    for other in (loaded, clone):
        np.testing.assert_array_equal(to_numpy(other([QUERY, VALUE])), expected)


STEPPED = {
    "score": lambda: Attention(WeighedDistance()),
    "own": lambda: Attention("general", alignment=Sharpening()),
    "local_m": lambda: Attention("general", alignment=LocalAlignment(2)),
    "local_p": lambda: Attention("general", alignment=LocalAlignment(2, True)),
    "monotonic": lambda: Attention("cosine", alignment="monotonic"),
    "sum": lambda: Attention("additive", units=6, coverage="sum"),
    "fertility": lambda: Attention("additive", units=6, coverage="fertility"),
}


def _steps(layer, query, state, sizes):
    contexts, all_weights, index = [], [], 0
    for size in sizes:
        now = ops.convert_to_tensor(query[:, index : index + size])
        context, state, weights = layer.step(now, state, index)
        contexts.append(to_numpy(context))
        all_weights.append(to_numpy(weights))
        index += size
    return np.concatenate(contexts, 1), np.concatenate(all_weights, 1), state


@pytest.mark.parametrize("name", STEPPED)
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1, 1), (2, 3), (5,)], ids=str)
def test_steps_equal_one_pass(name, sizes):
    layer = STEPPED[name]()
    layer.build(QUERY.shape, VALUE.shape)
    randomize(layer)
    scores = {"return_attention_scores": True}
    expected = to_numpy(layer(QUERY, VALUE, value_mask=KEPT, **scores))
    state = layer.start(ops.convert_to_tensor(VALUE), memory_mask=KEPT)
    *found, _ = _steps(layer, QUERY, state, sizes)
    for own, whole in zip(found, expected, strict=True):
        np.testing.assert_allclose(own, whole, atol=1e-5)


@pytest.mark.parametrize("name", STEPPED)
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1, 1), (2, 3)], ids=str)
def test_steps_that_attend_to_what_they_read_equal_one_pass(name, sizes):
    layer = STEPPED[name]()
    layer.build(QUERY.shape, QUERY.shape)
    randomize(layer)
    scores = {"return_attention_scores": True}
    context, weights = layer(QUERY, QUERY, use_causal_mask=True, **scores)
    # More room than is read changes nothing.
    state = layer.start(ops.convert_to_tensor(VALUE), 8)
    *found, _ = _steps(layer, QUERY, state, sizes)
    np.testing.assert_allclose(found[0], to_numpy(context), atol=1e-5)
    np.testing.assert_allclose(found[1][..., :5], to_numpy(weights), atol=1e-5)
    assert not found[1][..., 5:].any()


@pytest.mark.parametrize("name", ["own", "monotonic", "fertility"])
def test_hypotheses_go_on_from_their_parents(name):
    layer = STEPPED[name]()
    layer.build(QUERY.shape, VALUE.shape)
    randomize(layer)
    state = layer.start(ops.convert_to_tensor(VALUE), memory_mask=KEPT)
    state = functional.expand_state(layer, state, 2)
    queries = normal(6, 3, 11, seed=4)
    *_, state = _steps(layer, queries[:, :2], state, (1, 1))
    parents = np.array([1, 1, 2, 2, 5, 4])
    state = functional.reorder_state(layer, state, ops.convert_to_tensor(parents))
    found, _, _ = layer.step(ops.convert_to_tensor(queries[:, 2:]), state, 2)
    history = np.concatenate([queries[parents, :2], queries[:, 2:]], axis=1)
    expected = layer(
        history, np.repeat(VALUE, 2, axis=0), value_mask=np.repeat(KEPT, 2, axis=0)
    )
    np.testing.assert_allclose(
        to_numpy(found)[:, 0], to_numpy(expected)[:, 2], atol=1e-5
    )


@pytest.mark.parametrize("name", STEPPED)
def test_what_comes_later_is_not_seen(name):
    layer = STEPPED[name]()
    layer.build(QUERY.shape, QUERY.shape)
    randomize(layer)
    whole = to_numpy(layer(QUERY, QUERY, use_causal_mask=True))
    part = to_numpy(layer(QUERY[:, :3], QUERY[:, :3], use_causal_mask=True))
    np.testing.assert_allclose(whole[:, :3], part, atol=1e-6)


@pytest.mark.parametrize("builder", ["recurrent", "transformer"])
def test_beams_find_what_enumeration_finds(builder):
    def attention():
        return Attention("general", alignment=Sharpening())

    sizes = {"embedding_dim": 8, "dropout": 0.0}
    if builder == "recurrent":
        model = models.rnn_seq2seq(11, 6, units=8, attention=attention(), **sizes)
    else:
        model = models.transformer(
            11,
            6,
            num_layers=1,
            num_heads=2,
            attention=attention,
            cross_attention=attention,
            **sizes,
        )
    model = randomize(model, seed=5)
    found = BeamSearch(64, max_length=3, length_penalty=0.0)(model, SOURCE)
    for row, best in enumerate(best_by_enumeration(model, SOURCE, 3, 5)):
        for place, (ids, score) in enumerate(best):
            own = found.ids[row, place, : found.lengths[row, place]].tolist()
            assert own == ids
            np.testing.assert_allclose(found.scores[row, place], score, atol=1e-4)
    greedy, one = Greedy(3)(model, SOURCE), BeamSearch(1, 3)(model, SOURCE)
    np.testing.assert_array_equal(greedy.ids, one.ids)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LocalAlignment(0), "`window` must .* window=0"),
        (lambda: MonotonicAlignment(noise=-1.0), "`noise` must not .* noise=-1.0"),
        (lambda: Attention(alignment=Sharpening), "`alignment` must be one of"),
        (lambda: Attention(alignment=Sharpening(), window=3), "`window` is only for"),
        (
            lambda: Attention(alignment=LocalAlignment(2), hard=True),
            "`hard` is only for",
        ),
    ],
)
def test_what_does_not_fit_is_said(make, message):
    with pytest.raises(ValueError, match=message):
        make()
