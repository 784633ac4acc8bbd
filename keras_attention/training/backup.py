"""Trainings that resume where they were killed."""

import json
import shutil
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

# What JSON, NumPy and zipfile raise for a file with any byte missing or altered.
_UNREADABLE = OSError, EOFError, LookupError, TypeError, ValueError, zipfile.BadZipFile
_STATE, _TRIAL, _VARIABLES = "training.json", "training.json.new", ".variables.npz"


class Backup(keras.callbacks.Callback):
    """Backs up a training as it begins and after epochs, and resumes from the last one.

    A backup holds the weights, the optimizer with its averages and its schedule, the
    seeds of the dropout, the epoch and the position in the data. So what `fit` ends
    with is what it would have ended with uninterrupted, bit by bit on one machine. A
    backup is written beside the last one and then takes its place: whenever a training
    is killed, or the disk is full, one of the two is whole.

    What other callbacks remember is not in it: Keras's `EarlyStopping` begins to count
    where a training resumes. `BleuCallback` keeps a file of its own.

    An epoch may be any number of steps: for long ones, train on `batches.repeat()` with
    `steps_per_epoch`, and no more than those are lost.

    Args:
        folder: where to keep the backup. A training resumes from one that is there.
        position: the `position` of a `translation_dataset` or `language_dataset`, which
            is for this training alone, and not after `cache()`, which reads it no
            more than once. Without it each run reads epochs in the order that its
            dataset begins with.
        every: number of epochs from one backup to the next; the last of all `epochs`
            has one.
        keep: whether the backup stays when all epochs are trained, so that `fit` does
            nothing when called once more for as many.

    Raises:
        ValueError: if `every` is not positive; when training begins, if the model has
            no weights yet, or it or its optimizer is another than the one backed up, or
            the backup is damaged.
        OSError: when training begins, if `folder` cannot be written to, or holds
            something else.

    Example:
    >>> import tempfile
    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> def train(folder):
    ...     backup, x = Backup(f"{folder}/backup"), np.ones((4, 1))
    ...     return model.fit(x, x, epochs=3, callbacks=[backup], verbose=0).epoch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     train(folder), train(folder)
    ([0, 1, 2], [])
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        position: Any = None,
        every: int = 1,
        keep: bool = True,
    ) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"`every` must be positive. Received: every={every}")
        self.folder = Path(folder)
        self.position = position
        self.every = every
        self.keep = keep
        self._steps = self._before = 0

    def on_train_begin(self, logs=None):
        if not self.model.built:
            raise ValueError(
                "`Backup` needs a model that has its weights: give it a `keras.Input`, "
                f"or call it once. Received: model={self.model!r}"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        others = [path for path in self.folder.iterdir() if not _is_own(path)]
        if others:
            raise FileExistsError(
                "`folder` holds something else than a backup and is left as it is. "
                f"Received: folder={str(self.folder)!r}, in it {others[0].name!r}"
            )
        # An error now is better than one after the first epoch.
        (self.folder / _TRIAL).write_text("")
        (self.folder / _TRIAL).unlink()
        self._steps, self.model._initial_epoch = 0, None
        if (self.folder / _STATE).exists():
            self._restore()
        else:
            self._save(0)
        if self.position is not None:
            self.position.assign(self._steps)

    def on_epoch_begin(self, epoch, logs=None):
        self._before = self._steps

    def on_train_batch_end(self, batch, logs=None):
        self._steps = self._before + batch + 1

    def on_epoch_end(self, epoch, logs=None):
        if self.position is not None:
            # With `steps_per_execution` Keras counts beyond the end of the data.
            self._steps = min(self._steps, int(self.position))
        last = (self.params or {}).get("epochs")
        if (epoch + 1) % self.every == 0 or epoch + 1 == last:
            self._save(epoch + 1)

    def on_train_end(self, logs=None):
        self.model._initial_epoch = None  # The next `fit` is another training.
        if not self.keep:
            shutil.rmtree(self.folder)

    def _save(self, epoch):
        variables = self.folder / f"{epoch}{_VARIABLES}"
        state = {"epoch": epoch, "steps": self._steps, "variables": variables.name}
        try:
            np.savez(variables, *map(_to_numpy, _variables(self.model)))
            (self.folder / _TRIAL).write_text(json.dumps(state), "utf-8")
        except BaseException:
            variables.unlink(missing_ok=True)
            raise
        # From one moment to the next the new backup stands for the last.
        (self.folder / _TRIAL).replace(self.folder / _STATE)
        for path in self.folder.glob(f"*{_VARIABLES}"):
            if path != variables:
                path.unlink()

    def _restore(self):
        try:
            state = json.loads((self.folder / _STATE).read_text("utf-8"))
            path = self.folder / state["variables"]
            with path.open("rb") as file, np.load(file) as saved:
                values = [saved[name] for name in saved.files]
        except _UNREADABLE as error:
            raise ValueError(
                "The backup in `folder` is truncated or altered; without the folder "
                f"the training starts over. Received: folder={self.folder}: {error}"
            ) from error
        variables = _variables(self.model)
        shapes = [tuple(variable.shape) for variable in variables]
        if [value.shape for value in values] != shapes:
            raise ValueError(
                "The backup in `folder` is of another model or another optimizer: its "
                f"variables differ in number or shape. Received: folder={self.folder}"
            )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        self._steps = state["steps"]
        # The way in which Keras's own `BackupAndRestore` makes `fit` begin there.
        self.model._initial_epoch = state["epoch"]


def _variables(model: keras.Model) -> list[Any]:
    """All that a training changes; Keras's files of weights hold no seeds."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _to_numpy(variable: Any) -> np.ndarray:
    value = ops.convert_to_numpy(variable)
    # NumPy's files know no bfloat16; float32 holds each of its numbers.
    return value.astype("float32") if value.dtype.name == "bfloat16" else value


def _is_own(path: Path) -> bool:
    return path.name in (_STATE, _TRIAL) or path.name.endswith(_VARIABLES)
