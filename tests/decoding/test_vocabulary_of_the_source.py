"""Models that can write more ids, the longer their sources are."""

import numpy as np
import pytest
from keras import ops

from keras_attention.decoding import BeamSearch, Greedy, Sampling
from tests.toy_search import Transitions, beam, greedy, outputs

WRITTEN, LENGTH, SOURCE_LENGTHS = 5, 2, (2, 4)
LARGEST = WRITTEN + max(SOURCE_LENGTHS)
TABLE = np.random.default_rng(3).normal(size=(LARGEST, LARGEST)).astype("float32")


class Copying(Transitions):
    """Of the table, the ids of a vocabulary and one for each position of the source."""

    def step(self, ids, state, index):
        logits, state, attention = super().step(ids, state, index)
        return logits[:, : WRITTEN + ops.shape(state[0])[1]], state, attention


@pytest.fixture(params=[False, True], ids=["as it is", "by XLA"])
def find(request):
    """What one search finds for sources of each length, which come after each other."""

    def find(search, **options):
        search = search(jit_compile=request.param, **options)
        model = Copying(TABLE[None], attends=None)
        found = []
        for length in SOURCE_LENGTHS:
            # The first id says which table.
            hypotheses = search(model, np.zeros((2, length), "int32"))
            size = WRITTEN + length
            found.append((hypotheses, TABLE[:size, :size]))
        return found

    return find


def _written(found):
    return [
        ids[:length].tolist()
        for ids, length in zip(found.ids[0], found.lengths[0], strict=True)
        if length
    ]


def test_greedy_search_and_one_sample(find):
    for search, options in ((Greedy, {}), (Sampling, {"top_k": 1})):
        for found, table in find(search, max_length=LENGTH, **options):
            ids, score = greedy(table, LENGTH)
            assert _written(found) == [ids]
            np.testing.assert_allclose(found.scores[0], [score], atol=1e-5)


def test_a_beam_of_more_than_all_ids(find):
    options = {"num_beams": 50, "max_length": LENGTH, "length_penalty": 0.0}
    for suppressed in ((), (4,)):
        for found, table in find(BeamSearch, suppressed_ids=suppressed, **options):
            every = [
                (ids, score)
                for ids, score in outputs(table, LENGTH)
                if not {*ids} & {*suppressed}
            ]
            scores = sorted((score for _, score in every), reverse=True)[:50]
            np.testing.assert_allclose(found.scores[0][: len(scores)], scores, 1e-4)
            assert np.isneginf(found.scores[0][len(scores) :]).all()
            possible = [ids for ids, _ in every]
            assert all(ids in possible for ids in _written(found))


def test_beams_in_groups(find):
    options = {"num_groups": 2, "diversity": 0.7, "length_penalty": 0.0}
    for found, table in find(BeamSearch, num_beams=4, max_length=LENGTH, **options):
        kept = {tuple(ids) for ids, _ in beam(table, LENGTH, 4, 2, 0.7)}
        assert {tuple(ids) for ids in _written(found)} == kept


@pytest.mark.parametrize("options", [{}, {"top_k": 100}, {"top_p": 0.999}], ids=str)
def test_samples_are_of_all_ids(find, options):
    options = {"max_length": 1, "num_samples": 400, "seed": 5, **options}
    for found, table in find(Sampling, **options):
        assert set(found.ids[0, :, 0]) == {1, *range(3, len(table))}


def test_a_prefix_holds_ids_that_are_int32():
    model, source = Copying(TABLE[None], attends=None), np.zeros((1, 2), "int32")
    with pytest.raises(ValueError, match="`prefix` must hold ids from 0 to 2147483647"):
        Greedy(LENGTH)(model, source, prefix=np.array([[2**31]]))
