"""Random tensors, masks and weights for the tests."""

import keras
import numpy as np


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal float32 numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def token_ids(*shape: int, vocabulary: int, seed: int = 0) -> np.ndarray:
    """Ids that are neither padding nor start nor end."""
    ids = np.random.default_rng(seed).integers(4, vocabulary, size=shape)
    return ids.astype("int32")


def booleans(*shape: int, seed: int = 0) -> np.ndarray:
    """A mask of any pattern."""
    return np.random.default_rng(seed).random(shape) < 0.6


def real_positions(lengths: list[int], size: int) -> np.ndarray:
    """The mask of rows that are padded at their end."""
    return np.arange(size) < np.array(lengths)[:, None]


def randomize(layer: keras.layers.Layer, seed: int = 0) -> keras.layers.Layer:
    """Give a built layer other weights than its initializers', biases included."""
    random = np.random.default_rng(seed)
    for weight in layer.trainable_weights:
        weight.assign(random.normal(scale=0.5, size=weight.shape))
    return layer


def weights_by_name(layer: keras.layers.Layer) -> dict[str, np.ndarray]:
    """The weights by the last two parts of their paths: `"query/kernel"`."""
    return {
        "/".join(weight.path.split("/")[-2:]): keras.ops.convert_to_numpy(weight)
        for weight in layer.weights
    }


def in_keras_order(cell: str, weights: list[np.ndarray]) -> list[np.ndarray]:
    """The weights of `RecurrentCell`s as Keras's layers have them."""
    count, ordered = {"lstm": 3, "gru": 4, "simple": 3}[cell], []
    for start in range(0, len(weights), count):
        kernel, bias, recurrent_kernel, *rest = weights[start : start + count]
        ordered += [kernel, recurrent_kernel, np.stack([bias, *rest]) if rest else bias]
    return ordered
