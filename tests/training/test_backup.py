"""Trainings that are backed up, killed, and resumed."""

import json

import keras
import numpy as np
import pytest

from keras_attention import training
from tests.backends import BACKEND
from tests.training import killed_training
from tests.training.small_training import KilledError, fit, kill_at, linear_model


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="it reads texts")
def test_a_killed_training_ends_with_the_same_bits(tmp_path):
    whole = killed_training.finish(tmp_path / "whole", epochs=3)
    found = killed_training.run_killed(tmp_path / "killed", epochs=3, kills=1)
    assert found == whole


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
