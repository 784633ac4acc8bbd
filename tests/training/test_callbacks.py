"""Trainings that are backed up, measured by BLEU, and stopped by lost numbers."""

import json

import keras
import numpy as np
import pytest

from keras_attention import training
from tests.backends import BACKEND, to_numpy
from tests.training import killed_training


class KilledError(Exception):
    """Ends a training in the middle of a step's callbacks."""


def kill_at(*steps):
    """Callback that ends a run at the first of these steps that it meets."""

    def end(batch, logs=None):
        nonlocal seen
        seen += 1
        if seen in steps:
            raise KilledError

    seen = 0
    return keras.callbacks.LambdaCallback(on_train_batch_end=end)


def linear_model(**options):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(training.Adam(0.1, **options), "mse")
    return model


def fit(model, callbacks, epochs=4, **options):
    x = np.random.default_rng(0).normal(size=(12, 2)).astype("float32")
    return model.fit(
        x,
        x[:, :1],
        batch_size=4,
        epochs=epochs,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
        **options,
    )


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="it reads texts")
def test_a_killed_training_ends_with_the_same_bits(tmp_path):
    whole = killed_training.finish(tmp_path / "whole", epochs=3)
    found = killed_training.run_killed(tmp_path / "killed", epochs=3, kills=1)
    assert found == whole


@pytest.fixture
def begin():
    """Make the same model each time."""
    initial = linear_model().get_weights()

    def make(**options):
        model = linear_model(**options)
        model.set_weights(initial)
        return model

    return make


@pytest.mark.parametrize(
    "options", [{}, {"use_ema": True, "gradient_accumulation_steps": 2}], ids=str
)
def test_goes_on_with_the_epoch_after_the_last_backup(tmp_path, begin, options):
    whole = begin(**options)
    fit(whole, [])
    for steps in (4, 7):  # in the second epoch, and two epochs later
        with pytest.raises(KilledError):
            fit(begin(**options), [training.Backup(tmp_path / "b"), kill_at(steps)])
    last = begin(**options)
    position = keras.Variable(0, dtype="int32", trainable=False)
    assert fit(last, [training.Backup(tmp_path / "b", position)]).epoch == [3]
    assert int(position) == 9
    for found, expected in zip(last.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    # Once complete, it is not trained again.
    backup = training.Backup(tmp_path / "b", keep=False)
    assert fit(begin(**options), [backup]).epoch == []
    assert not (tmp_path / "b").exists()
    assert fit(last, [], epochs=1).epoch == [0]  # another training


def test_backs_up_every_few_epochs(tmp_path, begin):
    for epochs in ([0, 1, 2, 3], [2, 3]):
        backup = training.Backup(tmp_path / "b", every=2)
        with pytest.raises(KilledError):
            fit(begin(), [backup, kill_at(3 * len(epochs))])
        assert fit_epoch(tmp_path / "b") == 2
    for trained in ([2, 3, 4], []):
        backup = training.Backup(tmp_path / "b", every=2)
        assert fit(begin(), [backup], epochs=5).epoch == trained


def test_a_training_killed_in_its_first_epoch_begins_with_the_same_weights(tmp_path):
    first = linear_model()
    initial = first.get_weights()
    with pytest.raises(KilledError):
        fit(first, [training.Backup(tmp_path / "b"), kill_at(2)])
    again, whole = linear_model(), linear_model()
    whole.set_weights(initial)
    assert fit(again, [training.Backup(tmp_path / "b")]).epoch == [0, 1, 2, 3]
    fit(whole, [])
    for found, expected in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="it reads texts")
