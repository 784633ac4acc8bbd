"""Rows that have ended leave the others, and what is found stays the same."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention import functional
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.decoding.steps import count_departures
from keras_attention.models import Ensemble
from tests.backends import BACKEND, to_numpy
from tests.small_models import MODELS, SOURCE, build

MANY = np.tile(SOURCE, (6, 1))[:17]
LIMITS = np.array([3, 1, 6, 2, 2, 5, 1, 4, 2, 6, 1, 1, 3, 2, 4, 1, 2], "int32")
SEARCHES = [  # Limits end the rows, one after the other.
    Greedy(6, min_length=6),
    BeamSearch(3, 6, min_length=6),
    BeamSearch(2, 6, min_length=6, finished="replace", coverage_penalty=0.2),
]


def _check(model, search, departures=1, room=5):
    search = search.with_options(max_length=ops.convert_to_tensor(LIMITS))
    source = ops.convert_to_tensor(MANY)
    plain, is_done = search.search_in_room(model, source, room)
    found, is_found = search.search_in_room(model, source, room, departures)
    np.testing.assert_array_equal(to_numpy(is_found), to_numpy(is_done))
    np.testing.assert_array_equal(to_numpy(found.ids), to_numpy(plain.ids))
    np.testing.assert_array_equal(to_numpy(found.lengths), to_numpy(plain.lengths))
    np.testing.assert_allclose(
        to_numpy(found.scores), to_numpy(plain.scores), atol=1e-5
    )
    assert not to_numpy(is_done).all()
    return to_numpy(plain.lengths)


@pytest.mark.parametrize("search", SEARCHES, ids=["greedy", "keep", "replace"])
@pytest.mark.parametrize(("architecture", "options"), MODELS)
def test_what_is_found_is_the_same(architecture, options, search):
    if options.get("attention", True) is None and getattr(
        search, "coverage_penalty", 0
    ):
        pytest.skip("coverage needs attention")
    lengths = _check(build(architecture, **options), search)
    assert len({*lengths[:, 0]}) > 2


@pytest.mark.parametrize("departures", [2, 3])
def test_rows_may_leave_several_times(departures):
    _check(build("transformer"), SEARCHES[1], departures)


def test_rows_of_an_ensemble_leave():
    models = [build("transformer"), build("rnn", target_vocabulary_size=13)]
    _check(Ensemble(models), BeamSearch(2, 6, min_length=6))


class Counted:
    """A model that notes of how many rows its steps are, with a state of its own."""

    def __init__(self, model, mark):
        self.model, self.mark, self.rows = model, mark, set()
        self.start_id, self.end_id = 2, 3
        self.encode = model.encode

    def start(self, memory, max_length):
        return {"own": self.model.start(memory, max_length), "mark": self.mark}

    def step(self, ids, state, index):
        self.rows.add(ids.shape[0])
        logits, own, attention = self.model.step(ids, state["own"], index)
        return logits, {**state, "own": own}, attention

    def expand(self, state, count):
        return {**state, "own": self.model.expand(state["own"], count)}

    def reorder(self, state, parents):
        return {**state, "own": self.model.reorder(state["own"], parents)}


@pytest.mark.parametrize("size", [(17,), (34, 2), (), (5,), (4, 17)])
def test_a_state_without_rows_stays(size):
    mark = ops.zeros(size)
    model = Counted(build("transformer"), mark)
    _check(model, BeamSearch(2, 6, min_length=6))
    has_rows = size in {(17,), (34, 2)}
    assert model.rows == ({34, 8} if has_rows else {34})


def test_rows_go_back_to_where_they_were():
    state = {
        "sources": ops.arange(3),
        "nothing": None,
        "rows": ops.reshape(ops.arange(12), (6, 2)),
    }
    chosen = ops.convert_to_tensor([2, 0])
    taken = functional.take_sources(state, chosen, 3)
    assert taken["nothing"] is None
    np.testing.assert_array_equal(to_numpy(taken["sources"]), [2, 0])
    np.testing.assert_array_equal(to_numpy(taken["rows"])[:, 0], [8, 10, 0, 2])
    negative = keras.tree.map_structure(
        lambda part: None if part is None else -part, taken
    )
    put = functional.put_sources(state, chosen, 3, negative)
    np.testing.assert_array_equal(to_numpy(put["sources"]), [0, 1, -2])
    np.testing.assert_array_equal(to_numpy(put["rows"])[:, 0], [0, -2, 4, 6, -8, -10])


def test_few_hypotheses_stay():
    counts = [count_departures(number, 1) for number in (0, 1, 63, 64, 255, 256, 1024)]
    assert counts == [0, 0, 0, 1, 1, 2, 3]
    assert count_departures(16, 4) == count_departures(4, 16) == 1
    assert count_departures(3, 64) == 0  # one of them could not be alone


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="graphs are of TensorFlow")
@pytest.mark.parametrize("search", SEARCHES[:2], ids=["greedy", "keep"])
@pytest.mark.parametrize(("architecture", "options"), MODELS[::4])
def test_rows_leave_in_a_graph_of_any_size(architecture, options, search):
    import tensorflow as tf

    model = build(architecture, **options)
    sizes = [tf.TensorSpec([None] * rank, "int32") for rank in (2, 1)]

    @tf.function(input_signature=sizes, autograph=False)
    def find(source, limits, departures=1):
        own = search.with_options(max_length=limits)
        return own.search_in_room(model, source, 5, departures)[0][:3]

    nodes = find.get_concrete_function().graph.as_graph_def().node
    kinds = {node.name: node.op.removeprefix("Stateless") for node in nodes}
    loops = [name for name, kind in kinds.items() if kind == "While"]
    assert len([name for name in loops if "encoder" not in name]) == 2
    inputs = map(tf.constant, (MANY, LIMITS))
    plain = find.python_function(*inputs, departures=0)
    for found, expected in zip(find(MANY, LIMITS), plain, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
