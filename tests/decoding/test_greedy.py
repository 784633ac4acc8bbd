"""Greedy search on tables of transitions and on models."""

import functools

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.decoding import Greedy, Hypotheses
from tests.backends import compiled, one_operation_at_a_time, to_numpy
from tests.small_models import SOURCE, build
from tests.tensors import normal
from tests.toy_search import END, PAD, START, Transitions, greedy

KINDS, VOCABULARY, LENGTH = 3, 7, 5
SOURCES = np.array([[0, 4, 4], [1, 4, 4], [2, 4, 4], [1, 5, 5]], "int32")
MODELS = {
    "transformer": ("transformer", {}),
    "rnn": ("rnn", {"bidirectional": True}),
    "rnn without attention": ("rnn", {"attention": None}),
}
every_model = pytest.mark.parametrize("name", list(MODELS))


def _tables(seed, end_bonus=0.0):
    tables = np.random.default_rng(seed).normal(size=(KINDS, VOCABULARY, VOCABULARY))
    tables[:, :, END] += end_bonus
    return 2 * tables.astype("float32")


@functools.cache
def _search(attends):
    def run(tables, source):
        model = Transitions(tables, attends)
        found = Greedy(LENGTH).search(model, source)
        return [part for part in found if part is not None]

    return compiled(run)


def _found(tables, attends="number"):
    parts = to_numpy(_search(attends)(tables, SOURCES))
    return Hypotheses(*parts, *([] if attends else [None]))


@given(seed=st.integers(0, 10_000), end_bonus=st.sampled_from([-9.0, 0.0, 1.0, 9.0]))
def test_ids_lengths_and_scores_are_those_of_a_loop(seed, end_bonus):
    tables = _tables(seed, end_bonus)
    found = _found(tables)
    for row, (kind, *_) in enumerate(SOURCES):
        ids, score = greedy(tables[kind], LENGTH)
        padding = [PAD] * (LENGTH - len(ids))
        assert found.ids[row, 0].tolist() == ids + padding
        assert found.lengths[row, 0] == len(ids)
        np.testing.assert_allclose(found.scores[row, 0], score, atol=1e-4)


@given(seed=st.integers(0, 10_000))
def test_attention_is_that_of_each_step_and_zero_behind_the_end(seed):
    found = _found(_tables(seed, 1.0))
    for row, length in enumerate(found.lengths[:, 0]):
        steps = np.arange(LENGTH)
        expected = np.eye(3)[steps % 3] * (steps < length)[:, None]
        np.testing.assert_array_equal(found.attention[row, 0], expected)


def test_neither_padding_nor_start_is_ever_written():
    tables = _tables(5, -9.0)
    tables[:, :, [PAD, START]] += 50
    found = _found(tables)
    assert (found.lengths == LENGTH).all()
    assert not np.isin(found.ids, [PAD, START]).any()
    # They keep their share of the probability all the same.
    assert (found.scores < -40 * LENGTH).all()


def test_a_model_may_have_no_attention():
    tables = _tables(5)
    found = _found(tables, attends=None)
    assert found.attention is None
    np.testing.assert_array_equal(found.ids, _found(tables).ids)


@pytest.mark.parametrize("last_step", [1, 3, 8])
def test_it_stops_once_every_row_has_ended(last_step):
    tables = np.full((KINDS, 16, 16), -9.0, "float32")
    for ids in range(4, 15):
        tables[:, ids, ids + 1] = 9
    first = 17 - last_step
    tables[0, START, END] = 9
    tables[1, START, first if last_step > 1 else END] = 9
    tables[1, 15, END] = 99
    model = Transitions(tables)
    source = keras.ops.convert_to_tensor(SOURCES[:2])
    with one_operation_at_a_time():
        found = Greedy(max_length=11).search(model, source)
    lengths = to_numpy(found.lengths)[:, 0].tolist()
    assert lengths == [1, last_step]
    assert model.steps == last_step


def test_an_end_at_the_last_step_counts():
    tables = np.full((KINDS, 16, 16), -9.0, "float32")
    tables[:, START, 4] = tables[:, 4, 5] = tables[:, 5, END] = 9
    source = keras.ops.convert_to_tensor(SOURCES)
    found = to_numpy(Greedy(max_length=3).search(Transitions(tables), source))
    assert found.ids[:, 0].tolist() == [[4, 5, END]] * 4
    assert (found.lengths == 3).all()


def _by_full_passes(model, source, max_length):
    """Greedy search that reads everything anew for each id."""
    target = np.zeros((len(source), max_length + 1), "int32")
    target[:, 0] = START
    scores, ended = np.zeros(len(source)), np.zeros(len(source), "bool")
    for index in range(max_length):
        logits = to_numpy(model({"source": source, "target": target}))[:, index]
        shifted = logits - logits.max(axis=-1, keepdims=True)
        log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        log_probs[:, [PAD, START]] = -np.inf
        best = log_probs.argmax(axis=-1)
        scores += np.where(ended, 0, log_probs.max(axis=-1))
        target[:, index + 1] = np.where(ended, PAD, best)
        ended |= best == END
    return target[:, 1:], scores