@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("batches", [4, 5])
def test_several_steps_an_execution_are_counted(tmp_path, batches, repeated):
    from keras_attention import text

    letters = text.CharacterTokenizer(list("abcdefgh"))
    lines = ["abcdefgh"[: 1 + i % 7] for i in range(batches * 2)]

    def train(kill=None, folder=None):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((None,)), keras.layers.Embedding(12, 12)])
        model.compile(
            keras.optimizers.SGD(1.0),
            training.MaskedCrossEntropy(),
            steps_per_execution=2,
        )
        data = text.language_dataset(lines, letters, batch_size=2, bucket=128)
        backup = training.Backup(folder, data.position)
        options = {"steps_per_epoch": batches} if repeated else {}
        model.fit(
            data.repeat() if repeated else data,
            epochs=4,
            shuffle=False,
            callbacks=[backup, *([kill_at(kill)] if kill else [])],
            verbose=0,
            **options,
        )
        return model.get_weights()

    whole = train(folder=tmp_path / "whole")
    executions = -(-batches // 2)
    with pytest.raises(KilledError):
        train(2 * executions + 1, tmp_path / "b")  # in the third epoch
    again = train(folder=tmp_path / "b")
    np.testing.assert_array_equal(again[0], whole[0])


def fit_epoch(folder):
    return json.loads((folder / "training.json").read_text())["epoch"]


@pytest.mark.parametrize("moment", ["variables", "state", "exchange"])
def test_a_backup_that_fails_leaves_the_last_one_whole(
    tmp_path, begin, monkeypatch, moment
):
    folder = tmp_path / "b"
    fit(begin(), [training.Backup(folder)], epochs=2)

    write = type(folder).write_text

    def half(path, *args, **kwargs):
        write(path, "half")
        raise OSError(28, "No space left on device", str(path))

    def no_exchange(path, other):
        raise KilledError

    with monkeypatch.context() as patch:
        if moment == "variables":
            patch.setattr(np, "savez", half)
        elif moment == "state":
            # The first that is written, and empty, is a trial.
            patch.setattr(
                type(folder),
                "write_text",
                lambda path, content, *args: (half if content else write)(
                    path, content
                ),
            )
        else:
            patch.setattr(type(folder), "replace", no_exchange)
        with pytest.raises((OSError, KilledError)):
            fit(begin(), [training.Backup(folder)])
    assert fit_epoch(folder) == 2
    whole, last = begin(), begin()
    fit(whole, [])
    assert fit(last, [training.Backup(folder)]).epoch == [2, 3]
    for found, expected in zip(last.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert len(list(folder.iterdir())) == 2


def test_a_backup_after_no_step_is_written_beside_the_last_one(
    tmp_path, begin, monkeypatch
):
    model, backup = begin(), training.Backup(tmp_path / "b")
    backup.set_model(model)
    backup.on_train_begin()
    backup.on_epoch_begin(0)
    backup.on_epoch_end(0)

    def half(path, *args):
        path.write_text("half")
        raise OSError(28, "No space left on device", str(path))

    backup.on_epoch_begin(1)
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", half)
        with pytest.raises(OSError, match="No space"):
            backup.on_epoch_end(1)
    assert fit(model, [training.Backup(tmp_path / "b")]).epoch == [1, 2, 3]


def test_a_folder_that_cannot_be_used_is_an_error_before_training(tmp_path, begin):
    (tmp_path / "file").write_text("a file")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "other.txt").write_text("something else")
    for name, named in (("file", "file"), ("file/b", "file"), ("full", "other.txt")):
        model = begin()
        before = model.get_weights()
        with pytest.raises(OSError, match=named):
            fit(model, [training.Backup(tmp_path / name)])
        np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert (tmp_path / "full" / "other.txt").read_text() == "something else"


def test_the_backup_of_another_model_is_an_error(tmp_path, begin):
    fit(begin(), [training.Backup(tmp_path / "b")], epochs=1)
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    other.compile("adam", "mse")
    with pytest.raises(ValueError, match="another model"):
        fit(other, [training.Backup(tmp_path / "b")])
    with pytest.raises(ValueError, match="every=0"):
        training.Backup(tmp_path / "b", every=0)


@pytest.mark.parametrize("name", ["training.json", "variables.npz"])
@pytest.mark.parametrize("part", [0, 0.5])
def test_a_damaged_backup_is_named(tmp_path, begin, name, part):
    fit(begin(), [training.Backup(tmp_path / "b")], epochs=1)
    (path,) = (tmp_path / "b").glob(f"*{name}")
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    with pytest.raises(ValueError, match="truncated or altered.*folder=") as e:
        fit(begin(), [training.Backup(tmp_path / "b")])
    assert str(tmp_path) in str(e.value)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras builds it there")
def test_a_model_without_weights_cannot_be_backed_up(tmp_path):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"keras\.Input"):
        fit(model, [training.Backup(tmp_path / "b")])


