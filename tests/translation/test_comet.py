"""COMET, by a stand-in for its package: its weights are not to be had everywhere."""

import os
import sys

import pytest

from keras_attention.translation.comet import measure_comet

# What of it is called; scores are shares of the reference's words.
STAND_IN = """
import sys
from types import SimpleNamespace

print("what a library prints")
print("and on standard error", file=sys.stderr)


def download_model(name):
    if name == "nobody/nothing":
        raise KeyError("Model 'nobody/nothing' not supported by COMET.")
    return f"/somewhere/{name}"


def load_from_checkpoint(path):
    def predict(samples, batch_size, gpus):
        assert batch_size == 16 and gpus in (0, 1)
        scores = []
        for sample in samples:
            words = sample["ref"].split()
            right = [word for word in words if word in sample["mt"].split()]
            scores.append(len(right) / len(words))
        return SimpleNamespace(scores=scores, system_score=0)

    assert path in ("/somewhere/Unbabel/wmt22-comet-da", __file__)
    return SimpleNamespace(predict=predict)
"""
TORCH = "class cuda:\n    is_available = staticmethod(lambda: False)\n"


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    package = tmp_path / "site" / "comet"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(STAND_IN, "utf-8")
    (tmp_path / "site" / "torch.py").write_text(TORCH, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"), prepend=os.pathsep)
    return package


SIDES = ["ein Haus", "eine Katze"], ["a mouse", "a cat"], ["a house", "a cat"]


def test_each_translation_has_a_score(stand_in):
    assert measure_comet(*SIDES) == [0.5, 1.0]
    own = measure_comet(*SIDES, str(stand_in / "__init__.py"), python=sys.executable)
    assert own == [0.5, 1.0]
    assert measure_comet([], [], []) == []


def test_what_fails_is_said(stand_in, tmp_path):
    with pytest.raises(RuntimeError, match="COMET failed: KeyError.*nobody/nothing"):
        measure_comet(*SIDES, "nobody/nothing")
    with pytest.raises(RuntimeError, match="cannot be run"):
        measure_comet(*SIDES, python=tmp_path / "python")
    with pytest.raises(ValueError, match="1, 2 and 2"):
        measure_comet(["a"], *SIDES[1:])
    (stand_in / "__init__.py").unlink()
    stand_in.rmdir()
    with pytest.raises(RuntimeError, match=r"COMET is not installed for .*\[comet\]"):
        measure_comet(*SIDES)
