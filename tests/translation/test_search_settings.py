"""Searches as data."""

import keras
import pytest

from keras_attention.decoding import BeamSearch, Greedy, Sampling
from keras_attention.translation.search_settings import SearchSettings

SEARCHES = [
    Greedy(7, min_length=2),
    BeamSearch(3, 5, normalization="length", suppressed_ids=[1]),
    Sampling(9, temperature=0.5, top_k=4, seed=3),
]


@pytest.mark.parametrize("search", SEARCHES, ids=repr)
def test_a_search_is_made_again_of_what_keras_serializes(search):
    document = keras.saving.serialize_keras_object(search)
    found = SearchSettings.read(document, "file")
    assert found == SearchSettings.of(search)
    made = found.make()
    assert type(made) is type(search)
    assert made.get_config() == search.get_config()


@pytest.mark.parametrize("search", SEARCHES, ids=repr)
@pytest.mark.parametrize("kind", [Greedy, BeamSearch, Sampling])
def test_another_kind_has_its_own_defaults_and_keeps_what_all_have(search, kind):
    found = SearchSettings.of(search).changed(kind.__name__)
    if type(search) is kind:
        assert found == SearchSettings.of(search)
        return
    shared = Greedy(1).get_config().keys()
    config = search.get_config()
    expected = kind(**{name: config[name] for name in shared}).get_config()
    assert found.make().get_config() == found.config == expected


@pytest.mark.parametrize("search", SEARCHES, ids=repr)
def test_what_an_earlier_version_did_not_write_is_the_default(search):
    kind = type(search)
    document = {"class_name": kind.__name__, "config": {"max_length": 4}}
    expected = kind(max_length=4).get_config()
    assert SearchSettings.read(document, "file").config == expected


class Own(Greedy):
    pass


def test_other_searches_are_refused():
    with pytest.raises(ValueError, match="must be one of Greedy, BeamSearch, Sampling"):
        SearchSettings.of(Own(3))
    with pytest.raises(ValueError, match="'file' names an unknown search"):
        SearchSettings.read({"class_name": "Own", "config": {}}, "file")
