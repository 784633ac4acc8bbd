"""README's code runs as it stands."""

import re
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="the Translator needs TensorFlow"
)


def test_python_blocks_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) >= 3
    names: dict = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert (tmp_path / "translator" / "model.keras").is_file()
    assert (tmp_path / "saved_model" / "saved_model.pb").is_file()


def test_paths_named_in_readme_exist():
    named = re.findall(r"(?:examples|docs)/[\w./]*\w", README)
    assert "examples/translate.py" in named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_public_layer_stands_in_the_table():
    from keras_attention import layers

    assert [name for name in layers.__all__ if f"{name}`" not in README] == []
