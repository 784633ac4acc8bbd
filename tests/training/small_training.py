"""A linear model and its training, which can be killed at a step."""

import keras
import numpy as np

from keras_attention import training


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
