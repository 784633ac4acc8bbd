"""Models that are written outside of the package: what every search relies on."""

import importlib
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_attention.decoding import BeamSearch, Greedy, Sampling
from tests.backends import to_numpy, to_tensors
from tests.own_layers import best_by_enumeration
from tests.tensors import randomize

FOLDER = str(Path(__file__).parents[2] / "examples" / "own_models")
# Padding, unknown, start and end; two words; two that a pointer model can only copy.
WRITTEN, LENGTH = 6, 3
SOURCE = np.array([[4, 5, 7, 6, 3, 0], [6, 4, 3, 0, 0, 0], [5, 5, 4, 4, 5, 3]], "int32")
TARGET = np.array([[2, 4, 5, 4, 5], [2, 5, 5, 1, 4], [2, 3, 4, 5, 5]], "int32")
MODELS = {
    "convolutional": lambda module: module.ConvolutionalModel(8, WRITTEN, 6, 3, 2, 11),
    "plain_gru": lambda module: module.GRUModel(8, WRITTEN, 5),
    "pointer_generator": lambda module: module.PointerGenerator(WRITTEN, 2, 5),
    "retention": lambda module: module.build(8, 8),
}
every_model = pytest.mark.parametrize("name", MODELS)
xla = pytest.mark.parametrize("jit_compile", [False, True], ids=["as it is", "by XLA"])


def load(name):
    """One of the examples, or what they share."""
    sys.path.insert(0, FOLDER)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(FOLDER)


def make(name, seed=0):
    """A small model with random weights."""
    model = MODELS[name](load(name))
    model({"source": SOURCE, "target": TARGET})
    return randomize(model, seed)


def ids_of(name, target=TARGET):
    """Ids of a target, of which a pointer model reads copied words too."""
    copied = np.where(np.arange(target.shape[1]) % 3 == 2, 7, target)
    return copied if name == "pointer_generator" else target


@every_model
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1, 1), (2, 3), (3, 1, 1), (4, 1)], ids=str)
def test_steps_of_any_size_equal_one_pass(name, sizes):
    model, target = make(name), ids_of(name)
    expected = to_numpy(model({"source": SOURCE, "target": target}))
    state, read, logits = model.start(model.encode(to_tensors(SOURCE)), 5), 0, []
    for size in sizes:
        ids = target[:, read : read + size]
        if size == 1:
            found, state, attention = model.step(to_tensors(ids[:, 0]), state, read)
            found, attention = found[:, None], attention[:, None]
        else:
            found, state, attention = model.step(to_tensors(ids), state, read)
        logits.append(to_numpy(found))
        attention, read = to_numpy(attention), read + size
        np.testing.assert_allclose(attention.sum(axis=-1), 1, atol=1e-5)
        assert not attention[np.repeat(SOURCE[:, None] == 0, size, axis=1)].any()
    np.testing.assert_allclose(np.concatenate(logits, axis=1), expected, atol=1e-4)


@every_model
def test_no_position_sees_a_later_one(name):
    model, target = make(name), ids_of(name)
    expected = to_numpy(model({"source": SOURCE, "target": target}))
    for place in range(1, 5):
        changed = np.where(np.arange(5) >= place, 9 - target, target)
        found = to_numpy(model({"source": SOURCE, "target": changed % WRITTEN}))
        same = (changed % WRITTEN == target).cumprod(axis=1).astype(bool)
        assert not same[:, place:].any()
        np.testing.assert_allclose(found[:, :place], expected[:, :place], atol=1e-5)
        assert np.abs(np.exp(found) - np.exp(expected))[:, place].max() > 1e-3


@xla
@every_model
def test_a_wide_beam_finds_what_enumeration_finds(name, jit_compile):
    model = make(name, seed=3)
    vocabulary = model({"source": SOURCE, "target": TARGET}).shape[-1]
    expected = best_by_enumeration(model, SOURCE, LENGTH, None, vocabulary=vocabulary)
    width = len(expected[0])
    search = BeamSearch(width, LENGTH, length_penalty=0.0, jit_compile=jit_compile)
    found = search(model, SOURCE)
    for row, every in enumerate(expected):
        # What a source does not hold cannot be copied from it.
        possible = [(ids, score) for ids, score in every if score > -np.inf]
        count = len(possible)
        assert (count == width) == (name != "pointer_generator" or row == 0)
        scores = [score for _, score in possible]
        np.testing.assert_allclose(found.scores[row][:count], scores, atol=1e-3)
        assert np.isneginf(found.scores[row][count:]).all()
        outputs = zip(found.ids[row], found.lengths[row], strict=True)
        written = [ids[:length].tolist() for ids, length in outputs][:count]
        assert sorted(written) == sorted(ids for ids, _ in possible)
        assert written[0] == possible[0][0]


@pytest.mark.slow
@xla
@every_model
def test_one_beam_and_one_candidate_are_greedy_search(name, jit_compile):
    model = make(name)
    expected = Greedy(6, jit_compile=jit_compile)(model, SOURCE)
    assert (expected.lengths > 0).all()
    for search in (
        BeamSearch(1, 6, length_penalty=0.0, jit_compile=jit_compile),
        Sampling(6, top_k=1, jit_compile=jit_compile),
    ):
        found = search(model, SOURCE)
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
        np.testing.assert_allclose(found.attention, expected.attention, atol=1e-4)


@pytest.mark.slow
@every_model
def test_a_prefix_is_read_in_one_pass(name):
    model, prefix = make(name), np.where(TARGET == 3, 4, TARGET)[:, 1:4]
    found = Greedy(6)(model, SOURCE, prefix)
    np.testing.assert_array_equal(found.ids[:, 0, :3], prefix)
    read = np.concatenate([np.full((3, 1), 2), prefix], axis=1)
    logits = to_numpy(model({"source": SOURCE, "target": read}))[:, -1]
    logits[:, [0, 2]] = -np.inf
    np.testing.assert_array_equal(found.ids[:, 0, 3], logits.argmax(axis=1))


@pytest.mark.slow
@every_model
def test_padding_of_the_source_changes_nothing(name):
    model, target, search = make(name), ids_of(name), BeamSearch(3, 6)
    padded = np.pad(SOURCE, ((0, 0), (0, 4)))
    expected = to_numpy(model({"source": SOURCE, "target": target}))
    found = to_numpy(model({"source": padded, "target": target}))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    expected, found = search(model, SOURCE), search(model, padded)
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
    alone = search(model, SOURCE[1:2, :3])
    np.testing.assert_array_equal(alone.ids[0], expected.ids[1])
    np.testing.assert_allclose(alone.scores[0], expected.scores[1], atol=1e-4)


@every_model
def test_it_is_saved_and_loaded(name, tmp_path):
    model, inputs = make(name), {"source": SOURCE, "target": ids_of(name)}
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        to_numpy(loaded(inputs)), to_numpy(model(inputs)), atol=1e-5
    )


@pytest.mark.slow
@every_model
def test_it_runs_by_its_command_line(name):
    small = ["--pairs", "64", "--tested", "5", "--epochs", "1", "--dim", "8"]
    shares = load(name).main(small)
    assert list(shares) == ["Greedy", "BeamSearch", "Sampling"]
    assert all(0 <= share <= 1 for share in shares.values())
