"""A test for each known fault of Keras's and KerasHub's attention, named after it."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention import layers
from tests.backends import mask_of, to_numpy
from tests.cases import CASES
from tests.tensors import normal, randomize, real_positions

IDS = np.array([[3, 4, 5, 2, 1], [3, 1, 0, 0, 0], [0, 0, 0, 0, 0]])
REAL = IDS != 0
QUERY, VALUE = normal(3, 5, 8), normal(3, 7, 8, seed=1)
MAKERS = {
    "attention": lambda **options: layers.Attention("scaled_dot", **options),
    "additive": lambda **options: layers.Attention("additive", units=3, **options),
    "multi_head": lambda **options: layers.MultiHeadAttention(2, 3, **options),
    "multi_query": lambda **options: layers.MultiHeadAttention(
        2, 3, num_key_value_heads=1, **options
    ),
}
every_layer = pytest.mark.parametrize("name", MAKERS)
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


def _make(name, **options):
    layer = MAKERS[name](**options)
    layer.build(QUERY.shape, VALUE.shape)
    return randomize(layer)


def _masked():
    """A tensor with an implicit mask."""
    return keras.layers.Embedding(7, 8, mask_zero=True)(IDS)


@every_layer
def test_explicit_query_mask_is_overwritten_by_the_implicit_one(name):
    layer, query = _make(name), _masked()
    explicit = np.arange(5) < 3
    _, weights = layer(
        query,
        VALUE,
        query_mask=np.broadcast_to(explicit, (3, 5)),
        return_attention_scores=True,
    )
    attends = to_numpy(weights).sum(axis=-1) > 0
    expected = REAL & explicit
    if attends.ndim == 3:
        expected = np.broadcast_to(expected[:, None], attends.shape)
    np.testing.assert_array_equal(attends, expected)


@every_layer
@pytest.mark.parametrize("argument", ["value_mask", "key_mask"])
def test_explicit_value_mask_takes_the_place_of_the_implicit_one(name, argument):
    layer, memory = _make(name), _masked()
    explicit = np.arange(5) > 0
    _, weights = layer(
        QUERY,
        memory,
        # With a key beside it, the key's own implicit mask would do.
        **({"key": VALUE[:, :5]} if argument == "key_mask" else {}),
        return_attention_scores=True,
        **{argument: np.broadcast_to(explicit, (3, 5))},
    )
    seen = to_numpy(weights).max(axis=-2) > 0
    expected = REAL & explicit
    if seen.ndim == 3:
        expected = np.broadcast_to(expected[:, None], seen.shape)
    np.testing.assert_array_equal(seen, expected)


@every_layer
def test_masks_are_taken_off_the_callers_tensors(name):
    layer, tensor = _make(name), _masked()
    first = to_numpy(layer(tensor, tensor))
    np.testing.assert_array_equal(mask_of(tensor), REAL)
    np.testing.assert_array_equal(to_numpy(layer(tensor, tensor)), first)


@every_layer
def test_a_stray_mask_stays_on_the_weights(name):
    tensor = _masked()
    output, weights = _make(name)(tensor, tensor, return_attention_scores=True)
    np.testing.assert_array_equal(mask_of(output), REAL)
    assert mask_of(weights) is None


@every_layer
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_fully_masked_row_is_averaged_on_one_path_and_zero_on_another(
    name, precision
):
    mask = real_positions([7, 3, 0], 7)
    outputs = []
    for dropout in (0.0, 0.3):
        layer = _make(name, dtype=precision, dropout=dropout)
        plain = layer(QUERY, VALUE, value_mask=mask)
        asked, weights = layer(
            QUERY, VALUE, value_mask=mask, return_attention_scores=True
        )
        trained = layer(QUERY, VALUE, value_mask=mask, training=True)
        outputs += [to_numpy(part)[2] for part in (plain, asked, trained)]
        assert not to_numpy(weights)[2].any()
    for output in outputs[1:]:
        np.testing.assert_allclose(output, outputs[0], atol=2e-2)


@every_layer
def test_weights_of_cross_attention_have_a_wrong_symbolic_shape(name):
    query, value = keras.Input((5, 8)), keras.Input((7, 8))
    _, weights = MAKERS[name]()(query, value, return_attention_scores=True)
    assert weights.shape[-2:] == (5, 7)


@every_layer
def test_half_precision_gives_nan_for_a_fully_masked_row(name):
    layer = _make(name, dtype="float16")
    mask = np.zeros((3, 7), "bool")
    for part in layer(QUERY, VALUE, value_mask=mask, return_attention_scores=True):
        assert np.isfinite(to_numpy(part)).all()


@pytest.mark.parametrize(
    "layer",
    [
        layers.PositionalEmbedding(7, 8),
        layers.PositionalEmbedding(7, 8, positions="learned", max_length=9),
    ],
    ids=["sinusoidal", "learned"],
)
def test_position_embeddings_drop_masks(layer):
    np.testing.assert_array_equal(mask_of(layer(IDS)), REAL)


def test_rotations_drop_masks():
    np.testing.assert_array_equal(mask_of(layers.RotaryEmbedding()(_masked())), REAL)


@every_layer
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("asked", [False, True])
def test_causal_masks_are_dropped_with_dropout_or_weights(name, dropout, asked):
    layer = _make(name, dropout=dropout)
    later = VALUE.copy()
    later[:, 3:] += 100.0

    def first_outputs(value):
        found = layer(QUERY, value, use_causal_mask=True, return_attention_scores=asked)
        return to_numpy(found[0] if asked else found)[:, :3]

    np.testing.assert_allclose(first_outputs(later), first_outputs(VALUE), atol=1e-6)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cls.__name__)
def test_children_are_first_built_by_a_call(case):
    layer = case.make()
    layer(**case.symbols("batch"), **case.call)
    for child in layer._flatten_layers():
        assert child.built, child.path


def test_the_configuration_forgets_the_flash_attention():
    layer = layers.MultiHeadAttention(2, 3, flash_attention=True)
    assert type(layer).from_config(layer.get_config()).flash_attention is True


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cls.__name__)
def test_unknown_arguments_are_accepted_and_ignored(case):
    arguments = case.make().get_config()
    with pytest.raises((TypeError, ValueError), match="score_mode"):
        case.cls(**arguments, score_mode="dot")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cls.__name__)
def test_kernels_are_out_of_reach_of_quantization_and_adapters(case):
    """A matrix of a layer's own is skipped by both without a word."""
    layer = case.make()
    layer(**case.symbols("batch"), **case.call)
    for child in layer._flatten_layers():
        if type(child).__module__.startswith("keras_attention"):
            assert all(len(weight.shape) < 2 for weight in child._trainable_variables)


