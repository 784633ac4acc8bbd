"""The training of a translator in two phases, killed in either of them."""

import keras
import numpy as np
import pytest

from keras_attention import Translator, training
from keras_attention.decoding import Greedy
from keras_attention.models import transformer
from keras_attention.text import SentencePieceTokenizer
from keras_attention.translation import compile_model, fit_translator, make_batches

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
LINES = SOURCES, TARGETS
VALIDATION = SOURCES[:4], TARGETS[:4]


class Killed(Exception):
    pass


def make_translator():
    tokenizers = [
        SentencePieceTokenizer.train(side, 30, model_type="bpe") for side in LINES
    ]
    keras.utils.set_random_seed(3)
    model = transformer(
        *(tokenizer.vocabulary_size for tokenizer in tokenizers),
        num_layers=1,
        num_heads=2,
        embedding_dim=8,
        intermediate_dim=8,
        positions="rotary",
    )
    return Translator(model, *tokenizers, Greedy(100))


def run(monkeypatch, folder, *, killed_at=None, compiled=None, fitted=None, **options):
    """Weights and history after a training, which is killed before an epoch."""

    class Killer(training.FiniteLoss):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == killed_at:
                raise Killed

    translator = make_translator()
    tokenizers = translator.source_tokenizer, translator.target_tokenizer
    folder.mkdir(exist_ok=True)
    with monkeypatch.context() as patch:
        patch.setattr(training, "FiniteLoss", Killer)
        batches = make_batches(
            LINES, VALIDATION, tokenizers, batch_tokens=60, **options
        )
        compile_model(translator.model, batches.steps, **compiled or {})
        fit_translator(translator, batches, VALIDATION, folder, **fitted or {})
    history = (folder / "history.csv").read_text().splitlines()
    weights = translator.model.get_weights()
    return weights, [line.split(",")[:2] for line in history]


TWO_PHASES = {"segmentations": 3, "alpha": 0.5}


@pytest.mark.slow
@pytest.mark.parametrize("killed_at", [1, 2, 3])
def test_a_killed_training_ends_where_it_would_have(tmp_path, monkeypatch, killed_at):
    options = {"epochs": 4, **TWO_PHASES}
    expected, history = run(monkeypatch, tmp_path / "whole", **options)
    assert [epoch for epoch, _ in history] == ["epoch", "0", "1", "2", "3"]
    folder = tmp_path / "killed"
    with pytest.raises(Killed):
        run(monkeypatch, folder, **options, killed_at=killed_at)
    found, again = run(monkeypatch, folder, **options)
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
    begin = {"epochs": 2, **TWO_PHASES}
    cut, history = run(monkeypatch, tmp_path / "cut", **begin)
    assert drawn == [(3, 0.5)] * 2  # once a side
    whole, other = run(monkeypatch, tmp_path / "whole", **begin, plain_share=0)
    assert other[:2] == history[:2]
    assert other[2] != history[2]
    assert not all(map(np.array_equal, cut, whole))


@pytest.mark.slow
def test_time_ends_both_phases_and_patience_the_last(tmp_path, monkeypatch):
    options = {"epochs": 4, **TWO_PHASES, "fitted": {"minutes": 0.0001}}
    _, history = run(monkeypatch, tmp_path / "time", **options)
    assert [epoch for epoch, _ in history] == ["epoch", "0"]
    options = {"epochs": 6, **TWO_PHASES, "fitted": {"patience": 1}}
    options["compiled"] = {"learning_rate": 1e-9}  # no epoch is better than the first
    _, history = run(monkeypatch, tmp_path / "patience", **options)
    assert [epoch for epoch, _ in history] == ["epoch", "0", "1", "2", "3", "4"]
    options["plain_share"] = 0  # one phase
    _, history = run(monkeypatch, tmp_path / "one", **options)
    assert [epoch for epoch, _ in history] == ["epoch", "0", "1"]


@pytest.mark.parametrize(
    ("epochs", "share", "cut"), [(10, 0.7, 3), (20, 0.7, 6), (3, 0.5, 2), (4, 1, 0)]
)
def test_the_share_of_plain_epochs_is_exact(tmp_path, monkeypatch, epochs, share, cut):
    fitted = []
    monkeypatch.setattr(
        keras.Model, "fit", lambda *_, epochs, **__: fitted.append(epochs)
    )
    (tmp_path / "history.csv").touch()
    run(monkeypatch, tmp_path, epochs=epochs, plain_share=share, **TWO_PHASES)
    assert fitted == [*[cut] * (cut > 0), epochs]


@pytest.mark.slow
@pytest.mark.parametrize("asked", [{}, {"warmup_steps": 3}], ids=str)
def test_the_warm_up_counts_updates(tmp_path, monkeypatch, asked):
    rates = []
    schedule = training.InverseSquareRoot

    def record(peak, warmup_steps):
        rates.append(warmup_steps)
        return schedule(peak, warmup_steps)

    monkeypatch.setattr(training, "InverseSquareRoot", record)
    for accumulate in (1, 2):
        compiled = {**asked, "accumulate": accumulate}
        run(monkeypatch, tmp_path / str(accumulate), epochs=1, compiled=compiled)
    assert rates == ([3, 6] if asked else [1, 1])


def test_a_model_must_be_compiled(tmp_path):
    translator = make_translator()
    tokenizers = translator.source_tokenizer, translator.target_tokenizer
    batches = make_batches(LINES, VALIDATION, tokenizers, epochs=1)
    with pytest.raises(ValueError, match="`translator` must have a compiled model"):
        fit_translator(translator, batches, VALIDATION, tmp_path)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"epochs": 0}, "`epochs` .* Received: epochs=0"),
        ({"epochs": 1, "plain_share": 2}, "`plain_share` .* plain_share=2"),
        ({"epochs": 1, "max_length": 2}, "the pairs to train with: None of the pairs"),
    ],
)
def test_batches_name_what_is_wrong(options, named):
    translator = make_translator()
    tokenizers = translator.source_tokenizer, translator.target_tokenizer
    with pytest.raises(ValueError, match=named):
        make_batches(LINES, VALIDATION, tokenizers, **options)
