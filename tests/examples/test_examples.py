"""Each example runs for a few steps, by its command line's own entry."""

import importlib
import shutil
from pathlib import Path

import keras
import pytest

from keras_attention import Translator
from keras_attention.decoding import Greedy
from tests.translators import make_translator

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="the Translator needs TensorFlow"
)


@pytest.fixture(autouse=True)
def _examples_on_path(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.chdir(tmp_path)
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


def run_translate(tmp_path):
    translate = importlib.import_module("translate")
    small = ["--epochs", "1", "--limit", "200", "--output", "run"]
    found = translate.main(small)
    assert 0 <= found.exact_match <= 100
    run = tmp_path / "run"
    assert (run / "attention.png").stat().st_size > 1000
    assert (run / "training.png").stat().st_size > 1000
    assert len(Translator.load(run / "translator")(["My name is Dooli."])) == 1
    assert (run / "saved_model" / "saved_model.pb").is_file()
    assert not (run / "backup").exists()
    with pytest.raises(FileExistsError):
        translate.main(small)


def run_dates(tmp_path):
    date_format = importlib.import_module("date_format")
    small = ["--pairs", "60", "--epochs", "2", "--units", "8", "--output", "map.png"]
    results = date_format.main(small)
    assert list(results) == ["fixed vector", "peeky", "attention"]
    assert all(len(by_epoch) == 2 for by_epoch in results.values())
    assert (tmp_path / "map.png").stat().st_size > 1000


def run_an_attention_of_ones_own(tmp_path):
    run_an_attention("own")


def run_an_attention(name):
    own_attention = importlib.import_module("own_attention")
    small = ["--pairs", "200", "--epochs", "1", "--tested", "8"]
    assert 0 <= own_attention.main([*small, "--attention", name]) <= 1


def run_addition(tmp_path):
    addition = importlib.import_module("addition")
    small = ["--pairs", "60", "--epochs", "2", "--units", "8", "--output", "sums.png"]
    results = addition.main([*small, "--models", "peeky, reversed", "attention"])
    assert list(results) == ["peeky, reversed", "attention"]
    assert all(len(by_epoch) == 2 for by_epoch in results.values())
    assert (tmp_path / "sums.png").stat().st_size > 1000


def test_sums_are_right_and_those_of_a_seed():
    addition = importlib.import_module("addition")
    made, _ = addition.make_sums(60, seed=1)
    assert made == addition.make_sums(60, seed=1)[0]
    assert all(sum(map(int, sum_.split("+"))) == int(answer) for sum_, answer in made)


def test_dates_of_the_books_form(tmp_path):
    date_format = importlib.import_module("date_format")
    path = tmp_path / "date.txt"
    lines = [f"{day:>2}/10/93{' ' * 21}_1993-10-{day:02}" for day in range(1, 31)]
    path.write_text("\n".join(lines) + "\n")
    training, test = date_format.book_pairs(path)
    assert len(training) == 27
    assert len(test) == 3
    assert {source.strip() for source, _ in training + test} == {
        f"{day}/10/93" for day in range(1, 31)
    }
    made, _ = date_format.make_dates(50, seed=1)
    assert made == date_format.make_dates(50, seed=1)[0]


def run_attention_in_your_model(tmp_path):
    example = importlib.import_module("attention_in_your_model")
    arguments = ["--epochs", "1", "--sentences", "300", "--output", "model.keras"]
    assert 0 <= example.main(arguments) <= 1
    assert (tmp_path / "model.keras").is_file()
    assert (tmp_path / "model.png").stat().st_size > 1000


def run_the_copy_task(tmp_path):
    example = importlib.import_module("ntm_copy")
    small = ["--steps", "2", "--longest", "1", "--tested", "1", "2", "--units", "5"]
    small += ["--lstm-units", "5", "--slots", "5", "--slot-width", "3"]
    small += ["--batch-size", "4", "--test-batches", "2", "--output", "copy.png"]
    small += ["--no-jit"]
    found = example.main(small)
    assert {name: list(wrong) for name, wrong in found.items()} == {
        "NTM": [1, 2],
        "LSTM": [1, 2],
    }
    assert all(0 <= rate <= 1 for wrong in found.values() for rate in wrong.values())
    assert (tmp_path / "copy.png").stat().st_size > 1000


def run_language_models(tmp_path):
    example = importlib.import_module("language_models")
    lines = [f"the {word} runs away ." for word in ("dog", "cat", "man")] * 9
    lines += [f"a {word} sees the {other}" for word in "abcde" for other in "fghij"]
    (tmp_path / "text").write_text("\n".join(lines) + "\n")
    small = ["--epochs", "1", "--embedding-dim", "8", "--num-layers", "1"]
    small += ["--orders", "2", "--models", "LSTM"]
    found = example.main(["--text", "text", *small])
    assert list(found) == ["2-gram", "LSTM", "LSTM on word vectors"]
    # Of words a b c d e and f to j, four between, and the end.
    assert 1 < found["2-gram"] < 8
    assert (tmp_path / "language_models.png").stat().st_size > 1000


def run_the_length_study(tmp_path):
    example = importlib.import_module("length_study")
    small = ["--models", "Transformer", "--bins", "1", "9", "--per-bin", "5"]
    small += ["--epochs", "1", "--minutes", "0.01", "--limit", "200"]
    small += ["--vocabulary-size", "300"]
    rows = example.main(small)
    assert [(row["model"], row["from"], row["count"]) for row in rows] == [
        ("Transformer", 1, 5),
        ("Transformer", 9, 5),
    ]
    assert (tmp_path / "length-study" / "length_study.png").stat().st_size > 1000


def run_alignments(tmp_path):
    example = importlib.import_module("alignments")
    small = ["--num-layers", "1", "--embedding-dim", "16", "--num-heads", "2"]
    maps = example.main(["--epochs", "1", "--limit", "64", *small, "--units", "16"])
    assert maps.shape[0] == 4
    assert (maps.sum(axis=-1) < 1.001).all()
    assert (tmp_path / "alignments" / "alignments.png").stat().st_size > 1000


def run_finetune(tmp_path):
    finetune = importlib.import_module("finetune")
    make_translator("transformer", "words", Greedy(9)).save(tmp_path / "trained")
    lines = [f"the {a} {b} sees\tdas {b} {a}" for a in "abcdef" for b in "abcdef"]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines) + "\n")
    files = ["--translator", "trained", "--pairs", "pairs.tsv", "--tested", "4"]
    for more in (["--vocabulary-size", "18"], ["--lora", "2"]):
        found = finetune.main([*files, "--epochs", "1", "--output", "tuned", *more])
        assert list(found) == ["from nothing", "fine-tuned"]
        tuned = Translator.load(tmp_path / "tuned")
        assert not any("lora" in weight.name for weight in tuned.model.weights)
        shutil.rmtree(tmp_path / "tuned")


EXAMPLE_RUNS = [
    run_finetune,
    run_translate,
    run_dates,
    run_an_attention_of_ones_own,
    run_addition,
    run_attention_in_your_model,
    run_the_copy_task,
    run_language_models,
    run_the_length_study,
    run_alignments,
]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["multi-head", "differential", "latent", "linear"])
def test_an_attention_of_the_package_takes_the_place_of_ones_own(name):
    run_an_attention(name)


@pytest.mark.slow
@pytest.mark.parametrize("run", EXAMPLE_RUNS, ids=lambda run: run.__name__)
def test_an_example_runs(run, tmp_path):
    run(tmp_path)
