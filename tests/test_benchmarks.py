"""Each benchmark measures something, at small sizes."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import keras
import pytest

from tests.translators import make_translator

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="they measure on TensorFlow"
)


@pytest.fixture(autouse=True)
def _benchmarks_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))


@pytest.mark.parametrize("chunk_size", [None, 3])
def test_attention(chunk_size):
    attention = importlib.import_module("attention")
    names = ["ours", "keras"]
    found = attention._work(names, 7, 2, "mixed_bfloat16", chunk_size, repeats=1)
    assert set(found) == {"ours", "keras", "peak_mib"}
    assert found["ours"] > 0


def test_loss():
    loss = importlib.import_module("loss")
    found = loss._work(["ours", "keras"], 32, 9, "mixed_bfloat16", repeats=1)
    assert set(found) == {"ours", "keras", "peak_mib"}
    assert found["ours"] > 0


@pytest.mark.slow
def test_serving(tmp_path):
    serving = importlib.import_module("serving")
    make_translator("recurrent", "words").export(tmp_path / "model", check=False)
    lines = tmp_path / "lines.txt"
    lines.write_text("What is your name?\none two three\n", "utf-8")
    sizes = ["--clients", "3", "--seconds", "1"]
    found = serving.main([str(tmp_path / "model"), "--sentences", str(lines), *sizes])
    assert found["answers"] > 3
    assert found["wrong"] == 0
    assert 0 < found["median_ms"] <= found["p99_ms"]


@pytest.mark.parametrize("engine", ["ours", "keras"])
def test_recurrent(engine, monkeypatch):
    recurrent = importlib.import_module("recurrent")
    sizes = {"BATCH": 2, "LENGTH": 3, "WIDTH": 5, "VOCABULARY": 11}
    for name, size in sizes.items():
        monkeypatch.setattr(recurrent, name, size)
    assert recurrent._tokens_per_second(engine, steps=1) > 0


@pytest.mark.slow
def test_decoding():
    decoding = importlib.import_module("decoding")
    sizes = {"layers": 1, "width": 8, "heads": 2, "source": 4, "steps": 3, "runs": 1}
    sizes |= {"rows": 1, "beams": 2, "threads": 1}
    engines = ["ours", "ours, int8"]
    arguments = [f"--{name}={size}" for name, size in sizes.items()]
    found = decoding.main(["--engines", *engines, *arguments])
    assert list(found) == engines
    assert all(speeds[1, 2] > 0 for speeds in found.values())


@pytest.mark.slow
def test_sentences(tmp_path):
    sentences = importlib.import_module("sentences")
    make_translator("transformer", "two sentencepiece models").save(tmp_path / "model")
    lines = tmp_path / "lines.txt"
    lines.write_text("What is your name?\none two three\n", "utf-8")
    names = ["Translator", "SavedModel", "ours on CTranslate2", "CTranslate2, float32"]
    options = ["--source", str(lines), "--target", str(lines), "--runs", "1"]
    found = sentences.main([str(tmp_path / "model"), *options, "--engines", *names])
    assert list(found) == [("greedy", 2), ("beam 4", 2)]
    for figures in found.values():
        assert [*figures][: len(names) - 1] == names[:-1]
        assert all(name.startswith(names[-1]) for name in [*figures][len(names) - 1 :])
        for one in figures.values():
            assert one["translations"] == figures["Translator"]["translations"]
            assert one["all"][0] > 0


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["ours, bfloat16", "keras, float32"])
def test_training(engine, monkeypatch):
    training = importlib.import_module("training")
    sizes = {"LAYERS": 1, "WIDTH": 8, "HEADS": 2, "INTERMEDIATE": 8}
    sizes |= {"BATCH": 2, "LENGTH": 3, "VOCABULARY": 11}
    for name, size in sizes.items():
        monkeypatch.setattr(training, name, size)
    options = training._parser().parse_args(["--worker", engine, "--steps", "1"])
    assert training._tokens_per_second(options) > 0


@pytest.mark.slow
def test_same_outputs(tmp_path, capsys):
    same_outputs = importlib.import_module("same_outputs")
    translate = make_translator("transformer", "words")
    translate.save(tmp_path / "model")
    texts = ["What is your name?", "one two three"]
    listed = translate.with_short_list(texts, texts[::-1])
    listed.save(tmp_path / "listed")
    lines = tmp_path / "lines.txt"
    lines.write_text("\n\n".join(texts), "utf-8")
    searches = ["--searches", "greedy", "beams, rules"]
    models = [*(str(tmp_path / name) for name in ("model", "listed"))]
    models += ["random:recurrent"]
    assert not same_outputs.main([*models, "--source", str(lines), *searches])
    *_, of_listed, _, last = capsys.readouterr().out.splitlines()
    assert of_listed.startswith("| listed | beams, rules | 2 | 2 | 0 | 0 |")
    assert last.startswith("| random:recurrent | beams, rules | 2 | 2 | 0 | 0 |")


@pytest.mark.slow
def test_terms(tmp_path, monkeypatch, capsys):
    terms = importlib.import_module("terms")
    make_translator("transformer", "words").save(tmp_path / "model")
    lines = tmp_path / "lines.txt"
    lines.write_text("What is your name?\none two three four\n" * 2, "utf-8")
    files = ["--source", str(lines), "--target", str(lines)]
    arguments = [str(tmp_path / "model"), *files, "--terms", "1", "--runs", "1"]
    # What an untrained model attends to is a matter of its first weights.
    monkeypatch.setattr(terms, "find_words", lambda *_: [["name"], ["three"]] * 2)
    found = terms.main(arguments)
    assert found[1]["terms"] == 4
    assert 0 <= found[1]["there"] <= 1
    assert found[1]["speed"] > 0
    monkeypatch.setattr(terms, "find_words", lambda *_: [[], []] * 2)
    with pytest.raises(SystemExit):
        terms.main(arguments)
    assert "no word" in capsys.readouterr().err


def test_words_that_terms_are_made_of():
    terms = importlib.import_module("terms")
    alignment = SimpleNamespace(words=lambda: [(0, 0), (1, 1), (1, 2), (3, 3), (2, 3)])
    translate = SimpleNamespace(align=lambda *_: [alignment])
    source, target = "Black cats often sleep.", "Schwarze Katzen schlafen meist."
    # The second word attends to two, and the others are one's alone.
    assert terms.find_words(translate, [source], [target]) == [["Schwarze", "meist"]]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says it")
def test_memory():
    memory = importlib.import_module("memory")
    sizes = ["--layers", "1", "--width", "8", "--vocabulary", "40", "--rows", "2"]
    found = memory.main([*sizes, "--source", "4", "--target", "5"])
    assert 0 < found["weights"] < 1
    assert 0 < found["loaded"] < found["translated"]


@pytest.mark.slow
def test_cost(tmp_path):
    cost = importlib.import_module("cost")
    make_translator("transformer", "words").save(tmp_path / "model")
    lines = tmp_path / "lines.txt"
    lines.write_text("What is your name?\none two three\n", "utf-8")
    sizes = ["--rows", "1", "3", "--lengths", "4", "6", "--runs", "1"]
    picture = ["--source", str(lines), "--output", str(tmp_path / "cost.png")]
    found = cost.main([str(tmp_path / "model"), *picture, *sizes])
    assert [len(speeds) for _, speeds in found.values()] == [2, 2]
    assert (tmp_path / "cost.png").stat().st_size > 5_000