@every_layer
def test_a_flag_of_one_call_stays_for_the_next(name):
    layer = _make(name)
    expected = to_numpy(layer(QUERY, VALUE))
    pair = layer(QUERY, VALUE, return_attention_scores=True, use_causal_mask=True)
    assert len(pair) == 2
    np.testing.assert_array_equal(to_numpy(layer(QUERY, VALUE)), expected)
    symbols = keras.Input((5, 8)), keras.Input((7, 8))
    assert layer(*symbols).shape == (None, 5, 8)
    assert len(layer(*symbols, return_attention_scores=True)) == 2


def test_positions_in_half_precision_collide():
    layer = layers.PositionalEmbedding(3, 32, scale=False, dtype="mixed_bfloat16")
    vectors = to_numpy(layer(np.ones((1, 600), "int32")))[0]
    token = to_numpy(layer(np.ones((1, 1), "int32")))[0]
    waves = vectors - token
    exact = to_numpy(
        layers.PositionalEmbedding(3, 32, scale=False)(np.ones((1, 600), "int32"))
    )[0]
    exact = exact - exact[0]
    np.testing.assert_allclose(waves, exact, atol=3e-2)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_one_key_value_head_fails(precision):
    layer = _make("multi_query", dtype=precision)
    assert ops.shape(layer(QUERY, VALUE)) == (3, 5, 8)
