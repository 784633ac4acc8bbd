"""Early stopping by what users see: translations."""

import json
import math
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import keras

from keras_attention.optional_packages import needs
from keras_attention.training.averaging import averaged_weights

_SCORES, _BEST = "bleu.json", "best.weights.h5"


class BleuCallback(keras.callbacks.Callback):
    """Measures BLEU after epochs, keeps the best weights, and stops when it stagnates.

    The score (Papineni et al. 2002, by sacrebleu) joins the logs, for the progress bar,
    the history and Keras's other callbacks, which come after this one in the list; in
    epochs without a measurement it is NaN. Where the optimizer keeps averaged weights
    (`use_ema=True`), these are measured and kept.

    Args:
        translate: from a list of texts to the list of their translations: a
            `Translator` of the model in training, on Keras's TensorFlow backend. One
            with `Greedy` search takes seconds.
        sources: texts to translate.
        references: their translations.
        folder: where to keep the scores and the best weights. Without it there are no
            best weights; with it, a training that is gone on with by a `Backup` before
            this callback in the list stops where it would have stopped uninterrupted.
        patience: number of measured epochs without a better score after which training
            stops; `None` for never.
        restore_best_weights: whether the model has the best weights in the end.
        sample: number of pairs to measure, evenly from all of them; all by default.
        every: number of epochs from one measurement to the next.
        lowercase: whether case is ignored.
        tokenize: how sacrebleu cuts texts, as `"13a"`, or `"char"` for Korean.
        name: of the score in the logs.

    Raises:
        ImportError: without sacrebleu, which `keras-attention-layers[bleu]` installs.
        ValueError: if the lists are empty or differ in length, or a number is not
            positive; for `restore_best_weights` without a `folder`.

    Example:
    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> texts = ["one two three four", "five six seven eight"]
    >>> bleu, x = BleuCallback(lambda texts: texts, texts, texts), np.ones((1, 1))
    >>> history = model.fit(x, x, callbacks=[bleu], verbose=0).history
    >>> [round(score, 2) for score in history["val_bleu"]]
    [100.0]
    """

    def __init__(
        self,
        translate: Callable[[list[str]], list[str]],
        sources: Sequence[str],
        references: Sequence[str],
        folder: str | PathLike[str] | None = None,
        patience: int | None = None,
        restore_best_weights: bool = False,
        sample: int | None = None,
        every: int = 1,
        lowercase: bool = False,
        tokenize: str = "13a",
        name: str = "val_bleu",
    ) -> None:
        super().__init__()
        if len(sources) != len(references) or not sources:
            raise ValueError(
                "`sources` and `references` must hold equally many texts. Received: "
                f"len(sources)={len(sources)}, len(references)={len(references)}"
            )
        numbers = {"patience": patience, "sample": sample, "every": every}
        for argument, value in numbers.items():
            if value is not None and value < 1:
                raise ValueError(
                    f"`{argument}` must be positive. Received: {argument}={value}"
                )
        if restore_best_weights and folder is None:
            raise ValueError("`restore_best_weights` needs a `folder` to keep them in")
        self.translate = translate
        step = len(sources) / min(sample or len(sources), len(sources))
        chosen = [int(step * i) for i in range(round(len(sources) / step))]
        self.sources = [sources[i] for i in chosen]
        self.references = [references[i] for i in chosen]
        self.folder = None if folder is None else Path(folder)
        self.patience = patience
        self.restore_best_weights = restore_best_weights
        self.every = every
        self.name = name
        self._bleu = _make_bleu(lowercase=lowercase, tokenize=tokenize)
        self.scores: dict[int, float] = {}

    def on_train_begin(self, logs=None):
        begin = self.model._initial_epoch or 0
        self.scores = {}
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / _SCORES
        known = json.loads(path.read_text("utf-8")) if path.exists() else {}
        # What was measured after the backup is measured again.
        known = {int(e): score for e, score in known.items() if int(e) < begin}
        self.scores = {e: score for e, score in known.items() if score is not None}
        last = begin - 1
        if last in known and last not in self.scores:
            self._measure(last, {})  # killed after the backup, before it was measured
        if self._stagnates():
            self.model._initial_epoch = self.params["epochs"]

    def on_epoch_begin(self, epoch, logs=None):
        if self._is_due(epoch):
            self._write({**self.scores, epoch: None})

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        if not self._is_due(epoch):
            logs[self.name] = math.nan
            return
        self._measure(epoch, logs)
        if self._stagnates():
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.model._initial_epoch = None  # The next `fit` is another training.
        if self.folder and self.restore_best_weights and self.scores:
            self.model.load_weights(self.folder / _BEST)

    def _is_due(self, epoch):
        return (epoch + 1) % self.every == 0

    def _stagnates(self):
        if self.patience is None or not self.scores:
            return False
        scores = list(self.scores.values())
        return len(scores) - 1 - scores.index(max(scores)) >= self.patience

    def _measure(self, epoch, logs):
        with averaged_weights(self.model):
            found = self.translate(self.sources)
            score = self._bleu.corpus_score(found, [self.references]).score
            if self.folder and score > max(self.scores.values(), default=-1.0):
                fresh = self.folder / f"new-{_BEST}"
                self.model.save_weights(fresh)
                fresh.replace(self.folder / _BEST)
        logs[self.name] = self.scores[epoch] = score
        self._write(self.scores)

    def _write(self, scores):
        if self.folder is None:
            return
        fresh = self.folder / f"new-{_SCORES}"
        fresh.write_text(json.dumps(scores), "utf-8")
        fresh.replace(self.folder / _SCORES)


def _make_bleu(**options: Any) -> Any:
    with needs("sacrebleu", extra="bleu", by="BleuCallback"):
        from sacrebleu.metrics import BLEU
    return BLEU(**options)
