"""Translators that come along are found by their names."""

import numpy as np
import pytest

from keras_attention import Translator
from keras_attention.translation import shipped
from tests.backends import BACKEND
from tests.translators import translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="tokenizers of these tests are of TensorFlow"
)


def assert_same(found, expected):
    pairs = (one.model.get_weights() for one in (found, expected))
    for one, other in zip(*pairs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_those_of_a_checkout_and_of_a_distribution_are_found(tmp_path, monkeypatch):
    checkout, site = tmp_path / "models", tmp_path / "site"
    translator().save(checkout / "one")
    package = site / shipped.MODULE
    translator("recurrent").save(package / "two")
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(shipped, "CHECKOUT", checkout)
    assert_same(Translator.from_preset("one"), translator())
    with pytest.raises(ValueError, match=r"one of \['one'\]. Received: name='two'"):
        Translator.from_preset("two")
    monkeypatch.syspath_prepend(site)
    assert_same(Translator.from_preset("two"), translator("recurrent"))
    with pytest.raises(ValueError, match=r"one of \['one', 'two'\]"):
        Translator.from_preset("../one")


def test_where_there_is_none_the_distribution_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "CHECKOUT", tmp_path)
    monkeypatch.setattr(shipped, "MODULE", "no_such_module")
    with pytest.raises(FileNotFoundError, match=r"pip install keras-attention-models"):
        Translator.from_preset("tatoeba_en_fr")


PRESETS = sorted(path.parent.name for path in shipped.CHECKOUT.glob("*/README.md"))


@pytest.mark.parametrize("name", PRESETS)
def test_each_model_of_the_checkout_is_small_and_has_a_page(name):
    folder = shipped.find_preset(name)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 6e6
    page = (folder / "README.md").read_text("utf-8")
    assert f'from_preset("{name}")' in page
    for part in ("## Data", "licence", "## Training", "## Scores", "float16"):
        assert part in page


def test_a_model_of_the_checkout_translates():
    translate = Translator.from_preset("tatoeba_en_fr")
    assert translate(["Where is the station?", ""]) == ["Où se trouve la gare ?", ""]
