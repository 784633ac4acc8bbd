"""`attention_axes`: the same as Keras's layer with the same weights."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers import MultiHeadAttention

NAMES = {"query": "query", "key": "key", "value": "value", "output": "attention_output"}


def copy_weights(theirs, ours):
    by_path = {w.path.split("/", 1)[1]: ops.convert_to_numpy(w) for w in theirs.weights}
    copies = []
    for weight in ours.weights:
        *_, child, kind = weight.path.split("/")
        copies.append(by_path[f"{NAMES[child]}/{kind}"].reshape(weight.shape))
    ours.set_weights(copies)


@pytest.mark.parametrize(
    ("axes", "lengths"),
    [(None, (3, 7)), (1, (3,)), ((2,), (7,)), ((1, 2), (3, 7))],
)
def test_equals_keras(axes, lengths):
    rng = np.random.default_rng(1)
    query = rng.normal(size=(2, 3, 7, 11)).astype("float32")
    value = rng.normal(size=(2, 3, 7, 13)).astype("float32")
    mask = rng.random((2, *lengths, *lengths)) > 0.3
    theirs = keras.layers.MultiHeadAttention(2, 5, attention_axes=axes)
    ours = MultiHeadAttention(2, 5, attention_axes=axes)
    theirs(query, value)
    ours(query, value)
    copy_weights(theirs, ours)
    options = {"attention_mask": mask, "return_attention_scores": True}
    for their, our in zip(
        theirs(query, value, **options), ours(query, value, **options), strict=True
    ):
        assert tuple(our.shape) == tuple(their.shape)
        np.testing.assert_allclose(
            ops.convert_to_numpy(our), ops.convert_to_numpy(their), atol=1e-5
        )


def test_negative_axes_count_from_the_end():
    inputs = np.random.default_rng(2).normal(size=(2, 3, 7, 11)).astype("float32")
    from_end = MultiHeadAttention(2, 5, attention_axes=-2)
    from_start = MultiHeadAttention(2, 5, attention_axes=2)
    from_start(inputs, inputs)
    from_end(inputs, inputs)
    from_end.set_weights(from_start.get_weights())
    np.testing.assert_array_equal(
        ops.convert_to_numpy(from_end(inputs, inputs)),
        ops.convert_to_numpy(from_start(inputs, inputs)),
    )


def test_other_axes_do_not_influence_each_other():
    inputs = np.random.default_rng(3).normal(size=(2, 3, 7, 11)).astype("float32")
    layer = MultiHeadAttention(2, 5, attention_axes=2)
    before = ops.convert_to_numpy(layer(inputs, inputs))
    changed = inputs.copy()
    changed[:, 0] += 5.0
    after = ops.convert_to_numpy(layer(changed, changed))
    np.testing.assert_allclose(after[:, 1:], before[:, 1:], atol=1e-6)
    assert np.abs(after[:, 0] - before[:, 0]).max() > 0.1


def test_masked_values_on_other_axes_are_left_out():
    rng = np.random.default_rng(4)
    inputs = rng.normal(size=(2, 3, 7, 11)).astype("float32")
    value_mask = np.ones((2, 3, 7), bool)
    value_mask[:, 1, 4:] = False
    layer = MultiHeadAttention(2, 5, attention_axes=2)
    before = layer(inputs, inputs, value_mask=value_mask)
    changed = inputs.copy()
    changed[:, 1, 4:] = 1e6
    after = layer(inputs, changed, value_mask=value_mask)
    np.testing.assert_allclose(
        ops.convert_to_numpy(after), ops.convert_to_numpy(before), atol=1e-5
    )


@pytest.mark.parametrize("axes", [0, 3, -1, 7])
def test_axes_out_of_range(axes):
    inputs = np.zeros((2, 3, 7, 11), "float32")
    with pytest.raises(ValueError, match=rf"`attention_axes` must .*\({axes},\)"):
        MultiHeadAttention(2, 5, attention_axes=axes)(inputs, inputs)


def test_a_cache_needs_three_axes():
    layer = MultiHeadAttention(2, 5, attention_axes=2)
    inputs = np.ones((2, 3, 7, 11), "float32")
    layer(inputs, inputs)
    with pytest.raises(ValueError, match=r"cache.*query.shape=\(2, 3, 7, 11\)"):
        layer(inputs, inputs, cache=layer.init_cache(2, 7), cache_index=0)
