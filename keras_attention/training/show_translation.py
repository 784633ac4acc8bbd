"""A sentence translated while a model is in training."""

import functools
import math
import time
from collections.abc import Callable
from typing import Any

import keras

from keras_attention.argument_checks import check_number

_print = functools.partial(print, flush=True)


class ShowTranslation(keras.callbacks.Callback):
    """Shows the translation of a sentence: soon after the start, and after each epoch.

    Args:
        translate: from a list of texts to the list of their translations: a
            `Translator` of the model in training, as for `BleuCallback`.
        source: the text to translate.
        reference: its translation, shown beside.
        seconds: of training before the first translation, where an epoch takes longer.
            They count from the end of the first step, in which the model is traced.
        show: what takes each message; by default it is printed.

    Raises:
        ValueError: for `seconds` below 0.

    Example:
    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> shown = ShowTranslation(lambda texts: ["le chat"], "the cat", "la chatte")
    >>> history = model.fit(
    ...     np.ones((1, 1)), np.ones((1, 1)), callbacks=[shown], verbose=0
    ... )
    <BLANKLINE>
      after epoch 1: the cat
      translation le chat
      reference   la chatte
    """

    def __init__(
        self,
        translate: Callable[[list[str]], list[str]],
        source: str,
        reference: str,
        seconds: float = 15.0,
        show: Callable[[str], Any] = _print,
    ) -> None:
        super().__init__()
        check_number(0, math.inf, seconds=seconds)
        self.translate = translate
        self.source = source
        self.reference = reference
        self.seconds = seconds
        self.show = show
        self._started: float | None = None

    def on_train_batch_end(self, batch, logs=None):
        if self._started is None:
            self._started = time.monotonic()
        if time.monotonic() - self._started > self.seconds:
            self._translate(f"after {batch + 1} batches")

    def on_epoch_end(self, epoch, logs=None):
        self._translate(f"after epoch {epoch + 1}")

    def _translate(self, when):
        self._started = math.inf
        (output,) = self.translate([self.source])
        self.show(
            f"\n  {when}: {self.source}\n"
            f"  translation {output}\n"
            f"  reference   {self.reference}"
        )
