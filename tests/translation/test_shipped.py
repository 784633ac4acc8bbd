"""Translators that come along are found by their names."""

import pytest

from keras_attention import Translator
from keras_attention.translation import shipped
from tests.backends import BACKEND
from tests.translators import ENGLISH, translator

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="tokenizers of these tests are of TensorFlow"
)


def test_those_of_a_checkout_and_of_a_distribution_are_found(tmp_path, monkeypatch):
    checkout, site = tmp_path / "models", tmp_path / "site"
    translator().save(checkout / "one")
    package = site / shipped.MODULE
    translator("recurrent").save(package / "two")
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(shipped, "CHECKOUT", checkout)
    assert Translator.from_preset("one")(ENGLISH) == translator()(ENGLISH)
    with pytest.raises(ValueError, match=r"one of \['one'\]. Received: name='two'"):
        Translator.from_preset("two")
    monkeypatch.syspath_prepend(site)
    assert Translator.from_preset("two")(ENGLISH) == translator("recurrent")(ENGLISH)
    with pytest.raises(ValueError, match=r"one of \['one', 'two'\]"):
        Translator.from_preset("../one")


def test_where_there_is_none_the_distribution_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "CHECKOUT", tmp_path)
    monkeypatch.setattr(shipped, "MODULE", "no_such_module")
    with pytest.raises(FileNotFoundError, match=r"pip install keras-attention-models"):
        Translator.from_preset("tatoeba_en_fr")