@every_model
def test_it_chooses_what_repeated_full_passes_choose(name):
    architecture, options = MODELS[name]
    model = build(architecture, **options)
    found = Greedy(max_length=6)(model, SOURCE)
    ids, scores = _by_full_passes(model, SOURCE, 6)
    np.testing.assert_array_equal(found.ids[:, 0], ids)
    np.testing.assert_allclose(found.scores[:, 0], scores, atol=1e-3)
    np.testing.assert_array_equal(found.lengths[:, 0], (ids != PAD).sum(axis=1))
    if name == "rnn without attention":
        assert found.attention is None
        return
    assert found.attention.shape == (3, 1, 6, 7)
    written = found.ids != PAD
    np.testing.assert_allclose(found.attention[written].sum(axis=-1), 1, atol=1e-5)
    assert not found.attention[~written].any()
    assert not found.attention[:, 0].transpose(0, 2, 1)[SOURCE == 0].any()


@every_model
def test_compiled_by_xla_it_finds_the_same(name):
    architecture, options = MODELS[name]
    model = build(architecture, **options)
    expected = Greedy(max_length=6)(model, SOURCE)
    found = Greedy(max_length=6, jit_compile=True)(model, SOURCE)
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.lengths, expected.lengths)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)


@pytest.mark.one_backend
@pytest.mark.parametrize("name", ["transformer", "rnn"])
def test_rows_find_the_same_alone(name):
    architecture, options = MODELS[name]
    model, search = build(architecture, **options), Greedy(max_length=6)
    together = search(model, SOURCE)
    alone = search(model, SOURCE[1:2, :5])
    np.testing.assert_array_equal(alone.ids[0], together.ids[1])
    np.testing.assert_allclose(alone.scores[0], together.scores[1], atol=1e-4)


def test_a_row_of_padding_alone_is_searched_too():
    model = build("transformer")
    source = SOURCE.copy()
    source[0] = 0
    found = Greedy(max_length=6)(model, source)
    assert np.isfinite(found.scores).all()
    assert not found.attention[0].any()
    expected = Greedy(max_length=6)(model, SOURCE)
    np.testing.assert_array_equal(found.ids[1:], expected.ids[1:])


def test_it_follows_the_weights_and_the_model():
    model, search = build("transformer"), Greedy(max_length=6)
    before = search(model, SOURCE)
    model.set_weights([0.7 * weight for weight in model.get_weights()])
    after = search(model, SOURCE)
    assert not np.allclose(before.scores, after.scores, atol=1e-3)
    np.testing.assert_allclose(
        after.scores, Greedy(max_length=6)(model, SOURCE).scores, atol=1e-5
    )
    other = build("transformer", num_layers=1)
    np.testing.assert_allclose(
        search(other, SOURCE).scores,
        Greedy(max_length=6)(other, SOURCE).scores,
        atol=1e-5,
    )


@pytest.mark.one_backend
def test_scores_are_float32_in_half_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    found = Greedy(max_length=6)(build("transformer"), SOURCE)
    assert found.scores.dtype == found.attention.dtype == np.float32
    assert np.isfinite(found.scores).all()


def test_lists_are_sources():
    model, search = build("rnn"), Greedy(max_length=4)
    found = search(model, SOURCE.tolist())
    np.testing.assert_array_equal(found.ids, search(model, SOURCE).ids)


@pytest.mark.parametrize("max_length", [0, -1, 2.5, None])
def test_a_wrong_length_is_named(max_length):
    message = f"`max_length` must be .* Received: max_length={max_length}"
    with pytest.raises(ValueError, match=message):
        Greedy(max_length)


@pytest.mark.parametrize(
    ("source", "received"),
    [
        (np.ones((3, 5), "float32"), r"shape=\(3, 5\), dtype=float32"),
        (np.ones(5, "int32"), r"shape=\(5,\), dtype=int32"),
        (np.full((1, 5), 99), "ids from 99 to 99"),
        (np.full((1, 5), 2**32), "ids from 4294967296"),
    ],
)
def test_a_wrong_source_is_named(source, received):
    with pytest.raises(ValueError, match=f"`source` must .* Received: {received}"):
        Greedy(3)(build("transformer", num_layers=1), source)


def test_it_is_made_anew_of_its_configuration():
    search = Greedy(max_length=6, jit_compile=True)
    config = keras.saving.serialize_keras_object(search)
    restored = keras.saving.deserialize_keras_object(config)
    assert isinstance(restored, Greedy)
    assert restored.get_config() == search.get_config()
    assert restored.get_config()["jit_compile"]
    assert repr(restored) == "Greedy(max_length=6)"


def test_a_search_meets_the_kernels_that_a_model_has_now():
    model, search = build("transformer", num_layers=1), Greedy(LENGTH)
    before = search(model, SOURCE).scores
    model.output_projection.enable_lora(2)
    for weight in model.output_projection.trainable_weights:
        if "lora" in weight.name:
            weight.assign(normal(*weight.shape))
    after = search(model, SOURCE).scores
    assert not np.allclose(after, before)
    np.testing.assert_allclose(after, Greedy(LENGTH)(model, SOURCE).scores, atol=1e-5)
