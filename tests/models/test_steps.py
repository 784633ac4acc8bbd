"""What every model keeps, whatever its options: steps, padding, rows."""

import keras
import numpy as np
import pytest

from tests.backends import to_numpy
from tests.small_models import INPUTS, IS_REAL, MODELS, SOURCE, TARGET, build, decode
from tests.small_models import name_of as ids

every_model = pytest.mark.parametrize("case", MODELS, ids=ids)


def _make(case):
    architecture, options = case
    return build(architecture, **options)


@every_model
def test_steps_equal_one_full_pass(case):
    model = _make(case)
    expected = to_numpy(model(INPUTS))
    logits, attention = decode(model, SOURCE, TARGET, max_length=7)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits[IS_REAL], expected[IS_REAL], atol=5e-5)
    if case[1].get("attention", "any") is None:
        assert attention is None
        return
    assert attention.shape == (3, 5, 7)
    assert attention.dtype == np.float32
    np.testing.assert_allclose(attention[IS_REAL].sum(axis=-1), 1, atol=1e-5)
    assert not attention.transpose(0, 2, 1)[SOURCE == 0].any()


@every_model
def test_padding_changes_nothing(case):
    model = _make(case)
    expected = to_numpy(model(INPUTS))
    shorter = to_numpy(model({"source": SOURCE[1:, :5], "target": TARGET[1:, :4]}))
    alone = to_numpy(model({"source": SOURCE[2:, :2], "target": TARGET[2:, :2]}))
    np.testing.assert_allclose(shorter[0], expected[1, :4], atol=5e-5)
    np.testing.assert_allclose(alone[0], expected[2, :2], atol=5e-5)


@every_model
def test_rows_of_a_batch_do_not_influence_each_other(case):
    model = _make(case)
    expected, expected_attention = decode(model, SOURCE, TARGET, max_length=5)
    source, target = SOURCE.copy(), TARGET.copy()
    source[0], target[0, 1:] = 9, 12 if target.max() > 11 else 10
    logits, attention = decode(model, source, target, max_length=5)
    np.testing.assert_allclose(logits[1:], expected[1:], atol=1e-5)
    assert not np.allclose(logits[0], expected[0], atol=1e-3)
    if attention is not None:
        np.testing.assert_allclose(attention[1:], expected_attention[1:], atol=1e-5)


@every_model
@pytest.mark.parametrize("chunks", [[5], [1, 3, 1]], ids=str)
def test_several_ids_are_read_in_one_pass(case, chunks):
    model = _make(case)
    expected, attended = decode(model, SOURCE, TARGET, 5)
    state, index, found, seen = model.start(model.encode(SOURCE), 5), 0, [], []
    for size in chunks:
        ids = keras.ops.convert_to_tensor(TARGET[:, index : index + size])
        logits, state, attention = model.step(ids, state, index)
        found.append(to_numpy(logits))
        seen.append(to_numpy(attention))
        index += size
    np.testing.assert_allclose(np.concatenate(found, axis=1), expected, atol=1e-4)
    if attended is None:
        assert seen[0] is None
    else:
        np.testing.assert_allclose(np.concatenate(seen, axis=1), attended, atol=1e-5)


@pytest.mark.parametrize("case", [MODELS[0], MODELS[6], MODELS[8], MODELS[13]], ids=ids)
def test_rows_of_a_state_may_be_reordered(case):
    model = _make(case)
    state = model.start(model.encode(SOURCE), 5)
    ids = keras.ops.convert_to_tensor(TARGET[:, 0])
    _, state, _ = model.step(ids, state, 0)
    order = np.array([2, 0, 1, 2])
    reordered = keras.tree.map_structure(
        lambda part: None if part is None else keras.ops.take(part, order, axis=0),
        state,
    )
    ids = TARGET[:, 1]
    expected, _, _ = model.step(keras.ops.convert_to_tensor(ids), state, 1)
    logits, _, _ = model.step(keras.ops.convert_to_tensor(ids[order]), reordered, 1)
    np.testing.assert_allclose(to_numpy(logits), to_numpy(expected)[order], atol=1e-5)
