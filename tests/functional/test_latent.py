"""Attention to latent vectors is that to the keys and values that they stand for."""

import numpy as np
import pytest
from keras import ops

from keras_attention import functional
from tests.backends import to_numpy
from tests.tensors import booleans, normal

BATCH, HEADS, TARGET, SOURCE, LATENT, KEY, VALUE = 3, 2, 5, 7, 11, 4, 3


@pytest.mark.parametrize("rotary", [0, 6])
@pytest.mark.parametrize("masked", [False, True])
def test_absorbed_matrices_change_nothing(rotary, masked):
    query = normal(BATCH, HEADS, TARGET, KEY + rotary)
    memory = normal(BATCH, 1, SOURCE, LATENT + rotary, seed=1)
    key_kernel = normal(HEADS, LATENT, KEY, seed=2)
    value_kernel = normal(HEADS, LATENT, VALUE, seed=3)
    mask = booleans(BATCH, SOURCE, seed=4) if masked else None
    keys, values = (
        np.zeros((BATCH, HEADS, SOURCE, width)) for width in (KEY + rotary, VALUE)
    )
    for b, n, s in np.ndindex(BATCH, HEADS, SOURCE):
        latent, turned = np.split(memory[b, 0, s], [LATENT])
        keys[b, n, s] = np.concatenate([latent @ key_kernel[n], turned])
        values[b, n, s] = latent @ value_kernel[n]
    expected = functional.dot_product_attention(
        *(ops.convert_to_tensor(part, "float32") for part in (query, keys, values)),
        key_mask=mask,
    )
    found = functional.latent_attention(
        *map(ops.convert_to_tensor, (query, memory, key_kernel, value_kernel)),
        key_mask=mask,
    )
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(to_numpy(part), to_numpy(wanted), atol=1e-5)
