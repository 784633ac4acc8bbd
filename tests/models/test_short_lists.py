"""Outputs made of a short list of ids for each source."""

import warnings

import keras
import numpy as np
import pytest

from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.models import Ensemble, Seq2Seq
from keras_attention.translation.candidates import search_in_lists
from tests.backends import to_numpy
from tests.small_models import MODELS, SOURCE, TARGET, build, name_of

# Padding, the start, the end, and others in no order.
LISTS = np.array(
    [[0, 2, 3, 9, 4, 7, 5], [0, 2, 3, 10, 8, 0, 0], [0, 2, 3, 6, 5, 4, 8]], "int32"
)
SEARCHES = [
    Greedy(6),
    Greedy(6, suppressed_ids=[9], no_repeat_ngram_size=1),
    Greedy(6, min_length=3, repetition_penalty=1.3, renormalize=True),
    BeamSearch(3, 6),
    BeamSearch(3, 6, finished="replace", stopping="count", suppressed_ids=[4, 5]),
    BeamSearch(4, 6, num_groups=2, no_repeat_ngram_size=2),
]


class Masked:
    """A model of which ids that are in no list are impossible."""

    def __init__(self, model, lists):
        self._model = model
        vocabulary = np.arange(model.target_embedding.vocabulary_size)
        is_listed = (lists[:, :, None] == vocabulary).any(axis=1)
        self._bias = np.where(is_listed & (vocabulary != 0), 0.0, -1e9)

    def encode(self, source):
        return self._model.encode(source)

    def start(self, memory, max_length):
        bias = keras.ops.convert_to_tensor(self._bias.astype("float32"))
        return {"own": self._model.start(memory, max_length), "bias": bias}

    def step(self, ids, state, index):
        logits, own, attention = self._model.step(ids, state["own"], index)
        bias = state["bias"]
        if len(logits.shape) == 3:
            bias = bias[:, None]
        return logits + bias, {**state, "own": own}, attention

    def expand(self, state, count):
        bias = keras.ops.repeat(state["bias"], count, axis=0)
        return {"own": self._model.expand(state["own"], count), "bias": bias}

    def reorder(self, state, parents):
        return {**state, "own": self._model.reorder(state["own"], parents)}


class Mean:
    """Models whose probabilities are averaged."""

    def __init__(self, models):
        self._models = models

    def encode(self, source):
        return [model.encode(source) for model in self._models]

    def start(self, memory, max_length):
        pairs = zip(self._models, memory, strict=True)
        return [model.start(own, max_length) for model, own in pairs]

    def step(self, ids, state, index):
        pairs = zip(self._models, state, strict=True)
        logits, states, _ = zip(
            *(model.step(ids, own, index) for model, own in pairs), strict=True
        )
        mean = sum(map(keras.ops.softmax, logits)) / len(logits)
        return keras.ops.log(mean), [*states], None


def mask(model, lists):
    """The model, or the models of an ensemble, of which other ids are impossible."""
    if isinstance(model, Ensemble):
        return Mean([Masked(part, lists) for part in model.models])
    return Masked(model, lists)


def without_suppressed(lists, search):
    """Lists in which no suppressed id is."""
    gone = np.isin(lists, search.constraints.suppressed_ids)
    return np.where(gone, 0, lists)


def assert_same(model, search, lists=LISTS, source=SOURCE, departures=0):
    lists = without_suppressed(lists, search)
    expected, _ = search.search_in_room(mask(model, lists), source, 6)
    given = keras.ops.convert_to_tensor(lists)
    found, is_done = search_in_lists(
        search, model, source, given, room=6, departures=departures
    )
    np.testing.assert_array_equal(to_numpy(found.ids), to_numpy(expected.ids))
    np.testing.assert_array_equal(to_numpy(found.lengths), to_numpy(expected.lengths))
    np.testing.assert_allclose(
        to_numpy(found.scores), to_numpy(expected.scores), rtol=1e-5, atol=1e-5
    )
    assert to_numpy(is_done).all()


