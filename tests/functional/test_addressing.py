"""Where a Neural Turing Machine reads and writes, against plain loops."""

import numpy as np
import pytest
from keras import ops

from keras_attention import functional
from tests.backends import input_gradient, to_numpy
from tests.tensors import normal

pytestmark = pytest.mark.whole("tensorflow")

BATCH, HEADS, SLOTS, WIDTH, REACH = 2, 3, 7, 5, 2
MEMORY = normal(BATCH, SLOTS, WIDTH)
KEY = normal(BATCH, HEADS, WIDTH, seed=1)


def _shares(*shape, seed):
    exponentials = np.exp(normal(*shape, seed=seed))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


PREVIOUS = _shares(BATCH, HEADS, SLOTS, seed=2)
SHIFT = _shares(BATCH, HEADS, 2 * REACH + 1, seed=3)
STRENGTH = np.exp(normal(BATCH, HEADS, 1, seed=4))
GATE = 1 / (1 + np.exp(-normal(BATCH, HEADS, 1, seed=5)))
SHARPNESS = 1 + np.exp(normal(BATCH, HEADS, 1, seed=6))


def _squares(weights):
    return ops.sum(ops.square(weights))


def _address_of_one(memory, previous, key, strength, gate, shift, sharpness):
    """The equations 5 to 9 of Graves et al. (2014), slot by slot."""
    norms = np.linalg.norm(memory, axis=-1) * np.linalg.norm(key)
    content = np.exp(strength * (memory @ key) / norms)
    weights = gate * content / content.sum() + (1 - gate) * previous
    shifted = np.zeros_like(weights)
    for slot in range(SLOTS):
        for step in range(-REACH, REACH + 1):
            shifted[slot] += weights[(slot - step) % SLOTS] * shift[step + REACH]
    return shifted**sharpness / (shifted**sharpness).sum()


def test_addresses_follow_the_equations():
    parts = PREVIOUS, KEY, STRENGTH, GATE, SHIFT, SHARPNESS
    found = to_numpy(functional.address(MEMORY, *parts))
    for row in range(BATCH):
        for head in range(HEADS):
            own = (part[row, head] for part in parts)
            expected = _address_of_one(MEMORY[row], *own)
            np.testing.assert_allclose(found[row, head], expected, atol=1e-5)


@pytest.mark.parametrize("sharpness", [1.0, 50.0, 1e4])
def test_sharp_addresses_stay_finite_with_their_gradients(sharpness):
    previous = np.zeros_like(PREVIOUS)
    previous[..., 2] = 1
    gate = np.zeros_like(GATE)

    def weigh(shift):
        return functional.address(
            MEMORY, previous, KEY, STRENGTH, gate, shift, sharpness
        )

    weights = to_numpy(weigh(SHIFT))
    assert np.isfinite(weights).all()
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
    gradient = input_gradient(lambda shift: _squares(weigh(shift)), SHIFT)
    assert np.isfinite(gradient).all()


def test_an_empty_memory_and_key_have_an_address_and_gradients():
    def weigh(memory):
        return functional.address(
            memory, PREVIOUS, 0 * KEY, STRENGTH, GATE, SHIFT, SHARPNESS
        )

    empty = np.zeros_like(MEMORY)
    assert np.isfinite(to_numpy(weigh(empty))).all()
    gradient = input_gradient(lambda memory: _squares(weigh(memory)), empty)
    assert np.isfinite(gradient).all()


def test_reading_and_writing_go_slot_by_slot():
    erase = _shares(BATCH, HEADS, WIDTH, seed=7)
    add = normal(BATCH, HEADS, WIDTH, seed=8)
    read = to_numpy(functional.read_memory(MEMORY, PREVIOUS.astype("float32")))
    written = to_numpy(
        functional.write_memory(
            *(part.astype("float32") for part in (MEMORY, PREVIOUS, erase, add))
        )
    )
    for row in range(BATCH):
        memory = MEMORY[row].copy()
        for head in range(HEADS):
            np.testing.assert_allclose(
                read[row, head], PREVIOUS[row, head] @ MEMORY[row], atol=1e-5
            )
            memory *= 1 - np.outer(PREVIOUS[row, head], erase[row, head])
        for head in range(HEADS):
            memory += np.outer(PREVIOUS[row, head], add[row, head])
        np.testing.assert_allclose(written[row], memory, atol=1e-5)
