"""`PositionalEmbedding` against a loop over ids and positions."""

import math

import keras
import numpy as np
import pytest

from keras_attention.layers import PositionalEmbedding
from tests import oracles
from tests.backends import compiled, mask_of, to_numpy
from tests.tensors import normal, token_ids, weights_by_name

IDS = token_ids(3, 5, vocabulary=11)


def _expected(layer, ids, start=0):
    weights = weights_by_name(layer)
    table = weights["tokens/embeddings"]
    expected = np.zeros((*ids.shape, layer.embedding_dim))
    for row, column, feature in np.ndindex(*expected.shape):
        number = table[ids[row, column], feature]
        if layer.scale:
            number = number * math.sqrt(layer.embedding_dim)
        position = column + start
        if layer.positions == "sinusoidal":
            number += oracles.sinusoid(position, feature, layer.embedding_dim)
        elif layer.positions == "learned":
            number += weights["positions/embeddings"][position, feature]
        expected[row, column, feature] = number
    return expected


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", None])
@pytest.mark.parametrize("scale", [True, False])
def test_vectors(positions, scale):
    layer = PositionalEmbedding(11, 7, max_length=5, positions=positions, scale=scale)
    found = to_numpy(layer(IDS))
    np.testing.assert_allclose(found, _expected(layer, IDS), atol=1e-5)


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_one_id_at_a_time_gets_its_own_position(positions):
    layer = PositionalEmbedding(11, 7, max_length=5, positions=positions)
    whole = to_numpy(layer(IDS))
    step = compiled(lambda ids, index: layer(ids, start_index=index))
    for index in range(5):
        ids = keras.ops.convert_to_tensor(IDS[:, index : index + 1])
        for found in (
            layer(ids, start_index=index),
            layer(ids, start_index=np.int64(index)),
            step(ids, np.int32(index)),
        ):
            np.testing.assert_allclose(
                to_numpy(found)[:, 0], whole[:, index], atol=1e-6
            )


def test_logits_are_products_with_the_table():
    layer = PositionalEmbedding(11, 7)
    layer.build(IDS.shape)
    hidden = normal(3, 5, 7)
    expected = hidden @ weights_by_name(layer)["tokens/embeddings"].T
    np.testing.assert_allclose(to_numpy(layer.logits(hidden)), expected, atol=1e-5)


def test_tied_logits_of_a_functional_model_follow_the_weights():
    layer = PositionalEmbedding(11, 7)
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, layer.logits(layer(ids)))
    before = model.predict(IDS, verbose=0)
    model.set_weights([2 * weight for weight in model.get_weights()])
    after = model.predict(IDS, verbose=0)
    table = model.get_weights()[0]
    np.testing.assert_allclose(after, _expected(layer, IDS) @ table.T, atol=1e-4)
    assert not np.allclose(before, after)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_positions_are_those_of_float32_in_half_precision(dtype):
    layer = PositionalEmbedding(11, 32, dtype=f"mixed_{dtype}", scale=False)
    ids = np.full((1, 600), 4, "int32")
    token = layer(ids, start_index=0) - layer(ids[:, :1], start_index=0)
    layer.set_weights([np.zeros((11, 32))])
    found = to_numpy(layer(ids))[0]
    expected = [
        [oracles.sinusoid(position, feature, 32) for feature in range(32)]
        for position in range(600)
    ]
    np.testing.assert_allclose(found, expected, atol=5e-3)
    assert len(np.unique(found, axis=0)) == 600
    assert np.isfinite(to_numpy(token)).all()


