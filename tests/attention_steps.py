"""Attention over a cache, a few positions at a time."""

import keras
import numpy as np

from tests.backends import to_numpy


def stepwise(layer, inputs, chunks, max_length, run=None):
    """The output of causal self-attention over `chunks` positions at a time."""
    cache = layer.init_cache(inputs.shape[0], max_length)
    outputs, index = [], 0
    call = run or layer
    for size in chunks:
        now = keras.ops.convert_to_tensor(inputs[:, index : index + size])
        output, cache = call(now, now, cache=cache, cache_index=index)
        outputs.append(to_numpy(output))
        index += size
    return np.concatenate(outputs, axis=1)
