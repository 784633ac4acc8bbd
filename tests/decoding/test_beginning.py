"""Prefixes and prompts: read in one pass, they give what they give step by step."""

import keras
import numpy as np
import pytest

from keras_attention.decoding import BeamSearch, Greedy, Sampling
from keras_attention.models import language_model
from tests.backends import BACKEND, to_numpy
from tests.small_models import SOURCE, build
from tests.tensors import randomize

LENGTH = 7
PREFIXES = {
    "one of two ids everywhere": [[4, 6, 5], [5, 7, 0], [9, 0, 0]],
    "as long as outputs may be": [[4, 6, 5, 4, 6, 5, 4, 9]] * 3,
    "nothing in one row": [[4, 6], [0, 0], [5, 6]],
}
SEARCHES = {
    "greedy": lambda **options: Greedy(LENGTH, **options),
    "beam": lambda **options: BeamSearch(3, LENGTH, length_penalty=0.0, **options),
    "sampling": lambda **options: Sampling(LENGTH, seed=3, num_samples=2, **options),
}
MODELS = {
    "transformer": lambda: build("transformer", positions="alibi"),
    "rnn": lambda: build("rnn", attention="additive"),
    "rnn without attention": lambda: build("rnn", attention=None, peeky=True),
}
every_search = pytest.mark.parametrize("search", SEARCHES)


def assert_same(found, expected):
    for name, part in expected._asdict().items():
        own = getattr(found, name)
        if part is None:
            assert own is None
        elif name in ("ids", "lengths"):
            np.testing.assert_array_equal(to_numpy(own), to_numpy(part))
        else:
            np.testing.assert_allclose(to_numpy(own), to_numpy(part), atol=1e-4)


@every_search
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("model", MODELS)
def test_a_prefix_read_at_once(model, prefix, search):
    model, prefix = MODELS[model](), np.array(PREFIXES[prefix], "int32")
    search = SEARCHES[search]()
    step_by_step = search.search(model, SOURCE, prefix, given=0)
    assert_same(search.search(model, SOURCE, prefix), step_by_step)
    assert_same(search(model, SOURCE, prefix), step_by_step)
    written = to_numpy(step_by_step.ids)[:, 0]
    for row, own in zip(written, prefix, strict=True):
        own = own[own != 0][:LENGTH]
        np.testing.assert_array_equal(row[: len(own)], own)


@every_search
def test_rows_whose_outputs_are_shorter_than_their_prefix(search):
    model, search = MODELS["transformer"](), SEARCHES[search](max_length_ratio=0.4)
    prefix = np.array([[4, 6, 5]] * 3, "int32")  # of at most 3, 2 and 1 ids
    step_by_step = search.search(model, SOURCE, prefix, given=0)
    assert to_numpy(step_by_step.lengths)[:, 0].tolist() == [3, 2, 1]
    assert_same(search.search(model, SOURCE, prefix), step_by_step)


@every_search
@pytest.mark.parametrize("architecture", ["rnn", "transformer"])
def test_the_prompt_of_a_language_model(search, architecture):
    sizes = {"units": 5} if architecture == "rnn" else {"num_heads": 2}
    model = randomize(language_model(11, architecture, embedding_dim=6, **sizes))
    search = SEARCHES[search]()
    source = np.array([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0], [10, 4, 5, 3, 0]], "int32")
    step_by_step = search.search(model, source, given=0)
    assert_same(search.search(model, source), step_by_step)
    assert_same(search(model, source), step_by_step)
    for row, prompt in enumerate(([4, 5, 6, 7], [8, 9], [10, 4, 5])):
        written = to_numpy(step_by_step.ids)[row, 0]
        np.testing.assert_array_equal(written[: len(prompt)], prompt)


class Counting:
    """A model that counts its steps and the ids that each read."""

    def __init__(self, model):
        self.encode, self.start, self.model = model.encode, model.start, model
        self.prompt = model.prompt
        self.read = []

    def step(self, ids, state, index):
        """As of the model."""
        self.read.append(ids.shape[1] if len(ids.shape) == 2 else 1)
        return self.model.step(ids, state, index)


@pytest.mark.skipif(BACKEND == "jax", reason="a step is traced once, and not again")
def test_a_prompt_takes_one_step():
    model = randomize(language_model(11, "transformer", embedding_dim=6, num_heads=2))
    counting = Counting(model)
    source = np.array([[4, 5, 6, 7, 3], [8, 9, 10, 3, 0]], "int32")
    Greedy(LENGTH).search(counting, keras.ops.convert_to_tensor(source))
    # The start and three ids of each row, then one by one.
    assert counting.read[0] == 4
    assert set(counting.read[1:]) <= {1}
