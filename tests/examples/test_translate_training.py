"""The training of `translate.py` in two phases, killed in either of them."""

import importlib
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_attention import training
from keras_attention.text import SentencePieceTokenizer

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = [
    pytest.mark.skipif(
        keras.config.backend() != "tensorflow", reason="the Translator needs TensorFlow"
    ),
    # Of the logger's file, which a training that is killed does not close.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

SOURCES = [f"the {animal} sat" for animal in ("cat", "dog", "hat", "goat")] * 3
TARGETS = [f"la {animal} sedeva" for animal in ("gatta", "cana", "cappa", "capra")] * 3


class Killed(Exception):
    pass


def run(monkeypatch, folder, *arguments, killed_at=None):
    """Weights and history after a training, which is killed before an epoch."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    options_of, training_of = (
        importlib.import_module(f"translate_{end}") for end in ("options", "training")
    )
    sizes = "--num-layers 1 --embedding-dim 8 --num-heads 2 --intermediate-dim 8"
    options = options_of.train_parser("").parse_args(
        [*sizes.split(), "--batch-tokens", "60", *arguments]
    )
    lines = (SOURCES, TARGETS), (SOURCES[:4], TARGETS[:4])
    tokenizers = [
        SentencePieceTokenizer.train(side, 30, model_type="bpe") for side in lines[0]
    ]

    class Killer(training.FiniteLoss):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == killed_at:
                raise Killed

    keras.utils.set_random_seed(3)
    model = training_of.build_model(options, tokenizers)
    folder.mkdir(exist_ok=True)
    with monkeypatch.context() as patch:
        patch.setattr(training, "FiniteLoss", Killer)
        batches = training_of.make_batches(options, *lines, tokenizers)
        training_of.fit(options, model, batches, lines[1], tokenizers, folder)
    history = (folder / "history.csv").read_text().splitlines()
    return model.get_weights(), [line.split(",")[:2] for line in history]


TWO_PHASES = ["--segmentations", "3", "--alpha", "0.5"]


@pytest.mark.slow
@pytest.mark.parametrize("killed_at", [1, 2, 3])
def test_a_killed_training_ends_where_it_would_have(tmp_path, monkeypatch, killed_at):
    arguments = ["--epochs", "4", *TWO_PHASES]
    expected, history = run(monkeypatch, tmp_path / "whole", *arguments)
    assert [epoch for epoch, _ in history] == ["epoch", "0", "1", "2", "3"]
    folder = tmp_path / "killed"
    with pytest.raises(Killed):
        run(monkeypatch, folder, *arguments, killed_at=killed_at)
    found, again = run(monkeypatch, folder, *arguments, "--resume")
    assert again == history
    assert all(map(np.array_equal, found, expected))


@pytest.mark.slow
def test_the_last_epochs_are_plain(tmp_path, monkeypatch):
    drawn = []
    sample = SentencePieceTokenizer.sample

    def count(self, lines, count, **options):
        drawn.append((count, options["alpha"]))
        return sample(self, lines, count, **options)

    monkeypatch.setattr(SentencePieceTokenizer, "sample", count)
    begin = ["--epochs", "2", *TWO_PHASES]
    cut, history = run(monkeypatch, tmp_path / "cut", *begin)
    assert drawn == [(3, 0.5)] * 2  # once a side
    whole, other = run(monkeypatch, tmp_path / "whole", *begin, "--plain-share", "0")
    assert other[:2] == history[:2]
    assert other[2] != history[2]
    assert not all(map(np.array_equal, cut, whole))


@pytest.mark.slow
def test_time_ends_both_phases_and_patience_the_last(tmp_path, monkeypatch):
    arguments = ["--epochs", "4", *TWO_PHASES, "--minutes", "0.0001"]
    _, history = run(monkeypatch, tmp_path / "time", *arguments)
    assert [epoch for epoch, _ in history] == ["epoch", "0"]
    arguments = ["--epochs", "6", *TWO_PHASES, "--patience", "1"]
    arguments += ["--learning-rate", "1e-9"]  # no epoch is better than the first
    _, history = run(monkeypatch, tmp_path / "patience", *arguments)
    assert [epoch for epoch, _ in history] == ["epoch", "0", "1", "2", "3", "4"]
    arguments += ["--plain-share", "0"]  # one phase
    _, history = run(monkeypatch, tmp_path / "one", *arguments)
    assert [epoch for epoch, _ in history] == ["epoch", "0", "1"]


@pytest.mark.parametrize(
    ("epochs", "share", "cut"), [(10, 0.7, 3), (20, 0.7, 6), (3, 0.5, 2), (4, 1, 0)]
)
def test_the_share_of_plain_epochs_is_exact(tmp_path, monkeypatch, epochs, share, cut):
    fitted = []
    monkeypatch.setattr(
        keras.Model, "fit", lambda *_, epochs, **__: fitted.append(epochs)
    )
    monkeypatch.syspath_prepend(str(EXAMPLES))
    training_of = importlib.import_module("translate_training")
    monkeypatch.setattr(training_of, "plot_training", lambda *_, **__: None)
    arguments = ["--epochs", str(epochs), "--plain-share", str(share), *TWO_PHASES]
    (tmp_path / "history.csv").touch()
    run(monkeypatch, tmp_path, *arguments)
    assert fitted == [*[cut] * (cut > 0), epochs]


@pytest.mark.slow
@pytest.mark.parametrize("asked", [[], ["--warmup-steps", "3"]], ids=str)
def test_the_warm_up_counts_updates(tmp_path, monkeypatch, asked):
    rates = []
    schedule = training.InverseSquareRoot

    def record(peak, warmup_steps):
        rates.append(warmup_steps)
        return schedule(peak, warmup_steps)

    monkeypatch.setattr(training, "InverseSquareRoot", record)
    for more in ([], ["--accumulate", "2"]):
        run(monkeypatch, tmp_path / str(len(more)), "--epochs", "1", *asked, *more)
    assert rates == ([3, 6] if asked else [1, 1])