@pytest.mark.parametrize("case", MODELS, ids=name_of)
def test_a_search_finds_what_it_finds_where_other_ids_are_impossible(case):
    architecture, options = case
    model = build(architecture, **options)
    size = model.target_embedding.vocabulary_size
    lists = np.where(size > LISTS, LISTS, 0)
    assert_same(model, SEARCHES[0], lists)
    assert_same(model, SEARCHES[3], lists)


@pytest.mark.parametrize("search", SEARCHES, ids=repr)
def test_rules_hold_within_a_list(search):
    assert_same(build("transformer"), search)
    assert_same(build("rnn"), search)


def test_coverage_is_paid_within_a_list():
    search = BeamSearch(3, 6, coverage_penalty=0.3)
    assert_same(build("rnn"), search)


def test_models_that_write_as_one_share_a_list():
    models = [build("transformer"), build("rnn")]
    assert_same(Ensemble(models), SEARCHES[0])
    assert_same(Ensemble(models), SEARCHES[4])


def test_lists_leave_with_their_sources():
    rng = np.random.default_rng(0)
    source = rng.integers(4, 11, (80, 5)).astype("int32")
    ids = np.array([rng.permutation(np.arange(4, 13))[:5] for _ in range(80)])
    lists = np.concatenate([np.tile([0, 2, 3], (80, 1)), ids], axis=1).astype("int32")
    model = build("transformer")
    assert_same(model, Greedy(6), lists, source, departures=2)
    assert_same(model, SEARCHES[4], lists, source, departures=2)


@pytest.mark.skipif(
    keras.config.backend() == "jax",
    reason="JAX traces a step of no rows, for which only graphs of TensorFlow ask",
)
def test_no_source_has_no_list():
    model = build("transformer")
    lists = keras.ops.convert_to_tensor(LISTS[:0])
    for search in (SEARCHES[0], SEARCHES[3]):
        found, _ = search_in_lists(
            search, model, SOURCE[:0], lists, room=6, departures=0
        )
        assert found.ids.shape[0] == 0


def end_with(output):
    """A model with this output layer."""
    model = build("transformer")
    return Seq2Seq(
        model.source_embedding,
        model.encoder,
        model.decoder,
        model.target_embedding,
        output,
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: build("transformer"),
        lambda: end_with(None),
        lambda: end_with(keras.layers.Dense(13, use_bias=False)),
    ],
    ids=["dense", "tied", "without bias"],
)
@pytest.mark.parametrize("quantized", [False, True])
def test_logits_of_a_list_are_those_of_the_vocabulary(make, quantized):
    model = make()
    tolerance = 1e-5
    if quantized:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Layer .* `quantize` method")
            warnings.filterwarnings("ignore", r"`model.quantize\(\)`: .* skipped")
            model.quantize("int8")
        tolerance = 0.05  # Keras rounds what is multiplied by the kernel too
    state = model.start(model.encode(SOURCE), 5)
    logits, _, _ = model.step(TARGET, state, 0)
    rows = model.output_rows(keras.ops.convert_to_tensor(LISTS))
    listed, _, _ = model.step(TARGET, state, 0, rows)
    expected = np.take_along_axis(to_numpy(logits), LISTS[:, None], axis=2)
    is_listed = np.broadcast_to(LISTS[:, None] != 0, expected.shape)
    listed = to_numpy(listed)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(
        listed[is_listed], expected[is_listed], atol=tolerance * scale
    )
    assert (listed[~is_listed] < -1e8).all()


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_a_list_is_scored_in_the_precision_of_its_model(dtype):
    keras.config.set_dtype_policy(dtype)
    model = build("transformer")
    found, _ = search_in_lists(
        Greedy(4),
        model,
        SOURCE,
        keras.ops.convert_to_tensor(LISTS),
        room=4,
        departures=0,
    )
    scores = to_numpy(found.scores)
    assert scores.dtype == "float32"
    assert np.isfinite(scores).all()
    assert (to_numpy(found.ids) != 1).all()


def test_what_gives_its_logits_in_its_own_way_has_no_rows():
    class Doubled(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True
            self.dense = keras.layers.Dense(13)

        def call(self, inputs):
            return 2 * self.dense(inputs)

    assert build("transformer").has_output_rows
    assert not end_with(Doubled()).has_output_rows
