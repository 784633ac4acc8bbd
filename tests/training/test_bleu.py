"""Trainings that are measured by BLEU."""

import keras
import numpy as np
import pytest

from keras_attention import training
from tests.training.small_training import KilledError, fit, kill_at

SENTENCES = ["one two three four", "five six seven eight", "nine ten eleven twelve"]


def worse_and_better(*wrong):
    """A translator that has so many of the sentences wrong, call after call."""
    calls = iter(wrong)

    def translate(texts):
        count = next(calls)
        return [*["-"] * count, *texts[count:]]

    return translate


def test_bleu_joins_the_logs_and_stops(tmp_path, begin):
    translate = worse_and_better(3, 1, 0, 2, 1, 0)
    bleu = training.BleuCallback(
        translate, SENTENCES, SENTENCES, tmp_path / "m", 2, restore_best_weights=True
    )
    weights = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(model.get_weights())
    )
    model = begin()
    history = fit(model, [bleu, keep], epochs=9)
    scores = history.history["val_bleu"]
    assert scores[0] == 0
    assert scores[2] == pytest.approx(100)
    assert scores[0] < scores[3] < scores[1] < scores[2]
    assert history.epoch == [0, 1, 2, 3, 4]  # no better in two after the third
    np.testing.assert_array_equal(model.get_weights()[0], weights[2][0])


def test_bleu_goes_on_with_what_it_measured(tmp_path, begin):
    def run(*wrong):
        model = begin()
        bleu = training.BleuCallback(
            worse_and_better(*wrong), SENTENCES, SENTENCES, tmp_path / "m", 2, True
        )
        return model, [training.Backup(tmp_path / "b"), bleu]

    model, callbacks = run(3, 0, 2)
    with pytest.raises(KilledError):
        fit(model, [*callbacks, kill_at(8)], epochs=9)  # in the third epoch
    best = keras.models.clone_model(model)
    best.load_weights(tmp_path / "m" / "best.weights.h5")
    model, callbacks = run(2, 1, 0)
    assert fit(model, callbacks, epochs=9).epoch == [2, 3]
    np.testing.assert_array_equal(model.get_weights()[0], best.get_weights()[0])
    model, callbacks = run()
    assert fit(model, callbacks, epochs=9).epoch == []  # it had stopped
    np.testing.assert_array_equal(model.get_weights()[0], best.get_weights()[0])


def test_bleu_that_was_never_measured_is_left_out(tmp_path, begin):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "bleu.json").write_text('{"0": 20.0, "1": null}')
    backup = training.Backup(tmp_path / "b")
    fit(begin(), [backup], epochs=3)
    bleu = training.BleuCallback(
        worse_and_better(3, 0), SENTENCES, SENTENCES, tmp_path / "m", patience=4
    )
    fit(begin(), [backup, bleu], epochs=5)
    assert bleu.scores == {0: 20.0, 3: 0.0, 4: pytest.approx(100)}


def test_bleu_is_measured_after_a_kill_in_the_middle_of_it(tmp_path, begin):
    def run(*wrong, **options):
        def translate(texts):
            if not wrong:
                raise KilledError
            return worse_and_better(wrong[0])(texts)

        def next_one(texts):
            nonlocal wrong
            found = translate(texts)
            wrong = wrong[1:]
            return found

        model = begin(use_ema=True, ema_momentum=0.5)
        bleu = training.BleuCallback(
            next_one, SENTENCES, SENTENCES, tmp_path / "m", 2, True, **options
        )
        fit(model, [training.Backup(tmp_path / "b"), bleu], epochs=9)
        return model, bleu

    with pytest.raises(KilledError):
        run(3)  # 0 sentences are right in the first epoch, the second is not measured
    whole = begin(use_ema=True, ema_momentum=0.5)
    fit(whole, [], epochs=2)
    with training.averaged_weights(whole):
        best = whole.get_weights()
    model, bleu = run(0, 1, 2)
    assert list(bleu.scores) == [0, 1, 2, 3]
    assert bleu.scores[1] == pytest.approx(100)
    for found, expected in zip(model.get_weights(), best, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_bleu_is_nan_where_it_is_not_measured(begin):
    bleu = training.BleuCallback(list, SENTENCES, SENTENCES, every=2)
    found = fit(begin(), [bleu]).history["val_bleu"]
    np.testing.assert_allclose(found, [np.nan, 100, np.nan, 100])


def test_bleu_of_a_sample():
    bleu = training.BleuCallback(list, list("abcdefg"), list("tuvwxyz"), sample=3)
    assert (bleu.sources, bleu.references) == (list("ace"), list("tvx"))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"references": ["a"]}, r"len\(references\)=1"),
        ({"sources": [], "references": []}, r"len\(sources\)=0"),
        ({"patience": 0}, "patience=0"),
        ({"sample": -1}, "sample=-1"),
        ({"every": 0}, "every=0"),
        ({"restore_best_weights": True}, "folder"),
    ],
    ids=str,
)
def test_bleu_names_what_is_wrong(options, named):
    with pytest.raises(ValueError, match=named):
        training.BleuCallback(
            **{"translate": list, "sources": SENTENCES, "references": SENTENCES}
            | options
        )
