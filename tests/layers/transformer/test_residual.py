"""`Residual`: where it normalizes, and what stochastic depth skips."""

import numpy as np
import pytest
from keras import ops

from keras_attention.layers import TransformerEncoder
from keras_attention.layers.transformer.normalization import Normalization
from keras_attention.layers.transformer.residual import Residual
from tests.backends import to_numpy
from tests.tensors import normal, randomize

INPUTS, UPDATE = normal(400, 3, 5), normal(400, 3, 5, seed=1)
TENSORS = [ops.convert_to_tensor(part) for part in (INPUTS, UPDATE)]


def _residual(normalize_first=True, **options):
    layer = Residual(0.0, normalize_first, Normalization("layer"), 1e-5, **options)
    layer.build(INPUTS.shape)
    return layer


def test_stochastic_depth_skips_whole_rows_and_scales_the_others():
    layer = _residual(stochastic_depth=0.25)
    found = to_numpy(layer.add(*TENSORS, True)) - INPUTS
    share = found / UPDATE
    skipped = np.abs(share).max(axis=(1, 2)) < 1e-3
    np.testing.assert_allclose(share[~skipped], 1 / 0.75, rtol=1e-2)
    np.testing.assert_allclose(share[skipped], 0, atol=1e-3)
    assert skipped.mean() == pytest.approx(0.25, abs=0.1)


def test_nothing_is_skipped_in_inference():
    layer = _residual(stochastic_depth=0.25)
    found = to_numpy(layer.add(*TENSORS, False))
    np.testing.assert_allclose(found, INPUTS + UPDATE, atol=1e-6)


def test_a_block_skips_rows_in_training_alone():
    block = TransformerEncoder(7, 1, normalize_first=True, stochastic_depth=0.5)
    block.build(INPUTS.shape)
    randomize(block)
    unchanged = np.isclose(to_numpy(block(INPUTS, training=True)), INPUTS)
    # Both sublayers are skipped in a quarter of the rows.
    assert unchanged.all(axis=(1, 2)).mean() == pytest.approx(0.25, abs=0.1)
    still = np.isclose(to_numpy(block(INPUTS)), INPUTS)
    assert not still.all(axis=(1, 2)).any()