def test_padding_is_masked_and_an_earlier_mask_combined():
    ids = np.array([[4, 5, 0], [6, 0, 0]], "int32")
    layer = PositionalEmbedding(11, 7)
    np.testing.assert_array_equal(to_numpy(layer.compute_mask(ids)), ids != 0)
    earlier = np.array([[False, True, True], [True, True, True]])
    np.testing.assert_array_equal(
        to_numpy(layer.compute_mask(ids, earlier)), (ids != 0) & earlier
    )
    assert PositionalEmbedding(11, 7, mask_zero=False).compute_mask(ids) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vocabulary_size": 0}, "`vocabulary_size` .* Received: vocabulary_size=0"),
        ({"embedding_dim": 0}, "`embedding_dim` .* Received: embedding_dim=0"),
        ({"max_length": 0}, "`max_length` .* Received: max_length=0"),
        ({"positions": "learned"}, "`max_length` .* Received: max_length=None"),
        ({"positions": "rotary"}, "`positions` .* Received: positions='rotary'"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        PositionalEmbedding(**{"vocabulary_size": 11, "embedding_dim": 7, **options})


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_does_not_hold_every_id(precision):
    keras.config.set_dtype_policy(precision)
    model = keras.Sequential([PositionalEmbedding(11, 7)])
    with pytest.raises(ValueError, match=r"`inputs` must be integer.*dtype=b?float16"):
        model(np.ones((3, 5), "int32"))
    keras.Sequential([keras.Input((None,), dtype="int32"), PositionalEmbedding(11, 7)])


def test_float32_does_not_hold_every_id_of_a_large_vocabulary():
    layer = PositionalEmbedding(2**24 + 1, 1, positions=None)
    with pytest.raises(ValueError, match=r"`inputs` must be integer.*dtype=float32"):
        layer(keras.Input((None,)))


@pytest.mark.whole
@pytest.mark.parametrize("mask_zero", [False, True])
def test_ids_as_floats_are_the_same_ids(mask_zero):
    layer = PositionalEmbedding(11, 7, mask_zero=mask_zero)
    ids = np.array([[3, 5, 0], [10, 0, 0]])
    expected, found = layer(ids), layer(ids.astype("float32"))
    np.testing.assert_array_equal(to_numpy(found), to_numpy(expected))
    assert (mask_of(found) is None) == (not mask_zero)
    if mask_zero:
        np.testing.assert_array_equal(mask_of(found), ids != 0)


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", None])
def test_more_ids_than_positions_are_refused(positions):
    layer = PositionalEmbedding(11, 7, max_length=3, positions=positions)
    assert layer(IDS[:, :3]).shape == (3, 3, 7)
    named = r"`max_length`.*length={}, start_index={}, max_length=3"
    with pytest.raises(ValueError, match=named.format(5, 0)):
        layer(IDS)
    with pytest.raises(ValueError, match=named.format(1, 3)):
        layer(IDS[:, :1], start_index=3)


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", None])
def test_rows_have_positions_of_their_own(positions):
    layer = PositionalEmbedding(11, 8, 9, positions)
    ids, padded = np.array([[4, 5, 6], [7, 8, 0]]), np.array([[4, 5, 6], [0, 7, 8]])
    expected = to_numpy(layer(ids))
    by_row = np.array([[0, 1, 2], [0, 0, 1]])
    found = to_numpy(layer(padded, positions=by_row))
    np.testing.assert_allclose(found[0], expected[0], atol=1e-6)
    np.testing.assert_allclose(found[1, 1:], expected[1, :2], atol=1e-6)
    for_all = to_numpy(layer(ids, positions=np.arange(3) + 4))
    later = to_numpy(layer(ids, start_index=4))
    np.testing.assert_allclose(for_all, later, atol=1e-6)


def test_positions_are_integers_of_every_id():
    layer, ids = PositionalEmbedding(11, 8), np.array([[4, 5, 6]])
    for wrong in (np.array(1), np.zeros((1, 3, 1), int)):
        with pytest.raises(ValueError, match="`positions` must be of shape"):
            layer(ids, positions=wrong)
    learned = PositionalEmbedding(11, 8, 4, "learned")
    with pytest.raises(ValueError, match=r"`positions` must lie .* 0 to 3.* 4"):
        learned(ids, positions=np.array([2, 3, 4]))


def test_a_start_that_is_a_tensor_leaves_room_for_every_position():
    layer, ids = PositionalEmbedding(11, 8, 3, "learned"), np.array([[4, 5, 6]])
    found = layer(ids, start_index=keras.ops.convert_to_tensor(0))
    np.testing.assert_allclose(to_numpy(found), to_numpy(layer(ids)), atol=1e-6)
