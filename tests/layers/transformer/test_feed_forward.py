"""`FeedForward` by its formula."""

import math

import numpy as np
import pytest

from keras_attention.layers import FeedForward
from tests.backends import to_numpy
from tests.tensors import normal, randomize, weights_by_name

ACTIVATIONS = {
    "relu": lambda x: max(x, 0.0),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
}


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("gated", [False, True])
def test_output(activation, gated):
    inputs = normal(3, 5, 11)
    layer = FeedForward(7, activation, gated=gated)
    layer.build(inputs.shape)
    weights = weights_by_name(randomize(layer))

    def project(vectors, name):
        return vectors @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    hidden = np.vectorize(ACTIVATIONS[activation])(project(inputs, "hidden"))
    if gated:
        hidden = hidden * project(inputs, "gate")
    expected = project(hidden, "output")
    np.testing.assert_allclose(to_numpy(layer(inputs)), expected, atol=1e-5)


def test_projections_of_one_shape_begin_with_different_values():
    layer = FeedForward(11, gated=True, kernel_initializer="he_normal")
    layer.build((3, 5, 11))
    kernels = [
        weight for name, weight in weights_by_name(layer).items() if "kernel" in name
    ]
    assert len(kernels) == 3
    for first in range(3):
        for second in range(first):
            assert not np.allclose(kernels[first], kernels[second])


def test_a_width_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match=r"`intermediate_dim` .*intermediate_dim=0"):
        FeedForward(0)