def test_a_loss_that_is_no_number_ends_the_training(tmp_path, begin):
    model = begin()
    fit(model, [training.Backup(tmp_path / "b")], epochs=1)
    x = np.ones((12, 2), "float32")
    y = np.ones((12, 1), "float32")
    y[5] = np.nan
    with pytest.raises(FloatingPointError, match="step 5, in batch 1 of epoch 1"):
        model.fit(
            x,
            y,
            batch_size=4,
            epochs=3,
            shuffle=False,
            callbacks=[training.Backup(tmp_path / "b"), training.FiniteLoss()],
            verbose=0,
        )
    assert fit_epoch(tmp_path / "b") == 1


def test_averaged_weights_are_lent(begin):
    model = begin(use_ema=True, ema_momentum=0.5)
    x = np.ones((4, 2), "float32")
    for _ in range(3):
        model.train_on_batch(x, x[:, :1])
    own = model.get_weights()
    averages = [to_numpy(v) for v in model.optimizer._model_variables_moving_average]
    with training.averaged_weights(model):
        found = model.get_weights()
    for weight, average in zip(found, averages, strict=True):
        np.testing.assert_array_equal(weight, average)
    for weight, before in zip(model.get_weights(), own, strict=True):
        np.testing.assert_array_equal(weight, before)
    assert not np.array_equal(found[0], own[0])
    untrained = begin(use_ema=True)
    for other in (begin(), untrained, keras.Sequential([keras.layers.Dense(1)])):
        before = other.get_weights()
        with training.averaged_weights(other):
            for weight, expected in zip(other.get_weights(), before, strict=True):
                np.testing.assert_array_equal(weight, expected)


def test_tokens_are_counted_beyond_what_float32_tells_apart():
    count, labels = training.TokenCount(), np.ones((3000, 3001), "int32")
    labels[:, 0] = 0
    for _ in range(3):
        count.update_state(labels, None)
    count.update_state(np.array([[1, 2, 0]]), None)
    assert float(count.result()) == 27_000_002


def test_the_speed_needs_a_count(begin):
    with pytest.raises(ValueError, match="metric='tokens'.*'loss'"):
        fit(begin(), [training.TokensPerSecond()])


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


def test_a_translation_is_shown_early_once_and_after_each_epoch():
    now, shown = [0.0], []

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            now[0] += 4  # seconds

    look = training.ShowTranslation(
        lambda texts: [text.upper() for text in texts], "a", "b", 5, shown.append
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.monotonic", lambda: now[0])
        fit(linear_model(), [Clock(), look], epochs=2)
    assert [message.split()[:3] for message in shown] == [
        ["after", "3", "batches:"],
        ["after", "epoch", "1:"],
        ["after", "epoch", "2:"],
    ]
    assert all("translation A\n  reference   b" in message for message in shown)


def test_time_that_is_over_ends_a_training_after_its_epoch():
    assert fit(linear_model(), [training.TimeLimit(1e-9)], epochs=3).epoch == [0]
    assert fit(linear_model(), [training.TimeLimit(60)], epochs=3).epoch == [0, 1, 2]


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: training.TimeLimit(0), "`minutes` .* minutes=0"),
        (
            lambda: training.ShowTranslation(list, "a", "b", -1),
            "`seconds` .* seconds=-1",
        ),
    ],
)
def test_callbacks_name_what_is_wrong(make, named):
    with pytest.raises(ValueError, match=named):
        make()
