"""Names of the version before: they work once more, and say where to go."""

import importlib
import sys

import pytest

from keras_attention import layers
from tests.backends import BACKEND

RECURRENT = [
    "AttentionRNN",
    "CellRNN",
    "NTMCell",
    "RecurrentCell",
    "RecurrentEncoder",
    "StackedCells",
]


def import_anew(name):
    sys.modules.pop(name, None)
    with pytest.warns(DeprecationWarning, match=f"`{name}` has moved"):
        return importlib.import_module(name)


def test_recurrent_layers():
    moved = import_anew("keras_attention.recurrent")
    assert {name: getattr(moved, name) for name in RECURRENT} == {
        name: getattr(layers, name) for name in RECURRENT
    }
    assert sorted(moved.__all__) == RECURRENT


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a Translator needs TensorFlow")
def test_translator():
    from keras_attention import Translator

    moved = import_anew("keras_attention.translator")
    assert moved.Translator is Translator
