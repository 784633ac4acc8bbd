"""The code of README and of docs runs as it stands, and prints what is said."""

import contextlib
import io
import re
import runpy
from pathlib import Path

import keras
import pytest

from keras_attention.decoding import Greedy
from keras_attention.text.plain import CharacterTokenizer
from tests.convert.marian_reference import write_random_folder
from tests.translation.test_any_backend import make_plain

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
# A block of code, and what it prints where that follows.
BLOCK = re.compile(r"```python\n(.*?)```(?:\s*```text\n(.*?)```)?", re.DOTALL)
LINK = re.compile(r"\]\(([^):#]+)(?:#[^)]*)?\)")

needs_tensorflow = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="the Translator needs TensorFlow"
)


def _run_blocks(text):
    names: dict = {}
    blocks = BLOCK.findall(text)
    for code, expected in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "a block of code", "exec"), names)
        if expected:
            assert printed.getvalue() == expected
    return len(blocks)


@pytest.mark.slow
@needs_tensorflow
def test_blocks_of_readme_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _run_blocks(README) >= 3
    assert (tmp_path / "translator" / "model.keras").is_file()
    assert (tmp_path / "saved_model" / "saved_model.pb").is_file()


@pytest.mark.parametrize("name", ["masks", "migration", "own_parts"])
def test_blocks_of_docs_run_in_order(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _run_blocks((ROOT / "docs" / f"{name}.md").read_text("utf-8")) >= 3


@pytest.mark.slow
@needs_tensorflow
def test_blocks_of_the_command_run_in_order(tmp_path, monkeypatch):
    tags = ["<2fr>", "<2en>"]
    letters = CharacterTokenizer([*tags, *"A houseUnmai."], user_symbols=tags)
    make_plain("transformer", Greedy(5), letters).save(tmp_path / "both" / "translator")
    monkeypatch.chdir(tmp_path)
    assert _run_blocks((ROOT / "docs" / "command.md").read_text("utf-8")) >= 2


@pytest.mark.slow
@needs_tensorflow
@pytest.mark.parametrize(
    "name", ["from_opus_mt", "to_ctranslate2", "from_keras", "to_huggingface"]
)
def test_blocks_of_other_programs_run_in_order(name, tmp_path, monkeypatch):
    pytest.importorskip("ctranslate2")
    write_random_folder(tmp_path / "opus-mt-en-xx")
    monkeypatch.chdir(tmp_path)
    assert _run_blocks((ROOT / "docs" / f"{name}.md").read_text("utf-8")) >= 2


@needs_tensorflow
@pytest.mark.formats
def test_blocks_of_onnx_and_litert_run_in_order(tmp_path, monkeypatch):
    for name in ("tf2onnx", "onnxruntime", "ai_edge_litert"):
        pytest.importorskip(name)
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "to_onnx_and_litert.md").read_text("utf-8")
    assert _run_blocks(page) == 2


@pytest.mark.parametrize(
    "document",
    ["README.md", *(path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.md"))],
    ids=str,
)
def test_links_lead_to_files(document):
    path = ROOT / document
    links = LINK.findall(BLOCK.sub("", path.read_text("utf-8")))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_paths_named_in_readme_exist():
    named = re.findall(r"(?:examples|docs)/[\w./]*\w", README)
    assert "examples/translate.py" in named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_public_layer_stands_in_the_table():
    from keras_attention import layers

    assert [name for name in layers.__all__ if f"{name}`" not in README] == []


def test_the_picture_of_batches_is_drawn(tmp_path):
    drawing = runpy.run_path(str(ROOT / "docs" / "draw_batches.py"))
    drawing["main"](tmp_path / "batches.png")
    assert (tmp_path / "batches.png").stat().st_size > 10_000


def test_the_picture_of_masks_is_drawn(tmp_path):
    drawing = runpy.run_path(str(ROOT / "docs" / "draw_masks.py"))
    drawing["main"](tmp_path / "masks.png")
    assert (tmp_path / "masks.png").stat().st_size > 10_000
    weights = {title: panel for title, _, panel in drawing["panels"]()}
    everything = weights["padding"] & weights["causal"] & weights["window"]
    assert (weights["all three"] == everything).all()
